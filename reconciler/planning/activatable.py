"""Decides about what is defined and then active or not: storage pools and networks.

Both are changed in place; what needs a restart is restarted only while no running VM would notice, and waits otherwise:
see `interruption.py`. VMs that lost their network are plugged into it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment, ownership_entry
from reconciler.planning.claim import Claim, Refusal, blocked, claim
from reconciler.planning.context import Context
from reconciler.planning.diff import compare, told_along
from reconciler.planning.interruption import held_back, names, stops
from reconciler.planning.network.way_out import over_what_is_there
from reconciler.planning.operations import (
    Define,
    DefineInterface,
    DefineSecret,
    Operation,
    ReconnectInterfaces,
    SecretSource,
    SetAutostart,
    Start,
    Stop,
    UpdateNetwork,
)
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.reaching import within_reach
from reconciler.planning.remade import (
    PERSISTENT,
    WHY_MADE_AGAIN,
    WHY_PERSISTENT,
    as_persistent,
    vanished,
    was_autostarted,
)
from reconciler.planning.storagepool.volume_group import as_running, growth
from reconciler.planning.why import is_drift, not_applied, why_changed
from specs.binding import parse, patched, serialise, write
from specs.effect import Change, Effect, strongest
from specs.network import KIND as NETWORKS
from specs.network.vlan import vlan_bridge_xml
from specs.problem import Unrenderable
from specs.reference import NETWORK, STORAGE_POOL
from specs.registry import kinds
from specs.storagepool.secret import auth_secret_xml
from specs.storagepool.types import FOLDERS, MOUNTED

# Their folder is made when it is missing. Building any other type would format or label a device: only when declared.


def assess(resource: Resource, observed: Observed | None, context: Context, subnet: Callable[[], str]) -> Assessment:
    """What to do about one pool or network. `subnet()` gives a free one, for a new network that declares none."""

    def over(wanted: Resource) -> Assessment:
        return over_what_is_there(wanted, observed, context, lambda known: _assess(known, observed, context, subnet))

    return within_reach(resource, observed, context, over)


def _assess(resource: Resource, observed: Observed | None, context: Context, subnet: Callable[[], str]) -> Assessment:
    try:
        if observed is None:
            return Assessment(step=_create(resource, context, subnet))
        answer = claim(resource, observed, context)
        if isinstance(answer, Refusal):
            return Assessment(blocked=blocked(resource, answer))
        if not observed.persistent:
            observed = as_persistent(observed, context)
        return _update(resource, observed, context, answer, subnet)
    except Unrenderable as error:
        return Assessment(blocked=Blocked(resource.ref, "DependencyNotReady", str(error), resource.path, resource.line))


def _create(resource: Resource, context: Context, subnet: Callable[[], str]) -> Step:
    ref, spec, xml = resource.ref, dict(resource.spec), kinds()[resource.ref.kind].xml
    facts: dict[str, str] = {}
    gone, entry = _as_it_was(resource, context), context.owned.get(ref)
    if _lacks_subnet(resource):
        known = gone.config.get("subnet") if gone is not None else None
        facts[Fact.SUBNET] = spec["subnet"] = str(known or _chosen_subnet(entry, subnet))
    if gone is not None:
        uid, autostart = gone.uid, spec.get("autostart", gone.autostart or None)
        root = patched(xml.BINDS, parse(gone.xml), compare(resource, gone, context.host, spec).lowered)
    else:
        uid, autostart = resource.uid, spec.get("autostart")
        lowered = xml.lower(spec, name=ref.name, uid=uid, host=context.host)
        root = write(xml.BINDS, xml.skeleton(lowered, name=ref.name, uid=uid, host=context.host), lowered)
    operations: list[Operation] = [*_prerequisites(resource), Define(ref, uid, serialise(root))]
    if spec.get("active", True):
        operations += _start(resource, context)
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
        owned=ownership_entry(resource, uid, created=gone is None or entry is None or entry.created, **facts),
    )


def _as_it_was(resource: Resource, context: Context) -> Observed | None:
    """What vanished from the host, unless its document asks for what that can't be changed into."""
    gone = vanished(resource, context)
    if gone is None:
        return None
    found = compare(resource, gone, context.host).config
    return None if any(change.effect in (Effect.FORBIDDEN, Effect.RECREATE) for change in found) else gone


