"""One host as the rest of onggi sees it: look at it, do things to it, hear that something may have changed.

How that is done is in `connection` (the lanes to libvirt), `reader` (a snapshot), `queries` (what else is asked) and
`commands` (a plan's operations).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from reconciler.errors import Disconnected, OnggiError
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.driver import drivers
from reconciler.hypervisor.host.facts import HostFacts
from reconciler.hypervisor.reader import Reader
from reconciler.hypervisor.virtualmachine.refusals import Refusals
from reconciler.lazy import Lazy
from reconciler.locality import hands_over
from reconciler.network.addresses import INTERNET, Networks
from reconciler.observed.snapshot import Snapshot
from specs.host import Host
from specs.reach import Reach
from specs.reference import STORAGE_POOL, Ref

if TYPE_CHECKING:
    import socket

    from reconciler.hypervisor.commands import Commands
    from reconciler.hypervisor.queries import Queries
    from reconciler.hypervisor.transfer.intake import Progress
    from reconciler.observed.answers import Abilities, GuestAddress, HostInterface, SnapshotOf
    from reconciler.observed.counters import Counters
    from reconciler.observed.host_devices import HostDevices
    from reconciler.planning.operations import EditLive, Operation
    from reconciler.planning.plan_options import RefusedEdit

log = logging.getLogger("onggi.hypervisor")

_NOT_STOPPED = threading.Event()


def _untold(done: int, total: int | None) -> None:
    """Progress that nobody wants to hear of."""


class Hypervisor:
    """One host. Every method may be called from any thread, and raises Disconnected while the host can't be reached;
    the next call tries to connect again. When to try is the caller's choice.
    """

    def __init__(
        self,
        uri: str,
        *,
        allowed_folders: Iterable[str] = (),
        own_folders: Iterable[str] = (),
        reach: Reach | None = None,
        networks: Networks = INTERNET,
        volume_reread_s: float = 600.0,
        write_here: bool = True,
    ) -> None:
        self.uri = uri
        self._subscribers: list[Callable[[Ref | None], object]] = []
        events = {kind: driver.events for kind, driver in drivers().items()}
        self._connections = Connections(uri, changed=self._changed, devices=self._devices_changed, events=events)
        allowed, own = tuple(map(str, allowed_folders)), tuple(own_folders)
        tellers = {kind: driver.tell for kind, driver in drivers().items() if driver.tell is not None}
        self._facts = HostFacts(self._connections, tellers, allowed, reach)
        self._reader = Reader(self._connections, self._facts, volume_reread_s=volume_reread_s)
        self._refusals = Refusals()
        self._queries = Lazy(self._all_queries)
        self._commands = Lazy(lambda: self._all_commands(allowed, own, reach, networks, write_here=write_here))

    def _all_queries(self) -> Queries:
        from reconciler.hypervisor.queries import Queries

        return Queries(self._connections)

    def _all_commands(
        self,
        allowed: tuple[str, ...],
        own: tuple[str, ...],
        reach: Reach | None,
        networks: Networks,
        *,
        write_here: bool,
    ) -> Commands:
        from reconciler.hypervisor.commands import Commands
        from reconciler.hypervisor.handlers import Access

        access = Access(
            self._connections,
            self._facts,
            self._refusals,
            allowed_folders=allowed,
            own_folders=own,
            reach=reach,
            networks=networks,
            write_here=write_here,
        )
        return Commands(access)

    @classmethod
    def open(
        cls,
        uri: str,
        *,
        allowed_folders: Iterable[str] = (),
        own_folders: Iterable[str] = (),
        reach: Reach | None = None,
        networks: Networks = INTERNET,
    ) -> Hypervisor:
        """A host by its libvirt URI. Connects with the first call that needs it; `allowed_folders` and `reach` go into
        its facts, `own_folders` are the agent's, on which no pool is made. Without a `reach` there are no bounds.
        `networks` are from where images may come.
        """
        return cls(uri, allowed_folders=allowed_folders, own_folders=own_folders, reach=reach, networks=networks)

    def prepare(self) -> None:
        """Load all that is loaded at its first use: below what runs for long, an upgrade may replace the files."""
        self._queries()
        self._commands()

    def close(self) -> None:
        """Let go of all connections. The object is of no use afterwards."""
        self._connections.close()
        self._reader.close()

    @property
    def connected(self) -> bool:
        """True while the host answers, as far as is known without asking it."""
        return self._connections.connected

    def unanswered(self, patience_s: float) -> str:
        """A sentence on a call that should be quick and hasn't come back for so long; empty when there is none."""
        return self._connections.unanswered(patience_s)

    def host(self) -> Host:
        """What the host can do and where its things are, without observing its machines."""
        return self.observe(None, None).host

    def observe(self, previous: Snapshot | None = None, dirty: frozenset[Ref] | None = None) -> Snapshot:
        """What the host has: everything, or `previous` with only `dirty` read again. The very same snapshot when
        nothing changed. Whatever can't be read is a sentence in it and hides nothing else.
        """
        try:
            self.settle()
        except Disconnected:
            raise
        except OnggiError as error:
            log.info("new volumes don't show yet: %s", error)
        commands = self._commands.made
        snapshot = self._reader.read(previous, dirty, hidden=frozenset() if commands is None else commands.hidden())
        self._refusals.look(snapshot.objects)
        return snapshot

    def outdated(self, pool: str) -> None:
        """Files of a pool came or went behind libvirt: it looks again before the pool is observed next."""
        self._reader.outdated(Ref(STORAGE_POOL, pool))

    def perform(
        self, operation: Operation, *, stop: threading.Event = _NOT_STOPPED, progress: Progress = _untold
    ) -> None:
        """Do one thing, or find it done. Raises OnggiError: Cancelled soon after `stop` is set. `progress` gets bytes.

        After an error nothing is left half-made, unless it is Disconnected or Cancelled.
        """
        self._commands().perform(operation, stop, progress)

    def upload(
        self,
        ref: Ref,
        offset: int,
        length: int,
        chunks: Iterable[bytes],
        stop: threading.Event = _NOT_STOPPED,
        *,
        capacity: int | None = None,
    ) -> None:
        """Write exactly `length` bytes of `chunks` into a volume that nobody uses, at `offset`. Blocks until the disk
        has them. After an error send the same piece again.

        `capacity` is what the volume was made with: libvirt takes its size from an image's header as soon as that is
        there. Raises Refused with `BeyondCapacity`, `SizeMismatch`, `UnsafeImage`, `VolumeInUse` or `UploadUnderWay`;
        Unsupported, NotFound, Cancelled; Terminal when the disk is full; and whatever `chunks` raises.
        """
        from reconciler.hypervisor.storagevolume.commands import VolumeCommands

        self._commands().of(VolumeCommands).upload(ref, offset, length, chunks, stop, capacity)

    def snapshots(self, ref: Ref) -> tuple[SnapshotOf, ...]:
        """A VM's snapshots, the oldest first. Raises OnggiError."""
        return self._queries().snapshots(ref)

    def screenshot(self, ref: Ref) -> bytes:
        """A PNG of a VM's screen as it is now. Raises Refused with `MachineNotRunning`, Unsupported and others."""
        return self._queries().screenshot(ref)

    @property
    def hands_over_displays(self) -> bool:
        """Whether `display` asks for no password, wherever a VM's screen listens."""
        return hands_over(self.uri)

    def display(self, ref: Ref, uid: str) -> socket.socket:
        """A VM's screen, which speaks VNC. Raises Refused, NotFound, Conflict when it is another VM, and others."""
        return self._queries().display(ref, uid)

    def serial(self, ref: Ref, uid: str, *, force: bool) -> socket.socket:
        """A VM's serial line; with `force` taken from whoever has it. Raises as `display` does."""
        return self._queries().serial(ref, uid, force=force)

    def machine_state(self, ref: Ref) -> str:
        """How a VM is at this moment: running, paused, shutoff, ... Raises NotFound and others."""
        return self._queries().machine_state(ref)

    def guest_addresses(self, ref: Ref, *sources: str) -> tuple[GuestAddress, ...]:
        """The addresses of a running VM, as far as anybody knows them, or those of `sources` (lease, agent, arp).

        Raises NotFound and others.
        """
        return self._queries().guest_addresses(ref, *sources)

    def serial_log(self, ref: Ref) -> str:
        """The file that holds what came over a VM's serial line; empty for none. Raises NotFound and others."""
        return self._queries().serial_log(ref)

    def host_interfaces(self) -> tuple[HostInterface, ...]:
        """The host's network interfaces by name, all of them. Raises OnggiError."""
        return self._queries().host_interfaces()

    def devices(self) -> HostDevices:
        """The host's devices, all of them; the very same value while nothing changed. Raises Disconnected."""
        return self._queries().devices.read()

    def abilities(self) -> Abilities:
        """What its machines can have, asked once for each connection. Raises Disconnected."""
        return self._queries().abilities.read()

    @property
    def abilities_before(self) -> Abilities | None:
        """The same as it was told last, for when the host is away; None when it never was."""
        queries = self._queries.made
        return None if queries is None else queries.abilities.latest

    def refused_edits(self) -> Mapping[tuple[EditLive, str], RefusedEdit]:
        """What running machines were told and isn't said again: by the edit and libvirt's id of the running domain."""
        return self._refusals.known()

    def present(self, refs: Collection[Ref]) -> frozenset[Ref]:
        """Which of these volumes are on the host now, whatever an earlier snapshot says. Raises OnggiError."""
        return self._commands().present(refs)

    def settle(self) -> None:
        """Make new volumes show as what they are; `observe` does so too. Raises OnggiError."""
        if (commands := self._commands.made) is not None:
            commands.settle()

    def discard_unfinished(self, ref: Ref) -> bool:
        """Delete a volume that a killed run may have left half-made. False when there is none, or when something
        uses it.
        """
        return self._commands().discard_unfinished(ref)

    def machine_statistics(self) -> Mapping[Ref, Counters]:
        """What each running machine has used so far. Never connects: that is left to whoever needs the host."""
        from reconciler.hypervisor.virtualmachine.statistics import count_running

        return count_running(self._connections)

    def subscribe(self, callback: Callable[[Ref | None], object]) -> None:
        """Call back with each object that may have changed; None: any may have, because the connection came or went.

        Called from threads of libvirt's; it has to return at once.
        """
        self._subscribers.append(callback)

    def take_rebooted(self) -> frozenset[Ref]:
        """The VMs whose guests have rebooted since this was asked last, as far as events told."""
        return self._connections.runs.take_rebooted()

    def migrated(self) -> frozenset[str]:
        """The UUIDs of VMs that went to another host and haven't run here since, as far as events told."""
        return self._connections.runs.migrated

    def _changed(self, ref: Ref | None) -> None:
        for callback in self._subscribers:
            callback(ref)

    def _devices_changed(self) -> None:
        self._facts.forget_devices()
        if (queries := self._queries.made) is not None:
            queries.devices.forget()
        self._changed(None)  # a device is no object of a snapshot; only a full reading looks at them
