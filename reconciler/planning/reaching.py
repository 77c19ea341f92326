"""Refuses what a document may not name on the host: a secret's place, a new pool's folder. See `specs/reach.py`.

What is on the host already stays, is still managed in all else, and is told: a document that names a secret that isn't
its own is taken as if it named none, and a pool that is there already is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from reconciler.bulkhead import contained
from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.ownership import Fact
from reconciler.planning.plan import Blocked
from specs import canonical
from specs.reach import Reach, console_owners, pool_owner
from specs.reference import STORAGE_POOL, VIRTUAL_MACHINE
from specs.storagepool import KIND as POOLS
from specs.storagepool.types import OF_FILES
from specs.storagepool.xml import target_path

NOT_ALLOWED: Final = "NotAllowed"
_SUFFIX: Final = " within reach"  # of the digest of what is taken so: once all of it may be had, it is another document
_HOLDERS: Final = {VIRTUAL_MACHINE: ("graphics",), STORAGE_POOL: ("source", "auth")}
# What goes with it: a login without its password is none, and on the host stays as it is as a whole.
_WITH_IT: Final = {STORAGE_POOL: ("source", "auth")}


def within_reach(
    resource: Resource, observed: Observed | None, context: Context, assess: Callable[[Resource], Assessment]
) -> Assessment:
    """What `assess` says of the resource, or of as much of it as its document may ask for, and why not of the rest."""
    refused = dict(_refused(resource, observed, context.host.reach))
    if not refused:
        return assess(resource)
    blocked = Blocked(resource.ref, NOT_ALLOWED, "; ".join(refused.values()), resource.path, resource.line)
    if observed is None:
        return Assessment(blocked=blocked)
    found = assess(_without(resource, refused, context))
    return found if found.blocked is not None else replace(found, blocked=blocked)


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
    return canonical.path(str(observed.config.get("path") or "")) if _is_of_files(resource) else ""


def _is_of_files(resource: Resource) -> bool:
    return resource.ref.kind == STORAGE_POOL and resource.spec.get("type") in OF_FILES


def _refused(
    resource: Resource, observed: Observed | None, reach: Reach | None
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Which fields of the document can't be had, and why."""
    if reach is None:
        return
    folder = pool_folder(resource) if observed is None or "path" in resource.spec else ""  # one that is there has one
    if folder and not reach.has_pool_folder(folder) and (observed is None or observed.config.get("path") != folder):
        yield ("path",), reach.no_pool_folder(folder)
    where = _HOLDERS.get(resource.ref.kind)
    source = _at(resource.spec, where).get("passwordFrom") if where is not None else None
    if where is not None and source is not None and not reach.has_secret(source, _owners(resource, observed)):
        field = (*where, "passwordFrom")
        yield _WITH_IT.get(resource.ref.kind, field), f"{'.'.join(field)}: {reach.no_secret(source)}"


def _owners(resource: Resource, observed: Observed | None) -> frozenset[str]:
    if resource.ref.kind == STORAGE_POOL:
        return frozenset({pool_owner(resource.ref.name)})
    return console_owners(resource.uid, observed.uid if observed is not None else "")


def _at(spec: Mapping[str, Any], where: tuple[str, ...]) -> Mapping[str, Any]:
    for key in where:
        spec = spec.get(key) or {}
    return spec


def _without(resource: Resource, fields: Iterable[tuple[str, ...]], context: Context) -> Resource:
    """The document as if it didn't speak of these fields. What was applied before they were refused stays applied."""
    spec = resource.spec
    for field in fields:
        spec = _cut(spec, field)
    entry = context.owned.get(resource.ref)
    applied = entry is not None and entry.facts.get(Fact.DIGEST) == resource.digest
    return replace(resource, spec=spec, digest=resource.digest if applied else resource.digest + _SUFFIX)


def _cut(spec: Mapping[str, Any], field: tuple[str, ...]) -> Mapping[str, Any]:
    key, *left = field
    rest = {each: value for each, value in spec.items() if each != key}
    return {**rest, key: _cut(spec[key], tuple(left))} if left else rest
