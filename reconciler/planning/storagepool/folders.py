"""The folders of storage pools, and where they may lie."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.bulkhead import contained
from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.context import Context
from reconciler.planning.rules import Refused
from specs import canonical
from specs.reach import Reach
from specs.reference import STORAGE_POOL
from specs.storagepool import KIND as POOLS
from specs.storagepool.types import OF_FILES
from specs.storagepool.xml import target_path


def refused_folder(resource: Resource, observed: Observed | None, reach: Reach) -> Iterator[Refused]:
    """The folder that a document asks for, if it may not have it."""
    # One that is there has a folder.
    folder = pool_folder(resource) if observed is None or "path" in POOLS.declared(resource.spec) else ""
    present = None if observed is None else POOLS.lowered(observed.config).get("path")
    if folder and folder != present and not reach.has_pool_folder(folder):
        yield ("path",), reach.no_pool_folder(folder)


def kept_folders(context: Context) -> Iterator[str]:
    """A sentence on each declared pool that is on the host already, and wouldn't be made there today."""
    reach = context.host.reach
    for ref, resource in context.desired.resources.items() if reach is not None else ():
        observed = context.snapshot.get(ref) if ref.kind == STORAGE_POOL else None
        if observed is None or reach is None:
            continue
        folder = contained("finding its folder", ref, observed.xml, _present_folder, resource, observed)
        if isinstance(folder, str) and folder and not reach.has_pool_folder(folder):
            yield f"{ref} stays as it is, although {reach.no_pool_folder(folder)}"


def pool_folder(resource: Resource) -> str:
    """The folder of a pool of files; empty for all else."""
    return (
        canonical.path(target_path(POOLS.declared(resource.spec), resource.ref.name) or "")
        if _is_of_files(resource)
        else ""
    )


def _present_folder(resource: Resource, observed: Observed) -> str:
    """Where a pool of files is; empty for all else."""
    return canonical.path(str(POOLS.lowered(observed.config).get("path") or "")) if _is_of_files(resource) else ""


def _is_of_files(resource: Resource) -> bool:
    return resource.ref.kind == STORAGE_POOL and POOLS.declared(resource.spec).get("type") in OF_FILES
