"""Decides about one virtual machine: define, change, start, stop. Power and XML are one step, so both come in order."""

from __future__ import annotations

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment, ownership_entry
from reconciler.planning.claim import Claim, Refusal, blocked, claim
from reconciler.planning.context import Context
from reconciler.planning.diff import Comparison, compare, managed_items
from reconciler.planning.operations import (
    Define,
    EditLive,
    Operation,
    Pause,
    Resume,
    SecretSlot,
    SecretSource,
    SetAutostart,
    Start,
    Stop,
)
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.why import is_drift, why_changed
from specs.binding import parse, patched, serialise, write
from specs.effect import Change, Effect, strongest
from specs.host import Feature
from specs.mark import Mark, write_mark
from specs.problem import Unrenderable
from specs.reference import Ref
from specs.virtualmachine import live, xml

DEFAULT_STRATEGY = "RerunOnFailure"
DEFAULT_SHUTDOWN_TIMEOUT_S = 60

# Ends that nobody asked for: after these, RerunOnFailure starts the machine again. `unknown` is what libvirt says of a
# machine that was never started, or that was running when the host went down.
_FAILURES = frozenset({"", "unknown", "crashed", "failed"})

# Live verbs that need no hot-plug support of the connection.
_ALWAYS_LIVE = frozenset({"memory", "vcpus", "title", "description"})


def assess(resource: Resource, observed: Observed | None, context: Context) -> Assessment:
    """What to do about one VM."""
    try:
        if observed is None:
            return Assessment(step=_create(resource, context))
        answer = claim(resource, observed, context)
        if isinstance(answer, Refusal):
            return Assessment(blocked=blocked(resource, answer))
        return _update(resource, observed, context, answer)
    except Unrenderable as error:
        return Assessment(blocked=Blocked(resource.ref, "DependencyNotReady", str(error), resource.path, resource.line))


def _create(resource: Resource, context: Context) -> Step:
    spec, uid, name = resource.spec, resource.uid, resource.ref.name
    lowered = xml.lower(spec, name=name, uid=uid, host=context.host)
    root = write(xml.BINDS, xml.skeleton(lowered, name=name, uid=uid, host=context.host), lowered)
    write_mark(root, Mark(context.desired.repository_id, name, managed_items(lowered, xml.BINDS)))
    operations: list[Operation] = [
        Define(resource.ref, uid, serialise(root), _secrets(resource), _opened(resource, context))
    ]
    if spec.get("autostart"):
        operations.append(SetAutostart(resource.ref, True))
    if strategy(resource) in ("Always", "RerunOnFailure"):
        operations.append(Start(resource.ref, paused=bool(spec.get("paused"))))
    changes = tuple(Change(f"/{key}", None, value, Effect.LIVE) for key, value in spec.items())
    return Step(
        ref=resource.ref,
        action=Action.CREATE,
        why="declared, and not on the host",
        effect=Effect.LIVE,
        operations=tuple(operations),
        changes=changes,
        path=resource.path,
        line=resource.line,
        owned=_entry(resource, uid, created=True),
    )


def _update(resource: Resource, observed: Observed, context: Context, answer: Claim) -> Assessment:
    entry = context.owned.get(resource.ref)
    comparison = compare(resource, observed, context.host)
    power = _power(resource, observed, entry)
    changes = [*comparison.config, *_live_only(comparison), *(change for change, _ in power)]
    autostart = resource.spec.get("autostart")
    if autostart is not None and autostart != observed.autostart:
        changes.append(Change("/autostart", observed.autostart, autostart, Effect.LIVE))

    mark = Mark(context.desired.repository_id, resource.ref.name, comparison.managed)
    remark = observed.mark != mark
    if _secrets(resource) and entry is not None and entry.facts.get(Fact.DIGEST) != resource.digest:
        # What a secret is can't be compared; a new revision of the document puts it in again.
        changes.append(Change("/graphics/passwordFrom", None, "(set)", Effect.NEXT_BOOT))
        remark = True
    if remark and not changes:
        changes.append(Change("/metadata", None, "onggi's mark of ownership", Effect.LIVE))

    record = _entry(resource, observed.uid, created=entry.created if entry is not None else answer is Claim.OURS)
    drift_only = entry is None or entry.facts.get(Fact.DIGEST) == resource.digest
    if resource.policy.drift != "enforce" and drift_only and changes and not (remark and answer is Claim.ADOPT):
        drifted = tuple(changes) if resource.policy.drift == "warn" else ()
        return Assessment(drifted=drifted, extras=comparison.extras, record=record)

    operations: list[Operation] = []
    if comparison.config or remark:
        # Items of an earlier revision leave the XML; what was never declared stays in it.
        earlier = observed.mark.managed if observed.mark is not None else frozenset()
        root = patched(xml.BINDS, parse(observed.xml), comparison.lowered, earlier)
        write_mark(root, mark)
        opens = _opened(resource, context)
        operations.append(Define(resource.ref, observed.uid, serialise(root), _secrets(resource), opens))
    edits, waiting = _live_edits(resource, observed, context, comparison)
    stays_up = not any(isinstance(operation, Stop) for _, operation in power)
    if stays_up:
        operations.extend(edits)
    if any(change.pointer == "/autostart" for change in changes):
        operations.append(SetAutostart(resource.ref, bool(autostart)))
    operations.extend(operation for _, operation in power)
    if not operations:
        return Assessment(waiting=waiting, extras=comparison.extras, record=record)
    step = Step(
        ref=resource.ref,
        action=Action.UPDATE,
        why=why_changed(resource, entry, adopted=answer is Claim.ADOPT),
        effect=strongest([change.effect for change in changes]),
        operations=tuple(operations),
        changes=tuple(changes),
        path=resource.path,
        line=resource.line,
        owned=record,
        drift=is_drift(resource, entry),
    )
    return Assessment(step=step, waiting=waiting if stays_up else (), extras=comparison.extras)


