"""`onggi export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.init import IDENTITY
from reconciler.cli.options import HOST, RESULT, verb
from reconciler.cli.output import Output
from reconciler.cli.progress import told_when_slow
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.exporting.export import Export
    from reconciler.exporting.folder import Present


@verb(
    "export",
    click.argument(
        "folder",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Where the documents go: a new folder, or one that has documents already.",
    ),
    *HOST,
    click.option("--all-volumes", is_flag=True, help="Declare volumes that no machine uses, too."),
    click.option("--force", is_flag=True, help="Write documents anew that are there already."),
    *RESULT,
    logs_at="WARNING",
)
def command(folder: Path, settings: Settings, out: Output, all_volumes: bool, force: bool) -> int:
    """Write what is on a host as documents.

    One file for each virtual machine, network and pool, and for each volume that a machine uses. Their plan is empty:
    `onggi plan DIR` shows no change. The host isn't changed, and no secret is read. What no document can say is left
    as it is, and told in a comment of the file. Exits with 1 when a file was in the way and kept.
    """
    from reconciler.exporting.export import export
    from reconciler.exporting.folder import look, put
    from reconciler.observed.hypervisor import Hypervisor

    present = look(folder)
    with told_when_slow(f"reading {settings.connect} …", quiet=out.quiet):
        hypervisor = Hypervisor.open(settings.connect, allowed_folders=settings.allowed_folders)
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
    )
    if present.is_new:
        put(folder, "onggi.yaml", IDENTITY.format(id=present.repository_id), force=False)
    written = [document for document in found.documents if put(folder, document.path, document.text, force=force)]
    in_the_way = [document.path for document in found.documents if document not in written]
    out.show(
        lambda: _json(found, in_the_way),
        lambda: _text(folder, len(written)),
    )
    _tell(found, out)
    if in_the_way:
        names = ", ".join(in_the_way)
        click.echo(f"onggi: kept, because something else is there: {names}; --force writes them anew", err=True)
    return 1 if in_the_way else 0


def _kept(present: Present, *, force: bool) -> dict[Any, str]:
    """What has a document that stays. With `force` those at the place where they are exported to are written anew."""
    from reconciler.exporting.draft import KINDS, Draft

    return {
        ref: path
        for ref, path in present.declared.items()
        if not (force and ref.kind in KINDS and path == Draft(ref, "", {}).path)
    }


def _tell(found: Export, out: Output) -> None:
    from reconciler.reporting.value_text import printable

    for note in found.notes:
        out.note(printable(note))
    for document in found.documents:
        for left in document.left:
            out.note(printable(f"{document.ref}: not declared, and left as it is: {left}"))


def _text(folder: Path, count: int) -> str:
    if not count:
        return "Nothing was written."
    documents = "1 document" if count == 1 else f"{count} documents"
    return f"Wrote {documents} into {folder}. Next: onggi plan {folder}"


def _json(found: Export, in_the_way: list[str]) -> dict[str, Any]:
    return {
        "documents": [
            {
                "kind": document.ref.kind,
                "name": document.ref.name,
                "path": document.path,
                "written": document.path not in in_the_way,
                "left": list(document.left),
            }
            for document in found.documents
        ],
        "notes": list(found.notes),
    }
