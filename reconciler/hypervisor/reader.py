"""Puts a snapshot together: everything, or the last one with only the marked objects read again.

The same snapshot comes back when nothing changed, and an unchanged object is the same object. What is read of a kind is
in that kind's folder.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.driver import ReadingTools, drivers
from reconciler.hypervisor.found import Found
from reconciler.hypervisor.host.facts import HostFacts
from reconciler.hypervisor.reading import Reading
from reconciler.observed.snapshot import Observed, Snapshot
from specs.host import Host
from specs.reference import Ref


class Reader:
    """Reads one host; one reading at a time."""

    def __init__(self, connections: Connections, facts: HostFacts, *, volume_reread_s: float) -> None:
        self._connections = connections
        self._facts = facts
        self._workers = ThreadPoolExecutor(max_workers=connections.quick_size, thread_name_prefix="onggi-read")
        tools = ReadingTools(connections, self._workers, volume_reread_s)
        self._readers = {kind: driver.reader(tools) for kind, driver in drivers().items()}
        self._lock = threading.Lock()
        self._generation = 0
        self._serial = 0
        self._skipped: dict[Ref, str] = {}

    def close(self) -> None:
        """End the threads. Waits for a reading that is under way."""
        self._workers.shutdown(wait=True, cancel_futures=True)

    def outdated(self, ref: Ref) -> None:
        """Have libvirt look at an object again before it is read next."""
        self._readers[ref.kind].outdated(ref.name)

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
                found = self._read(Reading(before, None, hidden))
                self._facts.look_at_devices()
                self._facts.forget_addresses()
            elif not dirty and previous.connected:
                return previous
            else:
                found = self._read(Reading(previous.objects, dirty, hidden))
            self._skipped = found.skipped
            return self._finished(previous, found.objects)

    def _read(self, reading: Reading) -> Found:
        for reader in self._readers.values():
            reader.read(reading)
        found = reading.found
        found.objects.update(reading.carried())
        for ref, sentence in self._skipped.items():
            if not reading.was_read(ref):
                found.skipped.setdefault(ref, sentence)
        return found

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
    return ((ref, objects[ref]) for ref in sorted(objects))
