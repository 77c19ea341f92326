"""Puts a snapshot together: everything, or the last one with only the marked objects read again.

The same snapshot comes back when nothing changed, and an unchanged object is the same object. What the readings of each
family do is in the modules beside this one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from reconciler.bulkhead import Failure, contained
from reconciler.hypervisor.active_or_not import NETWORKS, POOLS, read_all, read_some
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.found import Found
from reconciler.hypervisor.host.facts import HostFacts, pool_folder
from reconciler.hypervisor.storagevolume.reading import VolumeReader
from reconciler.hypervisor.virtualmachine.reading import read_all_domains, read_domains
from reconciler.observed.snapshot import Observed, Snapshot
from specs.host import Host
from specs.reference import NETWORK, STORAGE_POOL, STORAGE_VOLUME, VIRTUAL_MACHINE, Ref

# Reading one machine alone takes about seven calls, in bulk about one.
_CALLS_ALONE = 7
_FEW = 16


class Reader:
    """Reads one host; one reading at a time."""

    def __init__(self, connections: Connections, facts: HostFacts, *, volume_reread_s: float) -> None:
        self._connections = connections
        self._facts = facts
        self._workers = ThreadPoolExecutor(max_workers=connections.quick_size, thread_name_prefix="onggi-read")
        self._volumes = VolumeReader(connections, self._workers, reread_s=volume_reread_s)
        self._lock = threading.Lock()
        self._generation = 0
        self._serial = 0
        self._skipped: dict[Ref, str] = {}

    def close(self) -> None:
        """End the threads. Waits for a reading that is under way."""
        self._workers.shutdown(wait=True, cancel_futures=True)

    def outdated(self, pool: str) -> None:
        """Have libvirt look at a pool again before its volumes are read next."""
        self._volumes.outdated(pool)

    def read(
        self, previous: Snapshot | None, dirty: frozenset[Ref] | None, *, hidden: frozenset[Ref] = frozenset()
    ) -> Snapshot:
        """What the host has. Only `dirty` is read when a previous snapshot is given and the connection is still the
        same.

        `hidden` are volumes that are being made: libvirt lists them, but what they will be doesn't show yet. Raises
        Disconnected; whatever else can't be read is a sentence in the snapshot.
        """
        with self._lock:
            self._connections.ensure()
            if previous is None or dirty is None or self._generation != self._connections.generation:
                self._generation = self._connections.generation
                before: Mapping[Ref, Observed] = previous.objects if previous is not None else {}
                found = self._everything(before, hidden)
                self._facts.look_at_devices()
                self._facts.forget_addresses()
            elif not dirty and previous.connected:
                return previous
            else:
                before = previous.objects
                found = self._some(before, dirty, hidden)
            self._skipped = found.skipped
            return self._finished(previous, found.objects)

    def _everything(self, before: Mapping[Ref, Observed], hidden: frozenset[Ref]) -> Found:
        found = read_all_domains(self._connections, self._workers, before)
        found.add(read_all(self._connections, NETWORKS, before))
        pools = read_all(self._connections, POOLS, before)
        busy = frozenset(ref.pool for ref in hidden)
        pools.skipped |= self._volumes.refresh(pools.objects.values(), busy=busy)
        found.add(pools)
        found.add(self._volumes.read_pools(list(pools.objects.values()), before, frozenset(), hidden))
        return found

    def _some(self, before: Mapping[Ref, Observed], dirty: frozenset[Ref], hidden: frozenset[Ref]) -> Found:
        by_kind: dict[str, list[Ref]] = {}
        for ref in sorted(dirty):
            by_kind.setdefault(ref.kind, []).append(ref)
        machines = by_kind.get(VIRTUAL_MACHINE, [])
        known = sum(ref.kind == VIRTUAL_MACHINE for ref in before) if len(machines) > _FEW else 0
        all_machines = len(machines) > _FEW and len(machines) * _CALLS_ALONE > known
        networks, pools = by_kind.get(NETWORK, []), by_kind.get(STORAGE_POOL, [])

        found = Found()
        if all_machines:
            found.add(read_all_domains(self._connections, self._workers, before))
        elif machines:
            found.add(read_domains(self._connections, machines, before))
        if machines:  # their plugs go with them; read after them, so that none is missed
            plugged = (ref for ref, seen in before.items() if ref.kind == NETWORK and seen.active)
            networks = sorted({*networks, *plugged})
            pools = sorted({*pools, *self._to_look_into(found.objects, before, dirty | hidden)})
        if networks:
            found.add(read_some(self._connections, NETWORKS, networks, before))
        if pools:
            some = read_some(self._connections, POOLS, pools, before)
            found.add(some)
            active = [each for ref, each in some.objects.items() if ref.kind == STORAGE_POOL]
            found.skipped |= self._volumes.refresh(active, busy=frozenset(ref.pool for ref in hidden))
            found.add(self._volumes.read_pools(active, before, dirty, hidden))
        again = {ref.name for ref in pools}
        read = dirty.union(networks)
        volumes = [ref for ref in by_kind.get(STORAGE_VOLUME, []) if ref.pool not in again and ref not in hidden]
        if volumes:
            found.add(self._volumes.read_volumes(volumes, before))

        def was_read(ref: Ref) -> bool:
            return ref in read or ref.pool in again or (all_machines and ref.kind == VIRTUAL_MACHINE)

        for ref, seen in before.items():
            if not was_read(ref):
                found.objects[ref] = seen
        for ref, sentence in self._skipped.items():
            if not was_read(ref):
                found.skipped.setdefault(ref, sentence)
        return found

    def _to_look_into(
        self, read: Mapping[Ref, Observed], before: Mapping[Ref, Observed], told: frozenset[Ref]
    ) -> Iterator[Ref]:
        """The pools in whose folders machines have files that no volume is known for: what a snapshot has just made.

        libvirt has to look at them before anybody decides what such a file is. What is `told` is read anyway.
        """
        news = [seen for ref, seen in read.items() if seen is not before.get(ref) and ref.kind == VIRTUAL_MACHINE]
        images = {path for seen in news for path in _images(seen)}
        if not images:
            return
        images -= {str(seen.details.get("path")) for ref, seen in before.items() if ref.kind == STORAGE_VOLUME}
        names = {ref.short_name for ref in told if ref.kind == STORAGE_VOLUME}
        folders = {path.rpartition("/")[0] for path in images if path and path.rpartition("/")[2] not in names}
        for ref, seen in before.items() if folders else ():
            if ref.kind != STORAGE_POOL or not seen.active:
                continue
            folder = contained("finding its folder", ref, seen.xml, pool_folder, seen.xml)
            if isinstance(folder, str) and folder.rstrip("/") in folders:
                self._volumes.outdated(ref.name)
                yield ref

    def _finished(self, previous: Snapshot | None, objects: dict[Ref, Observed]) -> Snapshot:
        before = previous.host if previous is not None else None
        host: Host = self._facts.host(objects)
        if before is not None and host == before:
            host = before
        skipped = tuple(self._skipped[ref] for ref in sorted(self._skipped))
        if (
            previous is not None
            and previous.connected
            and host is before
            and skipped == previous.skipped
            and _same(previous.objects, objects)
        ):
            return previous
        self._serial = max(self._serial, previous.serial if previous is not None else 0) + 1
        unseen = frozenset(self._skipped.keys() - objects.keys())
        return Snapshot(self._serial, host, dict(_in_order(objects)), skipped=skipped, unseen=unseen)


def _same(before: Mapping[Ref, Observed], now: Mapping[Ref, Observed]) -> bool:
    return len(before) == len(now) and all(before.get(ref) is each for ref, each in now.items())


def _in_order(objects: Mapping[Ref, Observed]) -> Iterator[tuple[Ref, Observed]]:
    """By kind and name: what is listed from a snapshot doesn't jump about."""
    refs: Iterable[Ref] = sorted(objects, key=lambda ref: (ref.kind, ref.name))
    return ((ref, objects[ref]) for ref in refs)


def _images(seen: Observed) -> Iterator[str]:
    """The files that a machine's disks name."""
    config = contained("reading its disks", seen.ref, seen.xml, lambda: seen.config)
    for disk in () if isinstance(config, Failure) else config.get("disks", ()):
        yield disk["source"].get("file", "")
