"""What the ledger gives to its readers: events, last outcomes, statuses, and the set of everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specs.reference import Ref

if TYPE_CHECKING:  # who only asks the ledger has no use for plans
    from reconciler.planning.plan import Step
    from reconciler.status.condition import Condition


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done, failed or was skipped. Repeated ones are counted; `time` is the last one's."""

    time: str  # RFC 3339, UTC
    ref: Ref
    type: str  # Normal | Warning
    result: str  # a word of `Result`
    message: str  # why it was done, or why it wasn't
    revision: str
    who: str  # reconcile, or who asked for it
    count: int = 1


@dataclass(frozen=True, slots=True)
class CutOff:
    """A step that a process began and didn't live to tell of. `step` has no operations any more."""

    step: Step
    revision: str


@dataclass(frozen=True, slots=True)
class LastOutcome:
    """How the last step on an object ended."""

    time: str  # RFC 3339, UTC
    action: str  # + ~ - ∓
    result: str
    message: str
    revision: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """All that is known of one object without asking the host."""

    ref: Ref
    conditions: tuple[Condition, ...]
    uid: str = ""
    path: str = ""  # of its document, once it was applied
    state: str = ""  # as last observed: running, shutoff, active, ...; empty when it wasn't told
    revision: str = ""
    last_outcome: LastOutcome | None = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why an object, or everything, is left alone; empty where an earlier version wrote nothing down."""

    reason: str = ""
    who: str = ""
    since: str = ""  # RFC 3339, UTC

    def __str__(self) -> str:
        told = " ".join(f"{word} {value}" for word, value in (("by", self.who), ("since", self.since)) if value)
        return f"{told}: {self.reason}" if told and self.reason else told or self.reason


class _Everything(frozenset[Ref]):
    """Has every reference as a member: what `suspended` gives while the whole agent is suspended."""

    def __contains__(self, item: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return "ALL"

    def __reduce__(self) -> Any:
        return "ALL"  # stays the one object that it is


ALL = _Everything()
