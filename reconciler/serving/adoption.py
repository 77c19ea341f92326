"""The document that a client's change starts from: the one in the repository, else the export of what is on the host.

A change of something that the repository doesn't know adopts it, in the same commit: its export plus the change becomes
its document.
"""

from __future__ import annotations

from reconciler.errors import NotApplied, NotFound, Terminal
from reconciler.exporting.export import export
from reconciler.loop.passes import World
from reconciler.writing.changes import Documents
from specs.document import parse
from specs.plain import NewDocument
from specs.reference import Ref
from specs.registry import described


def document_of(ref: Ref, documents: Documents, world: World, allowed_folders: tuple[str, ...]) -> NewDocument:
    """The whole document of `ref` as plain data, for its caller to change.

    Raises NotFound for what is neither declared nor on the host, Terminal for what can't have a document.
    """
    found = documents.get(ref)
    if found is not None:
        return dict(found)
    if ref in world.desired.held:
        raise NotApplied(
            f"The document of {ref} has a mistake; correct it in the repository first.",
            reason="InvalidDocument",
            ref=ref,
        )
    return exported(ref, world, allowed_folders)


def exported(ref: Ref, world: World, allowed_folders: tuple[str, ...]) -> NewDocument:
    """What the host has, as the document that adopts it. Raises NotFound, Terminal."""
    if ref not in world.snapshot.objects:
        raise NotFound(f"{ref} is neither declared nor on the host.")
    others = {each: "elsewhere" for each in world.snapshot.objects if each != ref}
    found = export(
        world.snapshot,
        world.desired.repository_id,
        all_volumes=described(ref.kind).holds_data,
        allowed_folders=allowed_folders,
        declared=others,
    )
    for document in found.documents:
        if document.ref == ref:
            return dict(parse(document.path, document.text.encode()).documents[0].body)
    notes = "; ".join(note for note in found.notes if str(ref) in note)
    raise Terminal(notes or f"{ref} can't have a document.")
