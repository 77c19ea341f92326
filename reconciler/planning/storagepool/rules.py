"""What is so of storage pools, and what planning asks of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.context import Context
from reconciler.planning.reaching import secret
from reconciler.planning.rules import Assessor, Refused, Rules
from reconciler.planning.storagepool.assessing import Pools
from reconciler.planning.storagepool.folders import kept_folders, refused_folder
from specs.plain import Spec
from specs.reach import Reach, pool_owner
from specs.reference import STORAGE_POOL, Ref
from specs.secret.reference import needed_secret
from specs.storagepool import KIND as POOLS


class PoolRules(Rules):
    """Of storage pools."""

    kind = STORAGE_POOL
    root = "pool"
    by_name = True
    keeps_volumes = True
    uses_readably = True

    def uses(self, observed: Observed, context: Context) -> Iterator[Ref]:
        """The secret that it logs in with."""
        return self.defined_uses(observed.config, context)

    def defined_uses(self, spec: Spec, context: Context) -> Iterator[Ref]:
        """The same of what it will be."""
        by, _, value = POOLS.lowered(spec).get("source", {}).get("auth", {}).get("secret", "").partition(" ")
        yield from needed_secret({by: value})

    def assessor(self, context: Context) -> Assessor:
        """With what a pool needs before it is there."""
        return Pools(context)

    def refused(self, resource: Resource, observed: Observed | None, reach: Reach) -> Iterator[Refused]:
        """A folder, and a secret. A login without its password is none: on the host it stays as it is as a whole."""
        yield from refused_folder(resource, observed, reach)
        owners = frozenset({pool_owner(resource.ref.name)})
        yield from secret(resource.spec, ("source", "auth"), owners, reach, whole=True)

    def notes(self, context: Context) -> Iterable[str]:
        """On folders that were made when they could be."""
        return kept_folders(context)


RULES = PoolRules()
