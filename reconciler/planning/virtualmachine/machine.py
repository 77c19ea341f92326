"""Decides about one virtual machine: define, change, start, stop. Power and XML are one step, so both come in order."""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment, ownership_entry
from reconciler.planning.claim import Claim, Refusal, blocked, claim, needs_no_mark_yet, taken_from
from reconciler.planning.context import Context
from reconciler.planning.diff import Comparison, compare, managed_items, told_along
from reconciler.planning.operations import Define, Operation, SetAutostart, Start, Stop
from reconciler.planning.ownership import Fact, Owned, kept_count, remade_before
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
from reconciler.planning.virtualmachine.console_password import renewal, slots, slots_again
from reconciler.planning.virtualmachine.fixed_addresses import unknown_mac
from reconciler.planning.virtualmachine.live_edits import live_edits, live_only, postponed, without_followed
from reconciler.planning.virtualmachine.migration import assess_away, is_called_back
from reconciler.planning.virtualmachine.power import (
    DEFAULT_SHUTDOWN_TIMEOUT_S,
    RUNNING,
    STARTED,
    last_run,
    power_changes,
    strategy,
    why_started,
)
from reconciler.planning.virtualmachine.restart import Restart, restart, restart_facts
from reconciler.planning.virtualmachine.unmet_needs import Unmet, can_be_defined, left, reduced, unmet_needs
from reconciler.planning.virtualmachine.used import drive_volumes
from reconciler.planning.why import is_drift, why_changed
from specs.binding import parse, patched, serialise, write
from specs.effect import Change, Effect, strongest
from specs.mark import mark_of, write_mark
from specs.problem import Unrenderable
from specs.reference import Ref
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine import xml
from specs.virtualmachine.platform.guest_os import expanded


def assess(
    resource: Resource, observed: Observed | None, context: Context, missing: frozenset[Ref] = frozenset()
) -> Assessment:
    """What to do about one VM. `missing` are volumes and networks that it needs and that won't come."""
    return within_reach(resource, observed, context, lambda wanted: _assess(wanted, observed, context, missing))


def _assess(resource: Resource, observed: Observed | None, context: Context, missing: frozenset[Ref]) -> Assessment:
    try:
        answer = claim(resource, observed, context) if observed is not None else None
        if isinstance(answer, Refusal):
            return Assessment(blocked=blocked(resource, answer))
        if (away := assess_away(resource, observed, context)) is not None:
            return away
        if observed is not None and not observed.persistent and answer is not Claim.ADOPT:
            observed = as_persistent(observed, context)
        gone = vanished(resource, context) if observed is None else None
        lack = unmet_needs(resource, observed or gone, context, missing)
        wanted = reduced(resource, observed or gone, lack)
        if observed is not None and answer is not None:
            told = told_along(compare(wanted, observed, context.host), observed)
            comparison = postponed(told, resource.policy.next_boot)
            found = _update(wanted, observed, context, answer, comparison, lack)
            found = _telling_refused(resource, comparison, found)
        elif can_be_defined(lack):
            step = _create(wanted, context, lack) if gone is None else _again(wanted, gone, context, lack)
            found = Assessment(step=step)
        else:
            found = Assessment()
        return replace(found, blocked=lack.told(resource)) if lack and found.blocked is None else found
    except Unrenderable as error:
        return Assessment(blocked=Blocked(resource.ref, "DependencyNotReady", str(error), resource.path, resource.line))


def _create(resource: Resource, context: Context, lack: Unmet) -> Step:
    declared, uid, name = MACHINES.declared(resource.spec), resource.uid, resource.ref.name
    spec = expanded(declared, context.host.arch)
    lowered = xml.lower(spec, name=name, uid=uid, host=context.host)
    root = write(xml.BINDS, xml.skeleton(lowered, name=name, uid=uid, host=context.host), lowered)
    own = lowered if spec is declared else xml.lower(declared, name=name, uid=uid, host=context.host)
    write_mark(root, mark_of(context.desired.scope, name, managed_items(own, xml.BINDS)))
    operations: list[Operation] = [
        Define(resource.ref, uid, serialise(root), slots(resource), _opened(resource, context))
    ]
    if spec.get("autostart"):
        operations.append(SetAutostart(resource.ref, True))
    starts = strategy(resource) in STARTED and not lack
    if starts:
        operations.append(Start(resource.ref, paused=bool(spec.get("paused"))))
    changes = tuple(Change(f"/{key}", None, value, Effect.LIVE) for key, value in spec.items())
    record = _entry(resource, uid, created=True, **({Fact.LAST_RUN: RUNNING} if starts else {}))
    return Step(
        ref=resource.ref,
        action=Action.CREATE,
        why="declared, and not on the host",
        effect=Effect.LIVE,
        operations=tuple(operations),
        changes=changes,
        path=resource.path,
        line=resource.line,
        owned=lack.record(record, context.owned.get(resource.ref)),
    )


