"""What a change of a logical pool's devices means: the volume group grows by those that are new to it, at once.

The running pool needs no restart for that, and libvirt goes on telling the devices that it was started with.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.desired.state import Resource
from reconciler.planning.operations import ExtendVolumeGroup
from specs.effect import Change
from specs.plain import Spec
from specs.storagepool import KIND as POOLS

_DEVICES = "/source/devices"


def growth(
    resource: Resource, observed: Spec, changes: Iterable[Change], *, made_later: bool
) -> list[ExtendVolumeGroup]:
    """What to do about `changes` of a definition. `observed` is the pool's; with `made_later` its start makes the
    group.
    """
    changed = next((change for change in changes if change.pointer == _DEVICES), None)
    if observed.get("type") != "logical" or changed is None:
        return []
    group = POOLS.lowered(observed).get("source", {}).get("name") or resource.ref.name
    return [ExtendVolumeGroup(resource.ref, str(group), tuple(changed.new), made_later)]


def as_running(observed: Spec, live: Iterable[Change]) -> tuple[Change, ...]:
    """The differences to the running definition that mean anything."""
    return tuple(each for each in live if observed.get("type") != "logical" or each.pointer != _DEVICES)