def _update(
    resource: Resource, observed: Observed, context: Context, answer: Claim, subnet: Callable[[], str]
) -> Assessment:
    ref, spec, xml = resource.ref, resource.spec, kinds()[resource.ref.kind].xml
    entry = context.owned.get(ref)
    # It was a bridge until now, or lost what was chosen for it; one that was adopted without addresses may have none.
    chosen = observed.config.get("mode") == "bridge" or (entry is not None and entry.created)
    if _lacks_subnet(resource) and "mode" in spec and "subnet" not in observed.config and chosen:
        spec = {**spec, "subnet": _chosen_subnet(entry, subnet)}
    if ref.kind == NETWORK and "gateway" not in spec and "subnet" in spec:
        from specs.network.addresses import gateway_after  # lxml is loaded only by who really reads XML

        if (moved := gateway_after(NETWORKS.lowered(observed.config), spec["subnet"])) is not None:
            spec = {**spec, "gateway": moved}
    comparison = told_along(compare(resource, observed, context.host, spec), observed)
    record = _record(resource, observed, entry, answer)
    left = not_applied(record, entry)
    refused = next((c for c in comparison.config if c.effect in (Effect.FORBIDDEN, Effect.RECREATE)), None)
    if refused is not None:
        message = f"{ref}: {refused.pointer.strip('/')} can't go from {refused.old} to {refused.new}; declare a new one"
        return Assessment(blocked=Blocked(ref, "ChangeRefused", message, resource.path, resource.line), record=left)
    undefined = not observed.persistent and answer is not Claim.ADOPT
    changes = [PERSISTENT, *comparison.config] if undefined else list(comparison.config)
    known = {change.pointer for change in changes}
    running = as_running(observed.config, comparison.live)
    changes += [c for c in running if c.effect is Effect.LIVE and c.pointer not in known]
    # One that was taken over is neither started nor stopped by a document that doesn't speak of it.
    wanted_active = spec.get("active", True if record.created else None)
    if wanted_active is not None and wanted_active != observed.active:
        changes.append(Change("/active", observed.active, wanted_active, Effect.LIVE))
    autostart = spec.get("autostart")
    if autostart is not None and autostart != observed.autostart:
        changes.append(Change("/autostart", observed.autostart, autostart, Effect.LIVE))
    lost = context.cut_off.get(ref, ())
    changes += [Change(f"/guests/{guest.name}", "cut off", "connected", Effect.LIVE) for guest in lost]
    drift_only = entry is None or entry.facts.get(Fact.DIGEST) == resource.digest
    if resource.policy.drift != "enforce" and drift_only and changes:
        drifted = tuple(changes) if resource.policy.drift == "warn" else ()
        return Assessment(drifted=drifted, extras=comparison.extras, record=record)

    definition: list[Operation] = []
    if comparison.config or undefined:
        root = patched(xml.BINDS, parse(observed.xml), comparison.lowered)
        made_later = _builds(resource) and not observed.active
        growing = growth(resource, observed.config, comparison.config, made_later=made_later)
        definition = [*_prerequisites(resource), *growing, Define(ref, observed.uid, serialise(root))]
    pending: tuple[Change, ...] = ()  # what only comes true when it is stopped
    if observed.active and wanted_active is False:
        pending = tuple(change for change in changes if change.pointer == "/active")
    elif observed.active:
        pending = tuple(change for change in running if change.effect is not Effect.LIVE)
    held = held_back(resource, observed, pending, context) if pending else None
    if held is not None and stops(pending):
        if ref.kind == STORAGE_POOL:
            return Assessment(blocked=held, record=left)
        changes = [change for change in changes if change not in pending]

    operations = list(definition)
    restarted = bool(pending) and held is None and not stops(pending)
    if restarted:
        # First, so that a definition that is refused stops nothing; again, for the test driver forgets it at the stop.
        operations += [Stop(ref), *definition, *_start(resource, context)]
        changes += [change for change in pending if change.pointer not in known]
    elif pending and held is None:
        operations.append(Stop(ref))
    elif observed.active:
        operations += _sections(resource, observed, comparison.lowered)
        if lost:
            operations.append(ReconnectInterfaces(ref, lost))
    elif wanted_active:
        operations += _start(resource, context)
    if any(change.pointer == "/autostart" for change in changes):
        operations.append(SetAutostart(ref, bool(autostart)))
    elif undefined and autostart is None and was_autostarted(ref, context):
        operations.append(SetAutostart(ref, True))
    told = _told(pending, held, context)
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


