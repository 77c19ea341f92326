"""`onggi export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.init import IDENTITY
from reconciler.cli.objects import complete_object, object_named
from reconciler.cli.options import HOST, RESULT, state, verb
from reconciler.cli.output import Output
from reconciler.cli.progress import told_when_slow
from reconciler.errors import OnggiError
from reconciler.settings.settings import Settings
from specs.plain import NewJson
from specs.reference import Ref
from specs.registry import described, find_kind

if TYPE_CHECKING:
    from reconciler.exporting.export import Export
    from reconciler.exporting.folder import Present
    from reconciler.exporting.foreign import Known


def _words(_ctx: click.Context, _param: click.Parameter, words: tuple[str, ...]) -> tuple[Path | None, tuple[Ref, ...]]:
    """The folder, and the objects. A folder that is called as an object would be is written `./vm/web`."""
    folders: list[Path] = []
    wanted: list[Ref] = []
    for word in words:
        found = object_named(word)
        if found is None and find_kind(word) is not None and not Path(word).is_dir():
            raise click.BadParameter(f"{word} is a kind: name objects, as in {word}/NAME, or a folder, as in ./{word}")
        if found is None:
            folders.append(Path(word))
        else:
            wanted.append(found)
    if len(folders) > 1:
        raise click.BadParameter(
            f"{folders[0]} and {folders[1]} are two folders; name one, and objects as KIND/NAME, such as vm/web"
        )
    if not folders and not wanted:
        raise click.BadParameter("name the folder that the documents go to, or objects such as vm/web to print theirs")
    return (folders[0] if folders else None), tuple(wanted)


@verb(
    "export",
    click.argument(
        "words",
        nargs=-1,
        metavar="[DIR] [KIND/NAME]...",
        callback=_words,
        shell_complete=complete_object,
        help="Where the documents go: a new folder, or one that has documents already; and which objects, such as "
        "vm/web.  [default: stdout, and all of them]",
    ),
    *HOST,
    state,
    click.option("--all-volumes", is_flag=True, help="Declare volumes that no machine uses, too."),
    click.option("--foreign", is_flag=True, help="Declare what belongs to another repository, too."),
    click.option("--minimal", is_flag=True, help="Write what fields say, and leave out what only XML could."),
    click.option("--force", is_flag=True, help="Write documents anew that are there already."),
    *RESULT,
    logs_at="WARNING",
)
def command(
    words: tuple[Path | None, tuple[Ref, ...]],
    settings: Settings,
    out: Output,
    all_volumes: bool,
    foreign: bool,
    minimal: bool,
    force: bool,
) -> int:
    """Write what is on a host as documents.

    One file for each virtual machine, network and pool, and for each volume that a machine uses; of objects that are
    named, theirs and those of what they need. Without DIR they are printed. Their plan is empty: `onggi plan DIR` shows
    no change. The host isn't changed, and no secret is read.

    A document holds all of its object, so that a host that lost it gets the same one again: what no field says is in
    libvirt's own XML. What can't be kept even so is told in a comment of the file, and the last line says how much of
    the host the documents hold; `onggi verify DIR` proves it. With --minimal there is no XML in them.

    What belongs to another repository, or is kept by an agent on this host, is told and left out; with --foreign its
    document says so. Exits with 1 when a file was in the way and kept, or an object that was named has no document.
    """
    from reconciler.exporting.export import export
    from reconciler.exporting.folder import look, put
    from reconciler.hypervisor import Hypervisor
    from reconciler.settings.reach import reach_of

    folder, wanted = words
    present = look(folder)
    with told_when_slow(f"reading {settings.connect} …", quiet=out.quiet):
        hypervisor = Hypervisor.open(
            settings.connect, allowed_folders=settings.allowed_folders, reach=reach_of(settings)
        )
        try:
            snapshot = hypervisor.observe()
        finally:
            hypervisor.close()
        found = export(
            snapshot,
            present.repository_id,
            all_volumes=all_volumes,
            allowed_folders=settings.allowed_folders,
            declared=_kept(present, force=force),
            wanted=wanted,
            foreign=foreign,
            known=_known(present.repository_id, settings),
            minimal=minimal,
        )
    missing = set(wanted) - {document.ref for document in found.documents} - present.declared.keys()
    if folder is None:
        out.show(lambda: _json(found, None), lambda: "---\n".join(each.text for each in found.documents).rstrip("\n"))
        _tell(found, out)
        return 1 if missing else 0
    if present.is_new and found.documents:
        put(folder, "onggi.yaml", IDENTITY.format(id=present.repository_id), force=False)
    written = [document for document in found.documents if put(folder, document.path, document.text, force=force)]
    in_the_way = [document.path for document in found.documents if document not in written]
    out.show(
        lambda: _json(found, in_the_way),
        lambda: _text(folder, found, len(written)),
    )
    _tell(found, out)
    if in_the_way:
        names = ", ".join(in_the_way)
        click.echo(f"onggi: kept, because something else is there: {names}; --force writes them anew", err=True)
    return 1 if in_the_way or missing else 0


def _known(repository_id: str, settings: Settings) -> Known:
    """What an agent of this host has written down. One that never ran here knows nothing."""
    from reconciler.exporting.foreign import Known
    from reconciler.ledger.ledger import Ledger

    try:
        ledger = Ledger.open(settings.state, readonly=True)
    except OnggiError:
        return Known(repository_id)
    try:
        return Known(repository_id, ledger.ownership.all(), str(settings.state))
    finally:
        ledger.close()


def _kept(present: Present, *, force: bool) -> dict[Any, str]:
    """What has a document that stays. With `force` those at the place where they are exported to are written anew."""
    from reconciler.exporting.draft import Draft

    return {
        ref: path
        for ref, path in present.declared.items()
        if not (force and described(ref.kind).has_xml and path == Draft(ref, "", {}).path)
    }


def _tell(found: Export, out: Output) -> None:
    from reconciler.status.value_text import printable

    for note in found.notes:
        out.note(printable(note))
    for document in found.documents:
        if document.owner:
            out.note(printable(f"{document.ref} {document.owner}: applying its document takes it away from there"))
        for left in document.left:
            out.note(printable(f"{document.ref}: not declared, and left as it is: {left}"))


def _text(folder: Path, found: Export, count: int) -> str:
    from reconciler.reporting.verified_text import held_text

    if not count:
        return "Nothing was written."
    documents = "1 document" if count == 1 else f"{count} documents"
    text = f"Wrote {documents} into {folder}. Next: onggi plan {folder}"
    return f"{text}\n{held_text(found.kept, found.total)}" if found.total else text


def _json(found: Export, in_the_way: list[str] | None) -> NewJson:
    """`in_the_way` is None when no file was to be written: then the documents' texts are told instead."""
    return {
        "documents": [
            {
                "kind": document.ref.kind,
                "name": document.ref.name,
                "path": document.path,
                "written": in_the_way is not None and document.path not in in_the_way,
                "left": list(document.left),
                "owner": document.owner,
            }
            | ({"text": document.text} if in_the_way is None else {})
            for document in found.documents
        ],
        "notes": list(found.notes),
        "kept": found.kept,
        "total": found.total,
    }
