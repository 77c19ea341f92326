"""Reads kinds whose objects are defined and nothing else. A host has few, so all of a kind are read whenever one is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import libvirt

from reconciler.hypervisor.carrying import carried
from reconciler.hypervisor.driver import KindReader, ReadingTools
from reconciler.hypervisor.failure import is_unsupported
from reconciler.hypervisor.reading import Reading
from reconciler.observed.snapshot import Observed
from specs.reference import Ref

_DEFINED: Final = "defined"


def _one(each: Any, ref: Ref, last: Observed | None) -> Observed:
    return carried(last, ref, uid=each.UUIDString(), xml=each.XMLDesc(0), state=_DEFINED)


@dataclass(frozen=True, slots=True)
class Listed:
    """libvirt's calls for one kind. `named` gives each object that counts its name, of what is read together; `one`
    reads one that has more to tell than what it is.
    """

    kind: str
    words: str
    listing: Callable[[libvirt.virConnect], Iterable[Any]]
    named: Callable[[Iterable[Any]], Iterable[tuple[str, Any]]]
    one: Callable[[Any, Ref, Observed | None], Observed] = _one


def reader_of(listed: Listed) -> Callable[[ReadingTools], KindReader]:
    """The reader of one kind of those."""
    return partial(_Reader, listed)


class _Reader:
    def __init__(self, listed: Listed, tools: ReadingTools) -> None:
        self._listed = listed
        self._connections = tools.connections

    def read(self, reading: Reading) -> None:
        """All of them, when all are to be read or one is marked; none where libvirt's driver has none."""
        listed = self._listed
        if not reading.everything and not reading.wanted(listed.kind):
            return
        with self._connections.lend(f"read the {listed.words}") as connection:
            try:
                everything = list(listed.listing(connection))
            except libvirt.libvirtError as error:
                if not is_unsupported(error):
                    raise
                everything = []
            for name, each in listed.named(everything):
                ref = Ref(listed.kind, name)
                reading.found.read(
                    ref, partial(listed.one, each, ref, reading.before.get(ref)), connection, reading.before
                )
        reading.note_whole(listed.kind)

    def outdated(self, name: str) -> None:
        """libvirt knows them."""
