"""A bridge network over a device that the host hasn't: it isn't started, and told.

libvirt starts such a network without a word; it is the machines on it that then fail. All else of it goes on, and it is
started as soon as the device is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.ownership import Fact
from reconciler.planning.plan import Blocked
from specs.network import KIND as NETWORKS
from specs.network.model import has_own_bridge

_SUFFIX: Final = " without its way out"  # of the digest of what is taken so: with it, it is another document


def over_what_is_there(
    resource: Resource, observed: Observed | None, context: Context, assess: Callable[[Resource], Assessment]
) -> Assessment:
    """What `assess` says of a network, or of it as one that isn't to be started yet."""
    way = _missing(resource, context)
    if not way:
        return assess(resource)
    message = (
        f"The host has no network interface {way}, which {resource.ref} goes through. Make it, or name another; until "
        "then it isn't started."
    )
    if "vlan" in NETWORKS.declared(resource.spec) and observed is None:  # nothing can be made over it
        found = assess(resource)  # a host that makes no VLANs needs no interface for them
        return found if found.blocked is not None else Assessment(blocked=_told(resource, message))
    if observed is not None and observed.active:
        message = f"The host has no network interface {way} any more; no machine can start on {resource.ref}."
        found = assess(resource)
    else:
        entry = context.owned.get(resource.ref)
        applied = entry is not None and entry.facts.get(Fact.DIGEST) == resource.digest
        digest = resource.digest if applied else resource.digest + _SUFFIX
        found = assess(replace(resource, spec={**resource.spec, "active": False}, digest=digest))
    return found if found.blocked is not None else replace(found, blocked=_told(resource, message))


def _told(resource: Resource, message: str) -> Blocked:
    return Blocked(resource.ref, "DependencyNotReady", message, resource.path, resource.line)


def _missing(resource: Resource, context: Context) -> str:
    """The device that it goes through and the host hasn't; empty when there is none, or nobody knows."""
    spec, known = NETWORKS.declared(resource.spec), context.host.interfaces
    if has_own_bridge(spec) or known is None or not spec.get("active", True):
        return ""
    # A VLAN's bridge is made again when it is missing: what has to be there is the interface below it.
    forward = spec.get("forward", {})
    ways = (spec.get("interface") or spec.get("bridge"), forward.get("pf"), *forward.get("interfaces", ()))
    return next((way for way in ways if way and way not in known), "")
