"""Waits with a repair until what was done by hand has come to rest, so that one change by hand is one repair.

`virsh update-device` is several moments of libvirt's: an object that is looked at in the middle of it differs
in another way than at its end, a machine's network seems to have lost it, and a repair would run into the change. So an
object that was found changed is left alone for an instant, looked at once more, and put right if it is still so.

The definition of a machine that is off changes in a single moment, so there is no middle of it: the first change after
a while of quiet is put right at once, and what follows closely upon it rests as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import Define
from reconciler.planning.plan import Action, Step
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.registry import described

REST_S: Final = 0.3  # without a further change
_LONGEST_S: Final = 3.0  # what never rests is repaired all the same: another tool may be fighting
_QUIET_S: Final = 3.0  # after which a change has nothing to do with the one before
_GUESTS: Final = "/guests/"  # the fields of a network that stand for its machines' plugs


@dataclass(slots=True)
class _Seen:
    what: tuple[tuple[str, str], ...]
    first_s: float
    since_s: float
    asked: bool = False  # it was to be looked at once more, and by the next pass it was


class Debounce:
    """Holds no lock: whoever shares one between threads brings it. Times are on a monotonic clock."""

    def __init__(self) -> None:
        self._seen: dict[Ref, _Seen] = {}
        self._at_once: dict[Ref, float] = {}  # when these were last put right without a rest

    def unsettled(
        self, steps: Iterable[Step], now_s: float, objects: Mapping[Ref, Observed]
    ) -> tuple[frozenset[Ref], frozenset[Ref]]:
        """Of one pass's steps: the objects whose repair waits, and what has to be looked at again before it is made.

        `objects` are those that the steps were planned for.
        """
        before, self._seen = self._seen, {}
        self._at_once = {ref: at_s for ref, at_s in self._at_once.items() if now_s - at_s < _QUIET_S}
        found: set[Ref] = set()
        look_at: set[Ref] = set()
        for step in steps:
            if not step.drift:
                continue
            if step.ref not in before and step.ref not in self._at_once and _has_no_middle(step, objects):
                self._at_once[step.ref] = now_s
                continue
            what = tuple((change.pointer, repr(change.old)) for change in step.changes)
            seen = before.get(step.ref) or _Seen(what, now_s, now_s)
            self._seen[step.ref] = seen
            if seen.what != what and now_s - seen.first_s < _LONGEST_S:
                seen.what, seen.since_s, seen.asked = what, now_s, False
            if now_s - seen.since_s < REST_S:
                found.add(step.ref)
            elif not seen.asked:
                seen.asked = True
                found.add(step.ref)
                look_at |= {step.ref, *_machines(step)}
        return frozenset(found), frozenset(look_at)

    def done(self, ref: Ref) -> None:
        """It was repaired: the next change of it is another one."""
        self._seen.pop(ref, None)

    def next_due_s(self, now_s: float) -> float | None:
        """Seconds until something has rested; None when nothing waits for that."""
        waits = (seen.since_s + REST_S - now_s for seen in self._seen.values() if not seen.asked)
        return min((max(wait, 0.0) for wait in waits), default=None)


def _has_no_middle(step: Step, objects: Mapping[Ref, Observed]) -> bool:
    """True where nothing but the definition of a machine is changed back, and that machine is there and off."""
    observed = objects.get(step.ref) if described(step.ref.kind).has_guest else None
    if observed is None or observed.active or step.action is not Action.UPDATE:
        return False
    return bool(step.operations) and all(isinstance(operation, Define) for operation in step.operations)


def _machines(step: Step) -> set[Ref]:
    """The machines whose plugs a network's step is about: the network can't tell where they are now."""
    return {
        Ref(VIRTUAL_MACHINE, change.pointer.removeprefix(_GUESTS))
        for change in step.changes
        if change.pointer.startswith(_GUESTS)
    }
