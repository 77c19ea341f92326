"""Decides about what is defined and then active or not: storage pools and networks.

Both are changed in place; what needs a restart is restarted only while no running VM would notice, and waits otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment, ownership_entry
from reconciler.planning.claim import Claim, Refusal, blocked, claim
from reconciler.planning.context import Context
from reconciler.planning.diff import compare
from reconciler.planning.operations import (
    Define,
    DefineInterface,
    DefineSecret,
    Operation,
    SecretSource,
    SetAutostart,
    Start,
    Stop,
    UpdateNetwork,
)
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.why import is_drift, why_changed
from specs.binding import parse, patched, serialise, write
from specs.effect import Change, Effect, strongest
from specs.network.vlan import vlan_bridge_xml
from specs.problem import Unrenderable
from specs.reference import NETWORK, STORAGE_POOL
from specs.registry import kinds
from specs.storagepool.secret import auth_secret_xml

# Their folder is made when it is missing. Building any other type would format or label a device: only when declared.
_BUILT_BY_DEFAULT = frozenset({"dir", "netfs", "fs", "kimchi-iso"})


def assess(resource: Resource, observed: Observed | None, context: Context, subnet: Callable[[], str]) -> Assessment:
    """What to do about one pool or network. `subnet()` gives a free one, for a new network that declares none."""
    try:
        if observed is None:
            return Assessment(step=_create(resource, context, subnet))
        answer = claim(resource, observed, context)
        if isinstance(answer, Refusal):
            return Assessment(blocked=blocked(resource, answer))
        return _update(resource, observed, context, answer, subnet)
    except Unrenderable as error:
        return Assessment(blocked=Blocked(resource.ref, "DependencyNotReady", str(error), resource.path, resource.line))


def _create(resource: Resource, context: Context, subnet: Callable[[], str]) -> Step:
    ref, spec, xml = resource.ref, dict(resource.spec), kinds()[resource.ref.kind].xml
    facts: dict[str, str] = {}
    if _lacks_subnet(resource):
        facts[Fact.SUBNET] = spec["subnet"] = _chosen_subnet(context.owned.get(ref), subnet)
    lowered = xml.lower(spec, name=ref.name, uid=resource.uid, host=context.host)
    root = write(xml.BINDS, xml.skeleton(lowered, name=ref.name, uid=resource.uid, host=context.host), lowered)
    operations: list[Operation] = [*_prerequisites(resource), Define(ref, resource.uid, serialise(root))]
    if spec.get("active", True):
        operations.append(Start(ref, build=_builds(resource)))
    if spec.get("autostart") is not None:
        operations.append(SetAutostart(ref, bool(spec["autostart"])))
    return Step(
        ref=ref,
        action=Action.CREATE,
        why="declared, and not on the host",
        effect=Effect.LIVE,
        operations=tuple(operations),
        changes=tuple(Change(f"/{key}", None, value, Effect.LIVE) for key, value in spec.items()),
        path=resource.path,
        line=resource.line,
        owned=ownership_entry(resource, resource.uid, created=True, **facts),
    )


def _update(
    resource: Resource, observed: Observed, context: Context, answer: Claim, subnet: Callable[[], str]
) -> Assessment:
    ref, spec, xml = resource.ref, resource.spec, kinds()[resource.ref.kind].xml
    entry = context.owned.get(ref)
    if _lacks_subnet(resource) and "mode" in spec and "subnet" not in observed.config:  # it was a bridge until now
        spec = {**spec, "subnet": _chosen_subnet(entry, subnet)}
    comparison = compare(resource, observed, context.host, spec)
    record = _record(resource, observed, entry, answer)
    refused = next((c for c in comparison.config if c.effect in (Effect.FORBIDDEN, Effect.RECREATE)), None)
    if refused is not None:
        message = f"{ref}: {refused.pointer.strip('/')} can't go from {refused.old} to {refused.new}; declare a new one"
        return Assessment(blocked=Blocked(ref, "ChangeRefused", message, resource.path, resource.line), record=record)
    changes = list(comparison.config)
    known = {change.pointer for change in changes}
    changes += [c for c in comparison.live if c.effect is Effect.LIVE and c.pointer not in known]
    wanted_active = spec.get("active", True if entry is None or entry.created else None)
    if wanted_active is not None and wanted_active != observed.active:
        changes.append(Change("/active", observed.active, wanted_active, Effect.LIVE))
    autostart = spec.get("autostart")
    if autostart is not None and autostart != observed.autostart:
        changes.append(Change("/autostart", observed.autostart, autostart, Effect.LIVE))
    drift_only = entry is None or entry.facts.get(Fact.DIGEST) == resource.digest
    if resource.policy.drift != "enforce" and drift_only and changes:
        drifted = tuple(changes) if resource.policy.drift == "warn" else ()
        return Assessment(drifted=drifted, extras=comparison.extras, record=record)

    guests = context.running_users(ref)
    restarted = False
    definition: list[Operation] = []
    if comparison.config:
        root = patched(xml.BINDS, parse(observed.xml), comparison.lowered)
        definition = [*_prerequisites(resource), Define(ref, observed.uid, serialise(root))]
    operations = list(definition)
    waiting = tuple(change for change in comparison.live if change.effect is not Effect.LIVE)
    sections = _sections(resource, observed, comparison.lowered)
    if observed.active and wanted_active is False:
        if guests:
            message = (
                f"{ref} can't be stopped: {', '.join(map(str, guests))} would lose it; stop them or detach it first"
            )
            return Assessment(blocked=Blocked(ref, "InUse", message, resource.path, resource.line), record=record)
        operations.append(Stop(ref))
        waiting = ()
    elif observed.active and waiting and not guests:
        restarted = True
        operations = [Stop(ref), *definition, Start(ref, build=_builds(resource))]
        changes += [change for change in waiting if change.pointer not in known]
        waiting = ()
    elif observed.active:
        operations += sections
    elif wanted_active:
        operations.append(Start(ref, build=_builds(resource)))
    if any(change.pointer == "/autostart" for change in changes):
        operations.append(SetAutostart(ref, bool(autostart)))
    if guests and waiting:
        note = f"would cut off {', '.join(map(str, guests))}; restarted as soon as none of them runs"
        waiting = tuple(Change(c.pointer, c.old, c.new, c.effect, note) for c in waiting)
    if not operations:
        return Assessment(waiting=waiting, extras=comparison.extras, record=record)
    step = Step(
        ref=ref,
        action=Action.REPLACE if restarted else Action.UPDATE,
        why=why_changed(resource, entry, adopted=answer is Claim.ADOPT) + ("; it is restarted" if restarted else ""),
        effect=strongest([change.effect for change in changes]),
        operations=tuple(operations),
        changes=tuple(changes),
        path=resource.path,
        line=resource.line,
        owned=record,
        drift=is_drift(resource, entry),
    )
    return Assessment(step=step, waiting=waiting, extras=comparison.extras)


def _lacks_subnet(resource: Resource) -> bool:
    return resource.ref.kind == NETWORK and "subnet" not in resource.spec and resource.spec.get("mode") != "bridge"


def _chosen_subnet(entry: Owned | None, subnet: Callable[[], str]) -> str:
    """The one that the network had before, as far as anybody remembers, else a free one."""
    return (entry.facts.get(Fact.SUBNET) if entry is not None else None) or subnet()


def _record(resource: Resource, observed: Observed, entry: Owned | None, answer: Claim) -> Owned:
    facts: dict[str, str] = {}
    if resource.ref.kind == NETWORK and "subnet" not in resource.spec and (found := observed.config.get("subnet")):
        facts[Fact.SUBNET] = str(found)
    created = entry.created if entry is not None else answer is Claim.OURS
    return ownership_entry(resource, observed.uid, created=created, **facts)


def _sections(resource: Resource, observed: Observed, lowered: Mapping[str, Any]) -> list[Operation]:
    """The edits of a running network that need no restart."""
    if resource.ref.kind != NETWORK or observed.live_xml is None:
        return []
    from specs.network.live import live_sections  # only networks have sections

    return [
        UpdateNetwork(resource.ref, edit.command, edit.section, edit.xml)
        for edit in live_sections(lowered, parse(observed.live_xml))
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
    default = resource.spec.get("type") in _BUILT_BY_DEFAULT
    return resource.ref.kind == STORAGE_POOL and bool(resource.spec.get("build", default))
