"""The shape of a StorageVolume's spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from specs.codecs import bytes_of
from specs.reference import STORAGE_POOL, Ref
from specs.secret.reference import needed_secret
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
    needed += needed_secret(spec.get("encryption", {}).get("secret"))
    return dict.fromkeys(needed)


def check(name: str, spec: StorageVolumeSpec) -> Iterator[tuple[str, str]]:
    """The rules that hold between fields. Relies on the shape that the schema asks for."""
    yield from check_size("/capacity", spec.get("capacity"))
    yield from _check_birth(spec)
    if "backingVolume" not in spec:
        return
    if spec.get("format") == "raw":
        yield "/format", "A raw volume can't have a backing volume; write `format: qcow2`, or remove `backingVolume`."
    pool = spec.get("pool", "")
    if Ref.volume_named(spec["backingVolume"], pool) == Ref.volume(pool, name):
        yield "/backingVolume", "A volume can't be its own backing volume; name another one."


def _check_birth(spec: StorageVolumeSpec) -> Iterator[tuple[str, str]]:
    """What holds between the fields about how it is made."""
    form, qcow2 = spec.get("format", "qcow2"), spec.get("qcow2", {})
    if qcow2 and form != "qcow2":
        yield "/qcow2", f"A volume of format {form} is no qcow2 image; remove `qcow2`."
    for field in ("lazyRefcounts", "extendedL2"):
        if qcow2.get(field) and qcow2.get("compat") != "1.1":
            yield f"/qcow2/{field}", f'`{field}` needs `compat: "1.1"`; add it.'
    size = bytes_of(qcow2.get("clusterSize", "64KiB")) or 0
    if not 512 <= size <= 2 << 20 or size & (size - 1):
        yield "/qcow2/clusterSize", "A cluster has a power of two of bytes, from 512B to 2MiB; choose another size."
    elif qcow2.get("extendedL2") and size < 16 << 10:
        yield "/qcow2/clusterSize", "With `extendedL2` a cluster has at least 16KiB; choose a larger size."
    preallocation = spec.get("preallocation", "off")
    if preallocation == "metadata" and form != "qcow2":
        yield "/preallocation", f"Only a qcow2 image has tables, and this is {form}; write `full`, or remove it."
    if preallocation == "full" and "allocation" in spec:
        yield "/allocation", "All of its room is set aside by `preallocation: full`; remove one of the two."
    if "source" in spec:
        for key in ("allocation", "preallocation", "qcow2", "encryption"):
            if key in spec:
                yield f"/{key}", f"What its `source` has comes as it is; remove `{key}`."
    if preallocation != "off" and "backingVolume" in spec:
        yield "/preallocation", "What lies over another volume can't be set aside; remove `preallocation`."
    if "encryption" in spec and form not in ("raw", "qcow2"):
        yield "/encryption", f"Only raw and qcow2 volumes are encrypted, and this is {form}; choose another format."
