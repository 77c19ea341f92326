"""The shape of a StorageVolume's spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from specs.reference import STORAGE_POOL, Ref
from specs.size import check_size

if TYPE_CHECKING:
    from specs.storagevolume.spec import Source, StorageVolumeSpec

_ENDINGS = {".qcow2": "qcow2", ".iso": "raw", ".raw": "raw"}


def told_format(name: str, source: Source | None) -> str | None:
    """The image format that a source's URL or its volume's name tells by its ending, if one of them does; nothing
    without a source.
    """
    path = source["url"].partition("#")[0].partition("?")[0] if source and "url" in source else ""
    for text in (path.lower(), name.lower()) if source else ():
        for ending, image_format in _ENDINGS.items():
            if text.endswith(ending):
                return image_format
    return None


def references(_name: str, spec: StorageVolumeSpec) -> Iterable[Ref]:
    """Its pool, and its backing volume with that one's pool."""
    pool = spec.get("pool", "")
    needed = [Ref(STORAGE_POOL, pool)]
    if "backingVolume" in spec:
        backing = Ref.volume_named(spec["backingVolume"], pool)
        needed += [Ref(STORAGE_POOL, backing.pool), backing]
    return dict.fromkeys(needed)


def check(name: str, spec: StorageVolumeSpec) -> Iterator[tuple[str, str]]:
    """The rules that hold between fields. Relies on the shape that the schema asks for."""
    yield from check_size("/capacity", spec.get("capacity"))
    if "backingVolume" not in spec:
        return
    if spec.get("format") == "raw":
        yield "/format", "A raw volume can't have a backing volume; write `format: qcow2`, or remove `backingVolume`."
    pool = spec.get("pool", "")
    if Ref.volume_named(spec["backingVolume"], pool) == Ref.volume(pool, name):
        yield "/backingVolume", "A volume can't be its own backing volume; name another one."
