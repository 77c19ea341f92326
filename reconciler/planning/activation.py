"""Decides about what is defined and then active or not, such as storage pools and networks.

They are changed in place; what needs a restart is restarted only while no running VM would notice, and waits otherwise:
see `interruption.py`. VMs that lost their network are plugged into it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment, ownership_entry
from reconciler.planning.claim import Claim, Refusal, blocked, claim
from reconciler.planning.context import Context
from reconciler.planning.diff import compare, told_along
from reconciler.planning.interruption import held_back, names, stops
from reconciler.planning.operations import (
    Define,
    Operation,
    ReconnectInterfaces,
    SetAutostart,
    Start,
    Stop,
)
from reconciler.planning.overlaid import FIELD, recalled, remembered
from reconciler.planning.overlaid import managed as overlaid_managed
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.reaching import within_reach
from reconciler.planning.recreation import (
    PERSISTENT,
    WHY_MADE_AGAIN,
    WHY_PERSISTENT,
    as_persistent,
    vanished,
    was_autostarted,
)
from reconciler.planning.rules import rules_of
from reconciler.planning.why import is_drift, not_applied, why_changed
from specs.binding import parse, patched, serialise, write
from specs.effect import Change, Effect, strongest
from specs.plain import NewSpec, Spec
from specs.problem import Unrenderable
from specs.registry import kinds


class Activation:
    """Decides in one pass about the objects of one kind of those. What is so of only one kind of them is its own."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def __call__(self, resource: Resource, observed: Observed | None) -> Assessment:
        """What to do about one of them."""
        return within_reach(resource, observed, self.context, lambda wanted: self.assess(wanted, observed))

    def new_spec(
        self, resource: Resource, gone: Observed | None, entry: Owned | None
    ) -> tuple[NewSpec, dict[str, str]]:
        """The spec that a new one is made by, and what the ledger remembers of what was chosen for it."""
        return dict(resource.spec), {}

    def spec(self, resource: Resource, observed: Observed, entry: Owned | None) -> Spec:
        """The spec that one that is there is compared with."""
        return resource.spec

    def facts(self, resource: Resource, observed: Observed) -> dict[str, str]:
        """What the ledger remembers of one that is there."""
        return {}

    def prerequisites(self, resource: Resource) -> list[Operation]:
        """What has to be there before the definition."""
        return []

    def builds(self, resource: Resource) -> bool:
        """True for one that its start may make first."""
        return False

    def running(self, observed: Observed, live: Iterable[Change]) -> tuple[Change, ...]:
        """The differences to the running definition that mean anything."""
        return tuple(live)

    def growth(self, resource: Resource, observed: Observed, changes: Iterable[Change]) -> Sequence[Operation]:
        """What is to be done about a changed definition beside defining it."""
        return []

    def sections(self, resource: Resource, observed: Observed, lowered: Spec) -> list[Operation]:
        """The edits of one that runs that need no restart."""
        return []

    def told(self, resource: Resource, observed: Observed, lowered: Spec, live: Iterable[Change]) -> list[Operation]:
        """How one that runs is told at once what its document says in XML of its own."""
        return []

    def assess(self, resource: Resource, observed: Observed | None) -> Assessment:
        """The same of what may be had of it."""
        context = self.context
        try:
            if observed is None:
                return Assessment(step=self._create(resource))
            answer = claim(resource, observed, context)
            if isinstance(answer, Refusal):
                return Assessment(blocked=blocked(resource, answer))
            if not observed.persistent:
                observed = as_persistent(observed, context)
            return self._update(resource, observed, answer)
        except Unrenderable as error:
            return Assessment(
                blocked=Blocked(resource.ref, "DependencyNotReady", str(error), resource.path, resource.line)
            )

    def _create(self, resource: Resource) -> Step:
        context, ref, xml = self.context, resource.ref, kinds()[resource.ref.kind].xml
        gone, entry = self._as_it_was(resource), context.owned.get(ref)
        spec, facts = self.new_spec(resource, gone, entry)
        if gone is not None:
            uid, autostart = gone.uid, spec.get("autostart", gone.autostart or None)
            known = compare(resource, gone, context.host, spec, _earlier(entry))
            root = patched(xml.BINDS, parse(gone.xml), known.lowered, known.earlier)
        else:
            uid, autostart = resource.uid, spec.get("autostart")
            lowered = xml.lower(spec, name=ref.name, uid=uid, host=context.host)
            root = write(xml.BINDS, xml.skeleton(lowered, name=ref.name, uid=uid, host=context.host), lowered)
        operations: list[Operation] = [*self.prerequisites(resource), Define(ref, uid, serialise(root))]
        if spec.get("active", True):
            operations += self._start(resource)
        if autostart is not None:
            operations.append(SetAutostart(ref, bool(autostart)))
        return Step(
            ref=ref,
            action=Action.CREATE,
            why="declared, and not on the host" if gone is None else WHY_MADE_AGAIN,
            effect=Effect.LIVE,
            operations=tuple(operations),
            changes=tuple(Change(f"/{key}", None, value, Effect.LIVE) for key, value in spec.items()),
            path=resource.path,
            line=resource.line,
            owned=ownership_entry(
                resource,
                uid,
                created=gone is None or entry is None or entry.created,
                **facts,
                **_stated(resource, entry),
            ),
        )

    def _as_it_was(self, resource: Resource) -> Observed | None:
        """What vanished from the host, unless its document asks for what that can't be changed into."""
        gone = vanished(resource, self.context)
        if gone is None:
            return None
        found = compare(resource, gone, self.context.host).config
        return None if any(change.effect in (Effect.FORBIDDEN, Effect.RECREATE) for change in found) else gone

    def _update(self, resource: Resource, observed: Observed, answer: Claim) -> Assessment:
        context, ref, xml = self.context, resource.ref, kinds()[resource.ref.kind].xml
        entry = context.owned.get(ref)
        spec = self.spec(resource, observed, entry)
        comparison = told_along(compare(resource, observed, context.host, spec, _earlier(entry)), observed)
        record = self._record(resource, observed, entry, answer)
        left = not_applied(record, entry)
        refused = next((c for c in comparison.config if c.effect in (Effect.FORBIDDEN, Effect.RECREATE)), None)
        if refused is not None:
            message = (
                f"{ref}: {refused.pointer.strip('/')} can't go from {refused.old} to {refused.new}; declare a new one"
            )
            return Assessment(blocked=Blocked(ref, "ChangeRefused", message, resource.path, resource.line), record=left)
        undefined = not observed.persistent and answer is not Claim.ADOPT
        changes = [PERSISTENT, *comparison.config] if undefined else list(comparison.config)
        known = {change.pointer for change in changes}
        running = self.running(observed, comparison.live)
        changes += [c for c in running if c.effect is Effect.LIVE and c.pointer not in known]
        # One that was taken over is neither started nor stopped by a document that doesn't speak of it.
        wanted_active = spec.get("active", True if record.created else None)
        if wanted_active is not None and wanted_active != observed.active:
            changes.append(Change("/active", observed.active, wanted_active, Effect.LIVE))
        autostart = spec.get("autostart")
        if autostart is not None and autostart != observed.autostart:
            changes.append(Change("/autostart", observed.autostart, autostart, Effect.LIVE))
        lost = context.disconnected.get(ref, ())
        changes += [Change(f"/guests/{guest.name}", "cut off", "connected", Effect.LIVE) for guest in lost]
        drift_only = entry is None or entry.facts.get(Fact.DIGEST) == resource.digest
        if resource.policy.drift != "enforce" and drift_only and changes:
            drifted = tuple(changes) if resource.policy.drift == "warn" else ()
            return Assessment(drifted=drifted, extras=comparison.extras, record=record)

        definition: list[Operation] = []
        if comparison.config or undefined:
            root = patched(xml.BINDS, parse(observed.xml), comparison.lowered, comparison.earlier)
            growing = self.growth(resource, observed, comparison.config)
            definition = [*self.prerequisites(resource), *growing, Define(ref, observed.uid, serialise(root))]
        pending: tuple[Change, ...] = ()  # what only comes true when it is stopped
        if observed.active and wanted_active is False:
            pending = tuple(change for change in changes if change.pointer == "/active")
        elif observed.active:
            pending = tuple(change for change in running if change.effect is not Effect.LIVE)
        held = held_back(resource, observed, pending, context) if pending else None
        if held is not None and stops(pending):
            if not held.digest:  # nobody can say yes to it
                return Assessment(blocked=held, record=left)
            changes = [change for change in changes if change not in pending]

        operations = list(definition)
        restarted = bool(pending) and held is None and not stops(pending)
        if restarted:
            # First, so that a definition that is refused stops nothing; again, for the test driver forgets it at the
            # stop.
            operations += [Stop(ref), *definition, *self._start(resource)]
            changes += [change for change in pending if change.pointer not in known]
        elif pending and held is None:
            operations.append(Stop(ref))
        elif observed.active:
            operations += self.sections(resource, observed, comparison.lowered)
            operations += self.told(resource, observed, comparison.lowered, running)
            if lost:
                operations.append(ReconnectInterfaces(ref, lost))
        elif wanted_active:
            operations += self._start(resource)
        if any(change.pointer == "/autostart" for change in changes):
            operations.append(SetAutostart(ref, bool(autostart)))
        elif undefined and autostart is None and was_autostarted(ref, context):
            operations.append(SetAutostart(ref, True))
        told = self._told(pending, held)
        if not operations:
            waits_for_stop = held is not None and stops(pending)  # an order of the document that isn't carried out yet
            return replace(told, extras=comparison.extras, record=left if waits_for_stop else record)
        step = Step(
            ref=ref,
            action=Action.REPLACE if restarted else Action.UPDATE,
            why=(WHY_PERSISTENT if undefined else why_changed(resource, entry, adopted=answer is Claim.ADOPT))
            + ("; it is restarted" if restarted else ""),
            effect=strongest([change.effect for change in changes]),
            operations=tuple(operations),
            changes=tuple(changes),
            path=resource.path,
            line=resource.line,
            owned=record,
            drift=is_drift(resource, entry),
        )
        return replace(told, step=step, extras=comparison.extras)

    def _start(self, resource: Resource) -> list[Operation]:
        """Start it, and give those machines their connection back that it was stopped below."""
        guests = tuple(self.context.running_users(resource.ref)) if rules_of(resource.ref.kind).cuts_off else ()
        started = Start(resource.ref, build=self.builds(resource))
        return [started, ReconnectInterfaces(resource.ref, guests)] if guests else [started]

    def _told(self, pending: tuple[Change, ...], held: Blocked | None) -> Assessment:
        """What is told of changes that wait; nothing when they don't."""
        if held is None:
            return Assessment()
        guests = names(self.context.running_users(held.ref))
        note = f"would cut off {guests}" + ("" if held.digest else "; restarted as soon as none of them runs")
        return Assessment(
            waiting=tuple(replace(change, note=note, effect=Effect.NEXT_BOOT) for change in pending),
            waits_for=f"the time when none of its guests runs: {guests}",
            staged=held if held.digest else None,
        )

    def _record(self, resource: Resource, observed: Observed, entry: Owned | None, answer: Claim) -> Owned:
        created = entry.created if entry is not None else answer is not Claim.ADOPT
        return ownership_entry(
            resource, observed.uid, created=created, **self.facts(resource, observed), **_stated(resource, entry)
        )


def _earlier(entry: Owned | None) -> frozenset[str]:
    """What its document stated in XML when it was last applied, which no mark tells of these."""
    return recalled(entry.facts.get(Fact.XML, "")) if entry is not None else frozenset()


def _stated(resource: Resource, entry: Owned | None) -> dict[str, str]:
    """The fact that tells it the next time; what is left as it is stays known."""
    ignored = f"/{FIELD}" in resource.policy.ignore_fields
    pointers = _earlier(entry) if ignored else overlaid_managed(resource.spec)
    return {Fact.XML.value: remembered(pointers)} if pointers else {}
