"""What planning finds out about one resource by itself, before the order between resources matters."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.desired.state import Resource
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Blocked, Step
from specs.effect import Change


@dataclass(frozen=True, slots=True)
class Assessment:
    """A step, or why there is none, and what else is to be told. All empty: the object is as it should be."""

    step: Step | None = None
    blocked: Blocked | None = None
    waiting: tuple[Change, ...] = ()
    waits_for: str = ""  # what those changes wait for, where it is known
    staged: Blocked | None = None  # those changes could be made now, if a person says yes; nothing else waits for it
    drifted: tuple[Change, ...] = ()
    extras: tuple[str, ...] = ()
    record: Owned | None = None  # what the ledger should hold even without a step
    chosen: bool = False  # by what is handed out anew in each pass

    def with_fact(self, fact: Fact, value: str) -> Assessment:
        """The same, and the ledger remembers one thing more."""
        step, record = self.step, self.record
        if step is not None and step.owned is not None:
            step = replace(step, owned=replace(step.owned, facts={**step.owned.facts, fact.value: value}))
        if record is not None:
            record = replace(record, facts={**record.facts, fact.value: value})
        return replace(self, step=step, record=record)


def ownership_entry(resource: Resource, uid: str, *, created: bool, **facts: str) -> Owned:
    """The ledger's entry for a resource; `uid` is empty for a volume."""
    protected = {Fact.PROTECT.value: "yes"} if resource.policy.protect else {}
    return Owned(
        ref=resource.ref,
        uid=uid,
        path=resource.path,
        deletion=resource.policy.deletion,
        parent=resource.parent,
        created=created,
        seed=resource.has_content,
        facts={Fact.DIGEST.value: resource.digest, **protected, **facts},
    )
