"""One reading of a host: what is to be read, what was found, and what of the reading before still stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.hypervisor.found import Found
from reconciler.observed.snapshot import Observed
from specs.reference import Ref


@dataclass(slots=True)
class Reading:
    """Readers put what they find into `found`. `dirty` is what is to be read, None for everything; `hidden` are objects
    that are being made: libvirt lists them, but what they will be doesn't show yet.
    """

    before: Mapping[Ref, Observed]
    dirty: frozenset[Ref] | None
    hidden: frozenset[Ref]
    found: Found = field(default_factory=Found)
    _read: set[Ref] = field(default_factory=set)
    _whole: set[tuple[str, str]] = field(default_factory=set)

    @property
    def everything(self) -> bool:
        """True when all objects are to be read."""
        return self.dirty is None

    def told(self) -> frozenset[Ref]:
        """What is marked, or being made: what somebody knows of already."""
        return self.hidden if self.dirty is None else self.dirty | self.hidden

    def wanted(self, kind: str) -> list[Ref]:
        """Those of a kind that are marked, in order."""
        return sorted(ref for ref in self.dirty or () if ref.kind == kind)

    def found_of(self, kind: str) -> Iterator[Observed]:
        """What was found of a kind in this reading so far."""
        return (seen for ref, seen in self.found.objects.items() if ref.kind == kind)

    def was_read(self, ref: Ref) -> bool:
        """True for what this reading has looked at, whether it was found or not: nothing older is believed of it."""
        read = self.dirty is None or ref in self.dirty or ref in self._read
        return read or self.was_read_whole(ref)

    def was_read_whole(self, ref: Ref) -> bool:
        """True when it was read with all others of its kind, or of its kind in its pool."""
        return bool(self._whole) and (ref.kind, ref.pool) in self._whole

    def carried(self) -> Iterator[tuple[Ref, Observed]]:
        """What of the reading before still stands: all that this one hasn't looked at, which is nearly everything."""
        if self.dirty is None:
            return
        read, whole = self.dirty | self._read, self._whole
        for ref, seen in self.before.items():
            if ref not in read and not (whole and (ref.kind, ref.pool) in whole):
                yield ref, seen

    def note_read(self, refs: Iterable[Ref]) -> None:
        """These were read too."""
        self._read.update(refs)

    def note_whole(self, kind: str, pool: str = "") -> None:
        """All of a kind were read, or all of a kind in one pool."""
        self._whole.add((kind, pool))
