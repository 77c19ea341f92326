"""The plan: a value that says exactly what apply would do, each step with its why and its effect."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.desired.state import DesiredState
from reconciler.planning.operations import Operation
from reconciler.planning.ownership import Owned
from specs.effect import Change, Effect
from specs.host import Host
from specs.plain import NewJson
from specs.reference import Ref


class Action(StrEnum):
    """What a step does to its object, in the plan's symbols."""

    CREATE = "+"
    UPDATE = "~"
    DELETE = "-"
    REPLACE = "∓"


@dataclass(frozen=True, slots=True)
class Step:
    """Everything that is done to one object, in order. `after` are the objects whose steps must succeed first."""

    ref: Ref
    action: Action
    why: str
    effect: Effect
    operations: tuple[Operation, ...]
    changes: tuple[Change, ...] = ()
    after: frozenset[Ref] = frozenset()
    path: str = ""  # of the document, or of the one that is gone
    line: int = 0
    owned: Owned | None = None  # what the ledger holds once the step has succeeded; None after a delete
    drift: bool = False  # its document is as it was last applied: the host moved, and this puts it back


def one_off_step(
    ref: Ref, why: str, *operations: Operation, action: Action = Action.UPDATE, owned: Owned | None = None
) -> Step:
    """The one step of a plan that is nobody's desired state: it does `operations` to `ref`.

    `why` is what the list of events says, such as `a snapshot was asked for`.
    """
    return Step(ref, action, why, Effect.LIVE, operations, owned=owned)


@dataclass(frozen=True, slots=True)
class Blocked:
    """Something that won't be done, and why: a conflict, a refused change, a reference to nothing."""

    ref: Ref
    reason: str  # CamelCase, as in a condition: OwnedByOther, ShrinkRefused, DependencyNotReady, InvalidDocument, ...
    message: str
    path: str = ""
    line: int = 0
    digest: str = ""  # what `onggi approve` takes, when the reason is NeedsApproval
    part: str = ""  # the field that alone is held back, `/disks`; everything else of the object goes on


@dataclass(frozen=True, slots=True)
class Waiting:
    """Changes that are in the persistent definition and wait for the next boot or restart."""

    ref: Ref
    changes: tuple[Change, ...]
    waits_for: str = ""  # what exactly, where it is known


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about one revision and one snapshot."""

    revision: str
    steps: tuple[Step, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    staged: tuple[Blocked, ...] = ()  # of what waits: what could be done now with an approval. Blocks nothing else
    drifted: tuple[tuple[Ref, tuple[Change, ...]], ...] = ()  # found under `driftPolicy: warn`: told, not healed
    suspended: tuple[tuple[Ref, tuple[Change, ...]], ...] = ()  # found on what is left alone: told, not healed
    extras: tuple[tuple[Ref, tuple[str, ...]], ...] = ()
    notes: tuple[str, ...] = field(default=())  # e.g. that pruning is held, and why
    records: tuple[Owned, ...] = field(default=())  # what the ledger has to hold although nothing is to be done
    forgotten: tuple[Ref, ...] = field(default=())  # what it has to forget: gone from the host and the documents
    # What was planned for: the documents' wish, with each disk as the volume that it is. No part of what the plan says.
    wish: DesiredState | None = field(default=None, compare=False, repr=False)
    host: Host | None = field(default=None, compare=False, repr=False)  # as it was seen, with all that is declared

    @property
    def empty(self) -> bool:
        """True when there is nothing to do. Blocked and waiting things aren't something to do."""
        return not self.steps

    def count(self, action: Action) -> int:
        """How many steps have `action`."""
        return sum(step.action is action for step in self.steps)

    @property
    def digest(self) -> str:
        """Names this plan's content: equal plans have equal digests."""
        text = json.dumps(self.to_json(), sort_keys=True, default=str)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> NewJson:
        """The shape of `onggi plan -o json` (without the digest). Operations appear by name only."""

        def change(item: Change) -> NewJson:
            shown = {"field": item.pointer, "old": item.old, "new": item.new, "effect": item.effect.value}
            return shown | ({"note": item.note} if item.note else {})

        def blocked(item: Blocked) -> NewJson:
            shown = {
                "kind": item.ref.kind,
                "name": item.ref.name,
                "reason": item.reason,
                "message": item.message,
                "path": item.path,
                "line": item.line,
            }
            shown |= {"field": item.part} if item.part else {}
            return shown | ({"approve": item.digest} if item.digest else {})

        return {
            "revision": self.revision,
            "summary": {
                "create": self.count(Action.CREATE),
                "update": self.count(Action.UPDATE),
                "delete": self.count(Action.DELETE),
                "replace": self.count(Action.REPLACE),
                "blocked": len(self.blocked),
                "waiting": len(self.waiting),
            },
            "steps": [
                {
                    "action": step.action.value,
                    "kind": step.ref.kind,
                    "name": step.ref.name,
                    "why": step.why,
                    "effect": step.effect.value,
                    "changes": [change(item) for item in step.changes],
                    "operations": [type(operation).__name__ for operation in step.operations],
                    "after": sorted(str(ref) for ref in step.after),
                    "path": step.path,
                    "line": step.line,
                    "drift": step.drift,
                }
                for step in self.steps
            ],
            "blocked": [blocked(item) for item in self.blocked],
            "waiting": [
                {"kind": w.ref.kind, "name": w.ref.name, "changes": [change(item) for item in w.changes]}
                | ({"waitsFor": w.waits_for} if w.waits_for else {})
                for w in self.waiting
            ],
            "staged": [blocked(item) for item in self.staged],
            "drifted": [
                {"kind": ref.kind, "name": ref.name, "changes": [change(item) for item in changes]}
                for ref, changes in self.drifted
            ],
            "suspended": [
                {"kind": ref.kind, "name": ref.name, "changes": [change(item) for item in changes]}
                for ref, changes in self.suspended
            ],
            "extras": [{"kind": ref.kind, "name": ref.name, "fields": list(fields)} for ref, fields in self.extras],
            "notes": list(self.notes),
        }
