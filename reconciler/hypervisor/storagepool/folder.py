"""The folder of a pool of files, by its definition."""

from __future__ import annotations

from functools import lru_cache

from reconciler.bulkhead import contained
from reconciler.hypervisor.places import Places
from reconciler.observed.snapshot import Observed
from specs.binding import parse
from specs.storagepool.types import OF_FILES


def folder_of(seen: Observed) -> str:
    """The folder of a pool; empty for one that has none, or whose definition can't be read."""
    found = contained("finding its folder", seen.ref, seen.xml, _folder, seen.xml)
    return found if isinstance(found, str) else ""


def tell(seen: Observed, places: Places) -> None:
    """Add where a pool's files are."""
    if path := folder_of(seen):
        places.pool_paths[seen.ref.name] = path


@lru_cache(maxsize=1024)
def _folder(xml: str) -> str:
    root = parse(xml)
    return (root.findtext("target/path") or "") if root.get("type") in OF_FILES else ""
