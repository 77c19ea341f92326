"""Decides about storage pools, beside what is so of all that is defined and then active or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.activation import Activation
from reconciler.planning.operations import DefineSecret, Operation, SecretSource
from reconciler.planning.storagepool.volume_group import as_running, growth
from specs.effect import Change
from specs.storagepool import KIND as POOLS
from specs.storagepool.secret import auth_secret_xml
from specs.storagepool.types import FOLDERS, MOUNTED


class Pools(Activation):
    """A folder is made when it is missing. Making any other type would format or label a device: only when declared."""

    def prerequisites(self, resource: Resource) -> list[Operation]:
        """The secret of an iSCSI target."""
        auth = POOLS.declared(resource.spec).get("source", {}).get("auth")
        if not auth or "passwordFrom" not in auth:
            return []
        ref = resource.ref
        return [DefineSecret(ref, auth_secret_xml(ref.name, auth), SecretSource(**auth["passwordFrom"]))]

    def builds(self, resource: Resource) -> bool:
        """As its document says, or as its type allows."""
        pool = POOLS.declared(resource.spec)
        return pool.get("build", pool.get("type") in FOLDERS | MOUNTED)

    def running(self, observed: Observed, live: Iterable[Change]) -> tuple[Change, ...]:
        """Not the devices of a volume group: it goes on telling those that it was started with."""
        return as_running(observed.config, live)

    def growth(self, resource: Resource, observed: Observed, changes: Iterable[Change]) -> Sequence[Operation]:
        """A volume group grows by devices that are new to it."""
        made_later = self.builds(resource) and not observed.active
        return growth(resource, observed.config, changes, made_later=made_later)