def _again(resource: Resource, gone: Observed, context: Context, lack: Unmet) -> Step:
    """A machine that vanished, as it was: only what its document says is changed about it."""
    ref, entry = resource.ref, context.owned.get(resource.ref)
    comparison = compare(resource, gone, context.host)
    root = patched(xml.BINDS, parse(gone.xml), comparison.lowered, comparison.earlier)
    write_mark(root, mark_of(context.desired.scope, ref.name, comparison.managed | lack.managed(gone)))
    secrets = slots_again(resource, comparison)
    operations: list[Operation] = [Define(ref, gone.uid, serialise(root), secrets, _opened(resource, context, gone))]
    if MACHINES.declared(resource.spec).get("autostart", gone.autostart):
        operations.append(SetAutostart(ref, True))
    power = left(_power(resource, gone, context), lack)
    operations.extend(operation for _, operation in power)
    facts = _run_facts(resource, gone, context, Restart())
    if any(isinstance(each, Start) for each in operations):
        facts[Fact.LAST_RUN.value] = RUNNING
    created = entry.created if entry is not None else True
    record = _entry(resource, gone.uid, created=created, **facts)
    return Step(
        ref=ref,
        action=Action.CREATE,
        why=WHY_MADE_AGAIN,
        effect=Effect.LIVE,
        operations=tuple(operations),
        changes=tuple(Change(f"/{key}", None, value, Effect.LIVE) for key, value in resource.spec.items()),
        path=resource.path,
        line=resource.line,
        owned=lack.record(record, entry),
    )


def _telling_refused(resource: Resource, comparison: Comparison, found: Assessment) -> Assessment:
    """What can't be changed is told and holds up nothing else of the machine."""
    if not comparison.refused or found.blocked is not None:
        return found
    message = "; ".join(f"{change.pointer.strip('/')}: {change.note}" for change in comparison.refused)
    blocked = Blocked(resource.ref, "ChangeRefused", message, resource.path, resource.line)
    return replace(found, blocked=blocked)


def _update(
    resource: Resource, observed: Observed, context: Context, answer: Claim, comparison: Comparison, lack: Unmet
) -> Assessment:
    entry = context.owned.get(resource.ref)
    if (unknown := unknown_mac(resource, MACHINES.lowered(comparison.lowered), observed)) is not None:
        return Assessment(blocked=unknown)
    power = _power(resource, observed, context)
    starts = any(isinstance(operation, Start) for _, operation in power)
    power = left(power, lack)
    starts = starts and not lack
    undefined = not observed.persistent and answer is not Claim.ADOPT
    changes = [*comparison.config, *live_only(comparison), *(change for change, _ in power)]
    if undefined:
        changes.insert(0, PERSISTENT)
    autostart = MACHINES.declared(resource.spec).get("autostart")
    if autostart is not None and autostart != observed.autostart:
        changes.append(Change("/autostart", observed.autostart, autostart, Effect.LIVE))

    mark = mark_of(
        context.desired.scope, context.renames.marked_name(resource.ref), comparison.managed | lack.managed(observed)
    )
    unmarked = observed.mark is None or not observed.mark.says(mark)
    remark = unmarked and not needs_no_mark_yet(observed, entry, answer)
    if (renewed := renewal(resource, observed, entry, comparison)) is not None:
        changes.append(renewed)
        remark = True
    edits, waiting = live_edits(resource, observed, context, comparison, renewed)
    changes = without_followed(changes, comparison, waiting)
    if remark and not changes:
        changes.append(Change("/metadata", None, "onggi's mark of ownership", Effect.LIVE))

    edits = [edit for edit in edits if not lack.hinders(edit)]
    again = Restart()
    if observed.active and not power and answer is not Claim.ADOPT:
        rebooted = resource.ref in context.options.rebooted
        again = restart(resource, observed, entry, waiting, rebooted=rebooted)
        again = again.held_up() if lack else again
    created = entry.created if entry is not None else answer is not Claim.ADOPT
    facts = _run_facts(resource, observed, context, again)
    record = lack.record(_entry(resource, observed.uid, created=created, **facts), entry)
    drift_only = entry is None or entry.facts.get(Fact.DIGEST) == resource.digest
    if resource.policy.drift != "enforce" and drift_only and changes and not (remark and answer is not Claim.OURS):
        drifted = tuple(changes) if resource.policy.drift == "warn" else ()
        return Assessment(
            drifted=drifted, waiting=waiting, waits_for=again.waits_for, extras=comparison.extras, record=record
        )

    operations: list[Operation] = []
    if comparison.config or remark or undefined:
        # Items of an earlier revision leave the XML; what was never declared stays in it.
        root = patched(xml.BINDS, parse(observed.xml), comparison.lowered, comparison.earlier)
        write_mark(root, mark)
        opens = _opened(resource, context)
        secrets = slots_again(resource, comparison)
        operations.append(Define(resource.ref, observed.uid, serialise(root), secrets, opens))
    stays_up = not any(isinstance(operation, Stop) for _, operation in power)
    if stays_up:
        operations.extend(edits)
    if any(change.pointer == "/autostart" for change in changes):
        operations.append(SetAutostart(resource.ref, bool(autostart)))
    elif undefined and autostart is None and was_autostarted(resource.ref, context):
        operations.append(SetAutostart(resource.ref, True))
    operations.extend(operation for _, operation in power)
    only_restarts = not operations
    if again.operations:
        known = {change.pointer for change in changes}
        changes.extend(change for change in waiting if change.pointer not in known)
        operations.extend(again.operations)
    if not operations:
        return Assessment(waiting=waiting, waits_for=again.waits_for, extras=comparison.extras, record=record)
    if starts or again.operations:
        facts = {key: value for key, value in facts.items() if key == Fact.REMADE} | {Fact.LAST_RUN.value: RUNNING}
        if again.operations:
            facts[Fact.RESTARTED.value] = again.fingerprint
        applied = _entry(resource, observed.uid, created=created, **facts)
    else:
        applied = record
    only_power = len(changes) == len(power)
    step = Step(
        ref=resource.ref,
        action=Action.UPDATE,
        why=_why(resource, observed, context, answer, again, starts=starts, alone=only_power or only_restarts),
        effect=strongest([change.effect for change in changes]),
        operations=tuple(operations),
        changes=tuple(changes),
        path=resource.path,
        line=resource.line,
        owned=applied,
        drift=is_drift(resource, entry) and not only_restarts and answer is not Claim.MOVED,
    )
    return Assessment(
        step=step,
        waiting=waiting if stays_up else (),
        waits_for=again.waits_for,
        extras=comparison.extras,
        record=_before_restart(record, entry) if again.operations else None,
    )