def _live_only(comparison: Comparison) -> list[Change]:
    """What the running machine lacks although its definition is right: an earlier change didn't get through."""
    known = {change.pointer for change in comparison.config}
    return [change for change in comparison.live if change.effect is Effect.LIVE and change.pointer not in known]


def _live_edits(
    resource: Resource, observed: Observed, context: Context, comparison: Comparison
) -> tuple[list[EditLive], tuple[Change, ...]]:
    """The edits of the running machine, and the changes that wait for its next boot."""
    if observed.live_xml is None:
        return [], ()
    doable = [change for change in comparison.live if change.effect is Effect.LIVE]
    waiting = [change for change in comparison.live if change.effect is not Effect.LIVE]
    earlier = observed.mark.managed if observed.mark is not None else frozenset()
    edits: list[EditLive] = []
    can_plug = context.host.can(Feature.DEVICE_HOTPLUG)
    for change in doable:
        found = live.live_edits(comparison.lowered, parse(observed.live_xml), [change], earlier)
        if all(edit.verb in _ALWAYS_LIVE or can_plug for edit in found):
            edits.extend(EditLive(resource.ref, edit.verb, edit.value) for edit in found)
        else:
            note = "this connection can't change devices of a running machine"
            waiting.append(Change(change.pointer, change.old, change.new, Effect.NEXT_BOOT, note))
    return edits, tuple(waiting)


def _power(resource: Resource, observed: Observed, entry: Owned | None) -> list[tuple[Change, Operation]]:
    """What has to happen to the power state, each with the change that tells of it."""
    ref, spec = resource.ref, resource.spec
    wanted = strategy(resource)
    if wanted == "Halted":
        if not observed.active:
            return []
        stop = Stop(ref, float(spec.get("shutdownTimeout", DEFAULT_SHUTDOWN_TIMEOUT_S)), bool(spec.get("forceStop")))
        return [(Change("/runStrategy", observed.state, "shutoff", Effect.LIVE), stop)]
    paused = spec.get("paused")
    if observed.active:
        if paused is True and observed.state == "running":
            return [(Change("/paused", False, True, Effect.LIVE), Pause(ref))]
        if paused is False and observed.state == "paused":
            return [(Change("/paused", True, False, Effect.LIVE), Resume(ref))]
        return []
    if _should_start(resource, observed, entry, wanted):
        start = Start(ref, paused=bool(paused))
        return [(Change("/runStrategy", observed.state, "running", Effect.LIVE), start)]
    return []


def _should_start(resource: Resource, observed: Observed, entry: Owned | None, wanted: str) -> bool:
    if wanted == "Always":
        return True
    if wanted != "RerunOnFailure":
        return False
    if "runStrategy" not in resource.spec and (entry is None or not entry.created):
        return False  # adopted without a word about power: it stays as it was found
    applied = entry.facts.get(Fact.RUN_STRATEGY) if entry is not None else None
    ordered = applied is not None and applied != wanted  # e.g. Halted before: the new revision is the order to start
    return ordered or observed.reason in _FAILURES or observed.state == "crashed"


def strategy(resource: Resource) -> str:
    """The run strategy in force."""
    return str(resource.spec.get("runStrategy", DEFAULT_STRATEGY))


def _opened(resource: Resource, context: Context) -> tuple[Ref, ...]:
    """The volumes that the machine gets only now, that onggi didn't make, and whose headers QEMU would follow."""
    return tuple(
        ref
        for ref in resource.depends_on
        if ref in context.snapshot.objects
        and (place := context.host.volumes.get(ref)) is not None
        and place.format != "raw"
        and not ((entry := context.owned.get(ref)) is not None and entry.created)
        and resource.ref not in context.users.get(ref, frozenset())
    )


def _secrets(resource: Resource) -> tuple[SecretSlot, ...]:
    return tuple(
        SecretSlot(slot.path, slot.attribute, SecretSource(**slot.source)) for slot in xml.secret_slots(resource.spec)
    )


def _entry(resource: Resource, uid: str, *, created: bool) -> Owned:
    return ownership_entry(
        resource,
        uid,
        created=created,
        **{
            Fact.RUN_STRATEGY: strategy(resource),
            Fact.SHUTDOWN_TIMEOUT: str(resource.spec.get("shutdownTimeout", DEFAULT_SHUTDOWN_TIMEOUT_S)),
            Fact.FORCE_STOP: "yes" if resource.spec.get("forceStop") else "",
        },
    )
