"""What one definition of a machine names: the volumes of its drives, their pools, and its networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from specs.networkfilter.built_in import filter_refs
from specs.reference import NETWORK, STORAGE_POOL, Ref
from specs.secret.reference import needed_secret, secrets_in
from specs.virtualmachine.interfaces.filters import filters_of

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine


def machine_uses(machine: LoweredVirtualMachine, volume_at: Mapping[str, Ref]) -> Iterator[Ref]:
    """The volumes, pools, networks, filters and secrets that one definition of a machine names."""
    for volume in drive_volumes(machine, volume_at):
        yield volume
        yield Ref(STORAGE_POOL, volume.pool)
    for interface in machine.get("interfaces", ()):
        if network := interface.get("network"):
            yield Ref(NETWORK, network)
    yield from filter_refs(*filters_of(machine))
    for secret in secrets_in(machine.get("disks", ())):
        yield from needed_secret(secret)


def drive_volumes(machine: LoweredVirtualMachine, volume_at: Mapping[str, Ref]) -> Iterator[Ref]:
    """The volumes of the drives of one definition, those that are known."""
    for drive in (*machine.get("disks", ()), *machine.get("cdroms", ()), *machine.get("floppies", ())):
        source = drive.get("source") or {}
        if "volume" in source:
            yield Ref.volume(source.get("pool", ""), source["volume"])
        elif (volume := volume_at.get(source.get("file") or source.get("dev") or "")) is not None:
            yield volume