def _why(
    resource: Resource,
    observed: Observed,
    context: Context,
    answer: Claim,
    again: Restart,
    *,
    starts: bool,
    alone: bool,
) -> str:
    """Why the XML is changed and why the power is, whichever of them is."""
    entry = context.owned.get(resource.ref)
    power = again.why or (why_started(resource, observed, entry) if starts else "")
    if power and alone:
        return power
    origin = taken_from(observed, context)
    moved = answer is Claim.MOVED
    changed = why_changed(resource, entry, adopted=answer is Claim.ADOPT, taken_from=origin, moved=moved)
    if not observed.persistent and answer is not Claim.ADOPT:
        changed = WHY_PERSISTENT
    return f"{changed}; {power}" if power and power != changed else changed


def _power(resource: Resource, observed: Observed, context: Context) -> list[tuple[Change, Operation]]:
    """What has to happen to its power. One that was migrated and is to be here again runs here, if it is to run."""
    entry = context.owned.get(resource.ref)
    found = power_changes(resource, observed, entry)
    if (
        found
        or strategy(resource) not in STARTED
        or not is_called_back(resource.ref, context.snapshot.get(resource.ref), context)
    ):
        return found
    return [(Change("/runStrategy", observed.state, RUNNING, Effect.LIVE), Start(resource.ref))]


def _run_facts(resource: Resource, observed: Observed, context: Context, again: Restart) -> dict[str, str]:
    entry = context.owned.get(resource.ref)
    ended, count = last_run(observed, entry), kept_count(entry)
    if is_called_back(resource.ref, context.snapshot.get(resource.ref), context):
        ended, count = "", {Fact.REMADE.value: str(remade_before(entry) + 1)}
    return {
        **count,
        **({Fact.LAST_RUN.value: ended} if ended else {}),
        **restart_facts(again, resource, observed, entry, context.options.now),
    }


def _before_restart(record: Owned, entry: Owned | None) -> Owned:
    """What the ledger holds while the restart is under way: what was applied before, and that it has begun."""
    before = dict(entry.facts) if entry is not None else {}
    return replace(record, facts={**before, Fact.RESTARTING.value: record.facts[Fact.RESTARTING.value]})


def _opened(resource: Resource, context: Context, gone: Observed | None = None) -> tuple[Ref, ...]:
    """The volumes that the machine gets only now and that onggi didn't make: QEMU would follow what they refer to.

    Of one that is `gone` from the host these are all that it had, too.
    """
    had = drive_volumes(MACHINES.lowered(gone.config), context.volume_at) if gone is not None else ()
    return tuple(
        ref
        for ref in dict.fromkeys((*resource.depends_on, *had))
        if ref in context.snapshot.objects
        and ref in context.host.volumes
        and not ((entry := context.owned.get(ref)) is not None and entry.created)
        and resource.ref not in context.users.get(ref, frozenset())
    )


def _entry(resource: Resource, uid: str, *, created: bool, **facts: str) -> Owned:
    declared = MACHINES.declared(resource.spec)
    return ownership_entry(
        resource,
        uid,
        created=created,
        **{
            Fact.RUN_STRATEGY: strategy(resource),
            Fact.SHUTDOWN_TIMEOUT: str(declared.get("shutdownTimeout", DEFAULT_SHUTDOWN_TIMEOUT_S)),
            Fact.FORCE_STOP: "yes" if declared.get("forceStop") else "",
            **facts,
        },
    )
