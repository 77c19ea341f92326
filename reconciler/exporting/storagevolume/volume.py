"""A volume as a document: what its definition says, without what is a default anyway."""

from __future__ import annotations

from reconciler.exporting.draft import Draft, Surroundings
from reconciler.observed.snapshot import Observed
from specs.codecs import size_text
from specs.reference import Ref
from specs.storagevolume import KIND as VOLUMES

_PLAIN_FORMATS = frozenset({"none", "unknown"})


def volume(observed: Observed, around: Surroundings) -> Draft:
    """The draft of one volume. Its data is there, so that nothing is said about where it came from."""
    ref, config = observed.ref, VOLUMES.lowered(observed.config)
    draft = Draft(ref, "", {"pool": ref.pool})
    if (capacity := config.get("capacity")) is not None:
        draft.spec["capacity"] = size_text(int(capacity))
    if config.get("format") and config["format"] not in _PLAIN_FORMATS:
        draft.spec["format"] = config["format"]
    if (below := config.get("backingVolume")) and (path := below.get("path")):
        backing = around.volume_at.get(path)
        if backing is None:
            draft.left.append(f"its backing image {path}, which is no volume of an active pool")
        else:
            draft.spec["backingVolume"] = _short(backing, ref.pool)
    return draft


def _short(volume_ref: Ref, pool_name: str) -> str:
    return volume_ref.short_name if volume_ref.pool == pool_name else volume_ref.name
