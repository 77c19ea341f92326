"""What the ledger gives to its readers: events, last outcomes, and statuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specs.reference import Ref

if TYPE_CHECKING:  # who only asks the ledger has no use for plans
    from reconciler.planning.plan import Step
    from reconciler.status.condition import Condition


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something that was done comes from: the agent itself, or a request of somebody's, from where and by which
    name.
    """

    who: str = "reconcile"  # or api:<user>
    peer: str = ""  # an address, or a user of this machine
    request: str = ""


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
    peer: str = ""  # from where they asked, and by which request; empty where nobody did
    request: str = ""


@dataclass(frozen=True, slots=True)
class InDoubt:
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
