"""What on the host isn't as its document was last applied: field by field, declared × config × live.

Pure: taken from a plan and the values that it was made of. What a new revision asks for is no drift, nor is what was
applied and only waits for a boot. Keeping records of it is the ledger's business, printing it is `drift_text`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

from reconciler.bulkhead import Failure, contained
from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.plan import Action, Blocked, Plan, Step
from reconciler.planning.storagevolume.loss import DATA_LOST
from reconciler.planning.vanished import WHOLE
from reconciler.planning.virtualmachine.migration import MIGRATED
from reconciler.planning.why import is_drift
from reconciler.status.one_pass import Pass
from specs.effect import Change, Effect
from specs.host import Host
from specs.problem import Unrenderable
from specs.reference import Ref
from specs.registry import described

_T = TypeVar("_T")

POWER_FIELDS = frozenset({"/runStrategy", "/paused", "/active"})
# Refused as a change; when the document is as it was last applied, somebody on the host did it.
_REFUSALS = frozenset({"ShrinkRefused", "ChangeRefused"})
_GONE = frozenset({DATA_LOST, MIGRATED})  # not put back by itself, whatever the document's policy
HOLD = "hold"  # the policy of that


class DriftKind(StrEnum):
    """In which way an object differs."""

    CHANGED = "changed"
    MISSING = "missing"
    POWER = "power"
    EXTRA = "extra"  # information: the document doesn't speak of it, so it stays


@dataclass(frozen=True, slots=True)
class DriftedField:
    """One field. `config` and `live` are what the persistent and the running definition say.

    Of the two, the one that is right equals `declared`. `live` is None while the object doesn't run.
    """

    field: str  # a JSON pointer as in a plan
    declared: Any
    config: Any
    live: Any = None
    live_differs: bool = False

    @property
    def found(self) -> Any:
        """The value that is wrong: the definition's, else the running one's."""
        return self.live if self.live_differs and self.config == self.declared else self.config

    @property
    def where(self) -> str:
        """`config`, `live` or `both`: which definition is wrong."""
        if not self.live_differs:
            return "config"
        return "live" if self.config == self.declared else "both"


@dataclass(frozen=True, slots=True)
class Drift:
    """One way in which one object differs from its document as it was last applied."""

    ref: Ref
    kind: DriftKind
    # enforce | warn, suspended for what is left alone, hold for what is gone until a person decides; `ignore` reports
    # nothing.
    policy: str
    fields: tuple[DriftedField, ...]
    active: bool = False  # the object runs, so that `live` means something
    digest: str = ""  # of the document's content: tells later whether the document was changed to match
    path: str = ""
    line: int = 0


_NAME = "/metadata/name"
SUSPENDED = "suspended"

_MISSING = (DriftedField(WHOLE, "present", None),)


def drift(now: Pass) -> tuple[Drift, ...]:
    """All that the plan heals or only tells of as drift, in the order of kinds and names; extras are last.

    Taken before anybody acts on the plan, which changes what the ledger remembers.
    """
    return _Drifts(now).all()


def deviations(found: Iterable[Drift]) -> list[Drift]:
    """Without what is only information."""
    return [item for item in found if item.kind is not DriftKind.EXTRA]


def still_different(plan: Plan) -> frozenset[tuple[Ref, str]]:
    """Every field that the plan would change for whatever reason, and whole objects that it would make."""
    fields = {(step.ref, change.pointer) for step in plan.steps for change in step.changes}
    fields |= {(step.ref, WHOLE) for step in plan.steps if step.action is Action.CREATE}
    return frozenset(fields)


def unjudged(now: Pass) -> Callable[[Ref], bool]:
    """Tells the objects of which the plan says nothing: held back, or with a document that can't be read; and those of
    which nobody can tell, because something is done to them now.
    """
    blocked = {item.ref for item in now.plan.blocked if not item.part}
    desired = now.wish

    def unknown(ref: Ref) -> bool:
        resource = desired.resources.get(ref)
        if resource is None:
            return ref in desired.held or bool(desired.held_paths)
        return ref in now.busy or ref in blocked

    return unknown


class _Drifts:
    def __init__(self, now: Pass) -> None:
        self.plan = now.plan
        self.desired = now.wish
        self.snapshot = now.snapshot
        self.owned = now.owned

    @cached_property
    def host(self) -> Host:
        """As the plan has seen it; else it is found out, once something differs, for that takes all volumes."""
        if self.plan.host is not None:
            return self.plan.host
        from reconciler.planning.projected_host import foreseen  # with lxml: who only reads records does without

        return foreseen(self.desired, self.snapshot, self.owned)

    def all(self) -> tuple[Drift, ...]:
        """Deviations, then extras."""
        found = sorted(self.deviations(), key=lambda item: (item.ref, item.kind))
        return (*found, *sorted(self.extras(), key=lambda item: item.ref))

    def deviations(self) -> Iterator[Drift]:
        """What a step puts back, what is only told, and what can't be put back."""
        for step in self.plan.steps:
            if (resource := self.desired.resources.get(step.ref)) is not None:
                yield from self.contained(resource, self.of_step, step)
        for ref, changes in self.plan.drifted:
            yield from self.contained(self.desired.resources[ref], self.of_changes, changes)
        for waits in self.plan.waiting:
            resource = self.desired.resources.get(waits.ref)
            if resource is not None and is_drift(resource, self.owned.get(waits.ref)):
                # Somebody has renamed it, and it runs: that is no change that was applied and waits.
                yield from self.differing(resource, [each for each in waits.changes if each.pointer == _NAME])
        for ref, changes in self.plan.suspended:
            found = self.contained(self.desired.resources[ref], self.of_changes, changes)
            yield from (replace(item, policy=SUSPENDED) for item in found)
        for item in self.plan.blocked:
            resource = self.desired.resources.get(item.ref)
            if item.reason in _REFUSALS and resource is not None and is_drift(resource, self.owned.get(item.ref)):
                yield from self.contained(resource, self.differing, None)
            elif resource is not None and self.is_gone(item, resource):
                yield replace(_drift(resource, DriftKind.MISSING, _MISSING), policy=HOLD)

    def is_gone(self, item: Blocked, resource: Resource) -> bool:
        """True when it was here as declared, and is neither here nor made again, for whatever reason."""
        if item.part or self.snapshot.get(item.ref) is not None:
            return False
        if item.reason in _GONE:
            return True
        # What holds data may only be out of sight, with its pool; of what is really gone, `DataLost` tells.
        told = not described(item.ref.kind).holds_data and resource.policy.drift != "ignore"
        return told and is_drift(resource, self.owned.get(item.ref))

    def contained(
        self, resource: Resource, find: Callable[[Resource, _T], Iterator[Drift]], argument: _T
    ) -> Iterable[Drift]:
        """The drift of one object; none where looking for it fails, which hides nothing else."""
        key = (resource.digest, find.__name__)
        found = contained("comparing", resource.ref, key, lambda: list(find(resource, argument)))
        return () if isinstance(found, Failure) else found

    def of_step(self, resource: Resource, step: Step) -> Iterator[Drift]:
        """What a step puts back."""
        if step.action is Action.CREATE:
            if is_drift(resource, self.owned.get(step.ref)):
                yield _drift(resource, DriftKind.MISSING, _MISSING)
        elif step.drift:
            yield from self.differing(resource, step.changes)

    def of_changes(self, resource: Resource, changes: tuple[Change, ...]) -> Iterator[Drift]:
        """What is only told."""
        if any(change.pointer == WHOLE for change in changes):
            yield _drift(resource, DriftKind.MISSING, _MISSING)
        else:
            yield from self.differing(resource, changes)

    def extras(self) -> Iterator[Drift]:
        """What documents don't speak of."""
        for ref, pointers in self.plan.extras:
            resource = self.desired.resources[ref]
            if resource.policy.drift != "ignore":
                fields = tuple(DriftedField(pointer, None, "present") for pointer in pointers)
                yield _drift(resource, DriftKind.EXTRA, fields, self.snapshot.get(ref))

    def differing(self, resource: Resource, changes: Iterable[Change] | None) -> Iterator[Drift]:
        """The drift of one object that is there. `changes` None: whatever its definition has."""
        observed = self.snapshot.get(resource.ref)
        if resource.policy.drift == "ignore":
            return
        config, live = self.compared(resource, observed)
        active = observed is not None and observed.live is not None
        fields: list[DriftedField] = []
        power: list[DriftedField] = []
        for change in config.values() if changes is None else changes:
            pointer = change.pointer
            if pointer in POWER_FIELDS:
                power.append(DriftedField(pointer, change.new, change.old))
            elif pointer in config:
                running = live[pointer].old if pointer in live else config[pointer].new
                fields.append(
                    DriftedField(
                        pointer, config[pointer].new, config[pointer].old, running if active else None, pointer in live
                    )
                )
            elif pointer in live:
                # What isn't live was applied to the definition and waits: nobody changed it by hand.
                if live[pointer].effect is Effect.LIVE:
                    fields.append(DriftedField(pointer, change.new, change.new, live[pointer].old, True))
            else:  # what is in no definition, such as autostart
                fields.append(DriftedField(pointer, change.new, change.old))
        if fields:
            yield _drift(resource, DriftKind.CHANGED, tuple(fields), observed)
        if power:
            yield _drift(resource, DriftKind.POWER, tuple(power), observed)

    def compared(self, resource: Resource, observed: Observed | None) -> tuple[dict[str, Change], dict[str, Change]]:
        """The changes of both definitions by their pointers; none where they can't be compared."""
        if observed is None:
            return {}, {}
        from reconciler.planning.diff import compare

        try:
            found = compare(resource, observed, self.host)
        except Unrenderable:
            return {}, {}
        return {item.pointer: item for item in found.config}, {item.pointer: item for item in found.live}


def _drift(
    resource: Resource, kind: DriftKind, fields: tuple[DriftedField, ...], observed: Observed | None = None
) -> Drift:
    return Drift(
        resource.ref,
        kind,
        resource.policy.drift,
        fields,
        observed is not None and observed.live_xml is not None,
        resource.digest,
        resource.path,
        resource.line,
    )
