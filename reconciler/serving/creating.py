"""Makes an object by a document for a client, or leaves nothing behind.

A document that can't come true is taken back out of the repository, so that it isn't tried again behind the back of a
client who was told that it failed; so is what of it came on the host. Whatever somebody has put their hand to meanwhile
stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.errors import NotApplied, OnggiError
from reconciler.loop.passes import World
from reconciler.serving.changes import TIMEOUT_S, Changes
from reconciler.serving.client import Client
from reconciler.writing.changes import DocumentChange, Documents, Put, Remove
from specs.plain import DocumentData
from specs.reference import Ref

log = logging.getLogger("onggi.api")


def _nothing(_world: World) -> None:
    """Leave what its document's removal leaves."""


@dataclass(frozen=True, slots=True)
class NewObject:
    """What is to be made. `noun` and `message` are for commits; `taken` gives the error when its name is somebody's.

    `before` is called just before the commit, perhaps several times. `leftover` removes from the host what is still
    there once the document is gone, and gets the world before that; with `settle` that goes the usual way first.
    """

    ref: Ref
    document: DocumentData
    noun: str
    message: str
    taken: Callable[[], Exception]
    before: Callable[[], None] = lambda: None
    leftover: Callable[[World], None] = _nothing
    settle: bool = True


def create(
    changes: Changes,
    new: NewObject,
    client: Client,
    *,
    timeout_s: float = TIMEOUT_S,
    stopping: Callable[[], bool] = lambda: False,
) -> World:
    """Commit its document and give the world in which it has come true. Raises what `Changes.make` raises.

    After NotApplied nothing of it is left, unless the agent is `stopping`: then the next start goes on with it.
    """

    def edit(documents: Documents) -> Sequence[DocumentChange]:
        if new.ref in documents.refs() or new.ref in changes.world.snapshot.objects:
            raise new.taken()
        new.before()
        return [Put(new.ref, new.document)]

    try:
        return changes.make(edit, new.message, client, [new.ref], timeout_s=timeout_s).world
    except NotApplied:
        if not stopping():
            _take_back(changes, new, client)
        raise


def made_later(world: World, ref: Ref) -> str | None:
    """A sentence when what was created is only committed for now."""
    if ref in world.snapshot.objects:
        return None
    return f"It is committed, and made later: {world.closed or 'nothing is applied now'}."


def _take_back(changes: Changes, new: NewObject, client: Client) -> None:
    ref, untouched = new.ref, True

    def edit(documents: Documents) -> Sequence[DocumentChange]:
        nonlocal untouched
        untouched = documents.get(ref) in (None, new.document)
        return [Remove(ref)] if untouched and ref in documents.refs() else []

    try:
        before, message = changes.world, f"Take back {new.noun} {ref.name}, which can't be made"
        changes.make(edit, message, client, [ref], settle=new.settle, removes=True)
        if untouched:
            new.leftover(before)
    except OnggiError as error:
        log.warning("what is there of %s couldn't be taken back: %s", ref, error)
