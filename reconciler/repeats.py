"""Notices an object on which the same change succeeds again and again: somebody else undoes it, or libvirt ignores it.

Such an object is left to the back-off; without that the loop would spin, or fight another tool for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.planning.plan import Step
from specs.reference import Ref

_ALLOWED = 4  # times in a row that count as ordinary healing
_FORGET_S = 30.0  # a change that comes back after a longer rest is a new one


@dataclass(slots=True)
class _Seen:
    changes: str
    times: int
    last_s: float


class Repeats:
    """Remembers the last change of each object. Holds no lock: whoever shares one between threads brings it."""

    def __init__(self) -> None:
        self._seen: dict[Ref, _Seen] = {}

    def goes_on(self, step: Step, now_s: float) -> bool:
        """Count a step that succeeded. True when the same one has done so too often in too short a time."""
        changes = repr([(change.pointer, change.new) for change in step.changes])
        seen = self._seen.get(step.ref)
        if seen is None or seen.changes != changes or now_s - seen.last_s > _FORGET_S * seen.times:
            self._seen[step.ref] = _Seen(changes, 1, now_s)
            return False
        seen.times += 1
        seen.last_s = now_s
        return seen.times > _ALLOWED
