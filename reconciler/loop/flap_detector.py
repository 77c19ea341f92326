"""Notices a field on which the same change succeeds again and again: somebody else undoes it, or libvirt ignores it.

Such an object is left to the back-off, and people are told which field it is; without that the loop would spin, or
fight another tool for ever. Nothing here waits or tells: that is the dispatcher's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.planning.ownership import Fact
from reconciler.planning.plan import Action, Step
from reconciler.planning.vanished import WHOLE
from reconciler.status.retries import Flapping
from specs.reference import Ref

_ALLOWED = 4  # times in a row that count as ordinary healing
_FORGET_S = 30.0  # a change that comes back after a longer rest is a new one


@dataclass(slots=True)
class _Seen:
    new: str
    digest: str
    times: int
    last_s: float

    def rests(self, now_s: float) -> bool:
        """True when the last time is so long ago that another one would be a new matter."""
        return now_s - self.last_s > _FORGET_S * self.times


class FlapDetector:
    """Remembers the last changes of each object. Holds no lock: whoever shares one between threads brings it."""

    def __init__(self) -> None:
        self._seen: dict[Ref, dict[str, _Seen]] = {}

    def count(self, step: Step, now_s: float) -> Flapping | None:
        """Count a step that succeeded. A value when it has done the same too often in too short a time.

        `now_s` is on a monotonic clock. A new revision of the document starts anew.
        """
        digest = step.owned.facts.get(Fact.DIGEST, "") if step.owned is not None else ""
        before = self._seen.get(step.ref, {})
        # What this step didn't change is kept: two fields may be undone by turns.
        after = {field: seen for field, seen in before.items() if not seen.rests(now_s) and seen.digest == digest}
        changed = _changed(step)
        for field, new in changed:
            seen = after.get(field)
            if seen is None or seen.new != new:
                after[field] = _Seen(new, digest, 1, now_s)
            else:
                seen.times += 1
                seen.last_s = now_s
        self._seen[step.ref] = after
        return _worst({field: after[field] for field, _ in changed}, now_s)

    def flapping(self, now_s: float) -> dict[Ref, Flapping]:
        """Every object that doesn't stay as it is put, until it has rested for a while."""
        self._seen = {
            ref: seen for ref, seen in self._seen.items() if not all(each.rests(now_s) for each in seen.values())
        }
        found = {ref: _worst(seen, now_s) for ref, seen in self._seen.items()}
        return {ref: worst for ref, worst in found.items() if worst is not None}


def _worst(fields: Mapping[str, _Seen], now_s: float) -> Flapping | None:
    field = max(fields, key=lambda each: fields[each].times, default=None)
    if field is None or fields[field].times <= _ALLOWED or fields[field].rests(now_s):
        return None
    return Flapping(field, fields[field].times)


def _changed(step: Step) -> list[tuple[str, str]]:
    """Each field with its new value as text; one stands for all when an object is made or removed."""
    if not step.changes or step.action in (Action.CREATE, Action.DELETE):
        return [(WHOLE, step.action.value)]
    return [(change.pointer, repr(change.new)) for change in step.changes]
