"""Reads storage pools, and has libvirt look into them again: it tells of no file that others put there or took away, so
each comes round slowly, spread over time, and at once when somebody knows of a change.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator

import libvirt

from reconciler.bulkhead import Failure, contained
from reconciler.hypervisor.active_or_not import Family, no_details, read_all, read_some
from reconciler.hypervisor.driver import ReadingTools
from reconciler.hypervisor.failure import message
from reconciler.hypervisor.reading import Reading
from reconciler.hypervisor.storagepool.folder import folder_of
from reconciler.observed.snapshot import Observed
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, VIRTUAL_MACHINE, Ref

# Looking through a folder takes milliseconds; other types ask a server or rescan a bus.
_CHEAP_TO_REFRESH = "<pool type='dir'>"

_POOLS = Family(
    kind=STORAGE_POOL,
    words="storage pools",
    listing=libvirt.virConnect.listAllStoragePools,
    lookup=libvirt.virConnect.storagePoolLookupByName,
    list_active=libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE,
    list_autostart=libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART,
    list_transient=libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT,
    inactive_xml=libvirt.VIR_STORAGE_XML_INACTIVE,
    details=no_details,
)


class PoolReader:
    """Remembers when each pool is due to be looked into again, `reread_s` seconds after the last time."""

    def __init__(self, tools: ReadingTools) -> None:
        self._connections = tools.connections
        self._reread_s = tools.reread_s
        self._refresh_due: dict[str, float] = {}

    def read(self, reading: Reading) -> None:
        """All of them, or the marked ones and those in which machines that were read have new files."""
        if reading.everything:
            found = read_all(self._connections, _POOLS, reading.before)
        else:
            pools = {*reading.wanted(STORAGE_POOL), *self._with_new_images(reading)}
            if not pools:
                return
            found = read_some(self._connections, _POOLS, sorted(pools), reading.before)
            reading.note_read(pools)
            for ref in pools:
                reading.note_whole(STORAGE_VOLUME, ref.name)
        busy = frozenset(ref.pool for ref in reading.hidden)
        found.skipped |= self._refresh(list(found.objects.values()), busy=busy)
        reading.found.add(found)

    def outdated(self, name: str) -> None:
        """Something was put into a pool or taken out of it: the next reading of it has libvirt look again."""
        self._refresh_due[name] = 0.0

    def _with_new_images(self, reading: Reading) -> Iterator[Ref]:
        """The pools in whose folders machines have files that no volume is known for: what a snapshot has just made.

        libvirt has to look at them before anybody decides what such a file is. What is told of is read anyway.
        """
        before = reading.before
        news = [seen for seen in reading.found_of(VIRTUAL_MACHINE) if seen is not before.get(seen.ref)]
        images = {path for seen in news for path in _images(seen)}
        if not images:
            return
        images.difference_update(seen.details.get("path") for ref, seen in before.items() if ref.kind == STORAGE_VOLUME)
        names = {ref.short_name for ref in reading.told() if ref.kind == STORAGE_VOLUME}
        folders = {path.rpartition("/")[0] for path in images if path and path.rpartition("/")[2] not in names}
        for ref, seen in before.items() if folders else ():
            if ref.kind == STORAGE_POOL and seen.active and folder_of(seen).rstrip("/") in folders:
                self.outdated(ref.name)
                yield ref

    def _refresh(self, pools: Iterable[Observed], *, busy: frozenset[str]) -> dict[Ref, str]:
        """Let libvirt look again at pools for which it is time, but at none that is `busy`. Sentences for those that
        fail.
        """
        now = time.monotonic()
        failed: dict[Ref, str] = {}
        due = []
        for pool in pools:
            name = pool.ref.name
            # At first only what is cheap: an operator who has just put an image there expects it to be found.
            first = now if pool.xml.startswith(_CHEAP_TO_REFRESH) else self._again(now)
            if pool.active and self._refresh_due.setdefault(name, first) <= now and name not in busy:
                due.append(name)
        if due:
            with self._connections.lend("refresh the storage pools") as connection:
                for name in due:
                    self._refresh_due[name] = self._again(now)
                    try:
                        connection.storagePoolLookupByName(name).refresh()
                    except libvirt.libvirtError as error:
                        if connection.isAlive() != 1:
                            raise
                        ref = Ref(STORAGE_POOL, name)
                        failed[ref] = f"{ref} can't be refreshed now, its volumes may be out of date: {message(error)}."
        return failed

    def _again(self, now: float) -> float:
        return now + self._reread_s * random.uniform(0.75, 1.25)  # noqa: S311  # only spreads load


def _images(seen: Observed) -> Iterator[str]:
    """The files that a machine's disks name."""
    config = contained("reading its disks", seen.ref, seen.xml, lambda: seen.config)
    for disk in () if isinstance(config, Failure) else config.get("disks", ()):
        yield disk["source"].get("file", "")
