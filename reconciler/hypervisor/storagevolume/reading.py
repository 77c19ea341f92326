"""Reads storage volumes: names always, definitions only of volumes that are new, marked, or due again.

libvirt reads an image's header for each definition and tells of no change to a volume, so known ones come round slowly,
spread over time. A pool that is read brings all of its volumes.
"""

from __future__ import annotations

import random
import threading
import time
import zlib
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

import libvirt

from reconciler.hypervisor.carrying import carried
from reconciler.hypervisor.driver import ReadingTools
from reconciler.hypervisor.found import Found
from reconciler.hypervisor.places import Places
from reconciler.hypervisor.reading import Reading
from reconciler.observed.snapshot import Observed
from specs import canonical
from specs.binding import parse
from specs.host import VolumeSource
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, Ref

_WORTH_SPREADING = 40
_READING = "read the storage volumes"
_PLAIN = frozenset({"iso", "none", "unknown"})  # libvirt's words for bytes without an image format; QEMU's is raw


class VolumeReader:
    """Remembers when each volume is due again, `reread_s` seconds after the last time."""

    def __init__(self, tools: ReadingTools) -> None:
        self._connections = tools.connections
        self._workers = tools.workers
        self._reread_s = tools.reread_s
        self._lock = threading.Lock()
        self._due: dict[Ref, float] = {}

    def read(self, reading: Reading) -> None:
        """Those of the pools that were read, and beside them the marked ones."""
        pools = list(reading.found_of(STORAGE_POOL))
        if pools:
            reading.found.add(self._read_pools(pools, reading.before, reading.dirty or frozenset(), reading.hidden))
        marked = [
            ref
            for ref in reading.wanted(STORAGE_VOLUME)
            if not reading.was_read_whole(ref) and ref not in reading.hidden
        ]
        if marked:
            reading.found.add(self._read_volumes(marked, reading.before))

    def outdated(self, name: str) -> None:
        """It is due with the next reading of its pool."""
        self._due[Ref(STORAGE_VOLUME, name)] = 0.0

    def _read_pools(
        self, pools: Collection[Observed], before: Mapping[Ref, Observed], dirty: frozenset[Ref], hidden: frozenset[Ref]
    ) -> Found:
        """Every volume of these pools but the `hidden` ones. Those in `dirty` are read anew. Raises Disconnected."""
        found = Found()
        wanted: dict[str, set[str]] = {}
        now = time.monotonic()
        with self._connections.lend(_READING) as connection:
            for pool in pools:
                if not pool.active:
                    continue
                try:
                    volumes = connection.storagePoolLookupByName(pool.ref.name).listAllVolumes()
                except libvirt.libvirtError as error:
                    found.skip(pool.ref, error, connection, {})
                    found.objects |= {ref: seen for ref, seen in before.items() if ref.pool == pool.ref.name}
                    continue
                for volume in volumes:
                    ref = Ref.volume(pool.ref.name, volume.name())
                    if ref in hidden:
                        continue
                    seen = before.get(ref)
                    if seen is None or ref in dirty or self._due.get(ref, 0.0) <= now:
                        wanted.setdefault(ref.pool, set()).add(ref.short_name)
                    else:
                        found.objects[ref] = seen
        self._read(wanted, before, found)
        names = {pool.ref.name for pool in pools}
        for ref in self._due.keys() - found.objects.keys():
            if ref.pool in names:
                del self._due[ref]
        return found

    def _read_volumes(self, refs: Iterable[Ref], before: Mapping[Ref, Observed]) -> Found:
        """These volumes alone. One that is gone, or whose pool isn't active, is in neither result. Raises
        Disconnected.
        """
        wanted: dict[str, set[str]] = {}
        for ref in refs:
            wanted.setdefault(ref.pool, set()).add(ref.short_name)
        found = Found()
        self._read(wanted, before, found)
        return found

    def _again(self, now: float) -> float:
        return now + self._reread_s * random.uniform(0.75, 1.25)  # noqa: S311  # only spreads load

    def _read(self, wanted: Mapping[str, set[str]], before: Mapping[Ref, Observed], found: Found) -> None:
        shares = self._connections.quick_size if sum(map(len, wanted.values())) >= _WORTH_SPREADING else 1
        if not wanted:
            return
        if shares == 1:
            found.add(self._read_share(0, 1, wanted, before))
            return
        tasks = [self._workers.submit(self._read_share, number, shares, wanted, before) for number in range(shares)]
        for task in tasks:
            found.add(task.result())

    def _read_share(
        self, number: int, shares: int, wanted: Mapping[str, set[str]], before: Mapping[Ref, Observed]
    ) -> Found:
        found = Found()
        with self._connections.lend(_READING) as connection:
            for pool_name, names in wanted.items():
                mine = {name for name in names if zlib.crc32(name.encode()) % shares == number}
                for ref, volume in _volumes(connection, pool_name, mine, before, found):
                    found.read(ref, partial(self._one, ref, volume, before.get(ref)), connection, before)
        return found

    def _one(self, ref: Ref, volume: libvirt.virStorageVol, before: Observed | None) -> Observed:
        seen = _seen(ref, volume.XMLDesc(), before)
        with self._lock:
            self._due[ref] = self._again(time.monotonic())
        return seen


def _volumes(
    connection: libvirt.virConnect, pool_name: str, names: set[str], before: Mapping[Ref, Observed], found: Found
) -> Iterable[tuple[Ref, libvirt.virStorageVol]]:
    """The handles of some volumes of a pool, by one listing when they are many."""
    if not names:
        return
    try:
        pool = connection.storagePoolLookupByName(pool_name)
        if not pool.isActive():
            return
        listed = pool.listAllVolumes() if len(names) > 4 else None
    except libvirt.libvirtError as error:
        found.skip(Ref(STORAGE_POOL, pool_name), error, connection, {})
        found.objects |= {ref: before[ref] for name in names if (ref := Ref.volume(pool_name, name)) in before}
        return
    if listed is not None:
        for volume in listed:
            if volume.name() in names:
                yield Ref.volume(pool_name, volume.name()), volume
        return
    for name in names:
        ref = Ref.volume(pool_name, name)
        try:
            volume = pool.storageVolLookupByName(name)
        except libvirt.libvirtError as error:
            found.skip(ref, error, connection, before)
            continue
        yield ref, volume


def _seen(ref: Ref, xml: str, before: Observed | None) -> Observed:
    if before is not None and before.xml == xml:
        return before
    return carried(None, ref, uid="", xml=xml, state="active", details=_details(xml))


def _details(xml: str) -> dict[str, Any]:
    root = parse(xml)
    form = root.find("target/format")
    return {
        "path": root.findtext("target/path") or "",
        "capacity": int(root.findtext("capacity") or 0),  # libvirt always answers in bytes
        "allocation": int(root.findtext("allocation") or 0),
        "format": (form.get("type") if form is not None else None) or "raw",
        "type": root.get("type") or "file",
        "backing": canonical.path(root.findtext("backingStore/path") or ""),
    }


def tell(seen: Observed, places: Places) -> None:
    """Add where a volume is."""
    details = seen.details
    image_format = "raw" if details["format"] in _PLAIN else details["format"]
    places.volumes[seen.ref] = VolumeSource(details["path"], details["type"], image_format)
