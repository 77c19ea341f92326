"""What every decision of one pass may look at: the host as it will be, who owns what, who uses what.

What takes a decision of its own to find out is declared here and found out in `gathered`, so that those who decide know
only this.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.last_seen import LastSeen
from reconciler.planning.network.disconnected import disconnected
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.projected_host import foreseen
from reconciler.planning.storagevolume.lost import Loss
from reconciler.planning.virtualmachine.renames import Renames, find_renames
from specs.host import Host, VolumeSource
from specs.reference import Ref
from specs.registry import kinds


@dataclass(frozen=True, eq=False)
class Context(ABC):
    """One pass's inputs. `suspended` are objects that a user told onggi to leave alone."""

    desired: DesiredState
    snapshot: Snapshot
    owned: Mapping[Ref, Owned]
    suspended: frozenset[Ref] = frozenset()
    options: PlanOptions = field(default_factory=PlanOptions)
    last_seen: Callable[[Ref], LastSeen | None] = lambda _ref: None  # how an object of ours was, also when it is gone
    foresee: Callable[[DesiredState, Snapshot, Mapping[Ref, Owned]], Host] = foreseen

    @cached_property
    def host(self) -> Host:
        """The observed host plus the pools and volumes that are declared: paths are known before they exist."""
        return self.foresee(self.desired, self.snapshot, self.owned)

    @cached_property
    def by_uid(self) -> Mapping[str, Ref]:
        """Which object on the host has a UUID."""
        return {observed.uid: ref for ref, observed in self.snapshot.objects.items() if observed.uid}

    @cached_property
    def scope_text(self) -> str:
        """Where the documents are, as each entry of the ledger says it."""
        return self.desired.scope.to_text()

    @cached_property
    def only_observed(self) -> frozenset[Ref]:
        """What was taken over and isn't to be changed yet."""
        return frozenset(ref for ref, entry in self.owned.items() if Fact.OBSERVE in entry.facts)

    def present_name(self, entry: Owned) -> Ref:
        """What the object of an entry is called now; the entry's own name when it isn't there at all."""
        ref = entry.ref
        observed = self.snapshot.objects.get(ref)
        if not entry.uid or (observed is not None and observed.uid == entry.uid):
            return ref
        found = self.by_uid.get(entry.uid)
        return found if found is not None and found.kind == ref.kind else ref

    @cached_property
    def renames(self) -> Renames:
        """What is declared under another name than it has on the host."""
        return find_renames(self.desired, self.snapshot, self.by_uid, self.owned)

    @property
    @abstractmethod
    def losses(self) -> Mapping[Ref, Loss]:
        """The declared volumes that were on the host, held data, and are gone."""

    @property
    @abstractmethod
    def away(self) -> Mapping[Ref, str]:
        """The machines that were migrated to another host, with the digest by which somebody has them here again."""

    @property
    @abstractmethod
    def users(self) -> Mapping[Ref, frozenset[Ref]]:
        """For each network, volume and pool on the host: the VMs that use it, and the volumes that are backed by it."""

    @cached_property
    def volume_at(self) -> Mapping[str, Ref]:
        """Which volume is at a path."""
        return {source.path: ref for ref, source in self.host.volumes.items()}

    @cached_property
    def present_at(self) -> Mapping[str, Ref]:
        """Which volume on the host is at a path, whatever is declared."""
        return {source.path: ref for ref, source in self.snapshot.host.volumes.items()}

    @cached_property
    def disconnected(self) -> Mapping[Ref, tuple[Ref, ...]]:
        """For each network: the running VMs that lost it, without those that a user told onggi to leave alone."""
        found = {
            ref: tuple(vm for vm in vms if vm not in self.suspended) for ref, vms in disconnected(self.snapshot).items()
        }
        return {ref: machines for ref, machines in found.items() if machines}

    def running_users(self, ref: Ref) -> list[Ref]:
        """The VMs that run and use `ref`, in order of their names."""
        objects = self.snapshot.objects
        return sorted(user for user in self.users.get(ref, ()) if kinds()[user.kind].has_guest and objects[user].active)

    def resource_sources(self, resource: Resource) -> tuple[VolumeSource | None, ...]:
        """Where the volumes of a resource are: with resource and object, all that its XML depends on."""
        volumes = [ref for ref in resource.depends_on if ref.pool]
        return tuple(map(self.host.volume_source, volumes)) if volumes else ()


def has_object(ref: Ref) -> bool:
    """True for kinds that have an object on the host (a Template has none)."""
    return kinds()[ref.kind].has_xml