def _start(resource: Resource, context: Context) -> list[Operation]:
    """Start it, and give those machines their connection back that it was stopped below."""
    guests = tuple(context.running_users(resource.ref)) if resource.ref.kind == NETWORK else ()
    started = Start(resource.ref, build=_builds(resource))
    return [started, ReconnectInterfaces(resource.ref, guests)] if guests else [started]


def _told(pending: tuple[Change, ...], held: Blocked | None, context: Context) -> Assessment:
    """What is told of changes that wait; nothing when they don't."""
    if held is None:
        return Assessment()
    guests = names(context.running_users(held.ref))
    note = f"would cut off {guests}" + ("" if held.digest else "; restarted as soon as none of them runs")
    return Assessment(
        waiting=tuple(replace(change, note=note, effect=Effect.NEXT_BOOT) for change in pending),
        waits_for=f"the time when none of its guests runs: {guests}",
        staged=held if held.digest else None,
    )


def _lacks_subnet(resource: Resource) -> bool:
    return resource.ref.kind == NETWORK and "subnet" not in resource.spec and resource.spec.get("mode") != "bridge"


def _chosen_subnet(entry: Owned | None, subnet: Callable[[], str]) -> str:
    """The one that the network had before, as far as anybody remembers, else a free one."""
    return (entry.facts.get(Fact.SUBNET) if entry is not None else None) or subnet()


def _record(resource: Resource, observed: Observed, entry: Owned | None, answer: Claim) -> Owned:
    facts: dict[str, str] = {}
    if resource.ref.kind == NETWORK and "subnet" not in resource.spec and (found := observed.config.get("subnet")):
        facts[Fact.SUBNET] = str(found)
    created = entry.created if entry is not None else answer is not Claim.ADOPT
    return ownership_entry(resource, observed.uid, created=created, **facts)


def _sections(resource: Resource, observed: Observed, lowered: Mapping[str, Any]) -> list[Operation]:
    """The edits of a running network that need no restart."""
    if resource.ref.kind != NETWORK or observed.live_xml is None:
        return []
    from specs.network.live import live_sections  # only networks have sections

    return [
        UpdateNetwork(resource.ref, edit.command, edit.section, edit.xml)
        for edit in live_sections(NETWORKS.lowered(lowered), parse(observed.live_xml))
    ]


def _prerequisites(resource: Resource) -> list[Operation]:
    """What has to be there before the definition: the secret of an iSCSI target, the bridge over a VLAN."""
    ref, spec = resource.ref, resource.spec
    auth = (spec.get("source") or {}).get("auth") if ref.kind == STORAGE_POOL else None
    if auth and "passwordFrom" in auth:
        return [DefineSecret(ref, auth_secret_xml(ref.name, auth), SecretSource(**auth["passwordFrom"]))]
    if ref.kind == NETWORK and "vlan" in spec:
        return [DefineInterface(ref, *vlan_bridge_xml(spec["interface"], spec["vlan"]))]
    return []


def _builds(resource: Resource) -> bool:
    default = resource.spec.get("type") in FOLDERS | MOUNTED
    return resource.ref.kind == STORAGE_POOL and bool(resource.spec.get("build", default))
