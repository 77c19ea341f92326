"""Notices machines that run for minutes and never looked at their cloud-init seed: their guests don't see its drive.

The sign is QEMU's own counting. Any system that has a driver for the drive reads from it while it looks for labels, at
each boot, also when there is nothing new in it; a BIOS reads a sector or two, in search of something to boot. UEFI
reads as much as a system does, so that nothing is ever told of machines that have it.

Nothing is told of a guest that seems to run no system yet (its disks were hardly read), and nothing of a machine that
was restored or came from elsewhere: its counting began in the middle. That a seed was read doesn't mean that cloud-init
took it; that can't be told from outside, and isn't claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.desired.state import DesiredState
from reconciler.observed.counters import Counters
from reconciler.observed.snapshot import Observed, Snapshot
from specs.reference import Ref
from specs.registry import described
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.storage.cdroms import seed_drive

PATIENCE_S = 300.0  # an emulated machine takes minutes to boot
FIRMWARE_BYTES = 16 << 10  # of the seed: what firmware reads at most, and any system reads at least
SYSTEM_BYTES = 32 << 20  # of the disks: a kernel and what comes with it; firmware and a boot loader read a few MiB
_BOOTED = "booted"


@dataclass(slots=True)
class _Watched:
    since: float
    run: str = ""  # of the first counting; another run begins anew
    read: bool = False  # it was, in that run: nothing more to ask


class UnreadSeeds:
    """One per agent, for its loop. `count` asks libvirt once for all running machines; it is asked only while a machine
    has run for long enough and its seed isn't known to be read.
    """

    def __init__(self, count: Callable[[], Mapping[Ref, Counters]]) -> None:
        self._count = count
        self._watched: dict[Ref, _Watched] = {}

    def look(self, desired: DesiredState, snapshot: Snapshot, now: float) -> Mapping[Ref, str]:
        """What to tell of each machine whose seed wasn't read. `now` is the monotonic clock's. Raises Disconnected and
        other OnggiErrors.
        """
        running = dict(_running(desired, snapshot))
        self._watched = {ref: self._watched.get(ref) or _Watched(now) for ref in running}
        due = [ref for ref, each in self._watched.items() if not each.read and now - each.since >= PATIENCE_S]
        counted = self._count() if due else {}
        return {ref: told for ref in due if (told := self._told(ref, running[ref], counted.get(ref), now))}

    def due_s(self, now: float) -> float | None:
        """In how many seconds there is something to ask about next; None: not before something changes."""
        waits = [each.since + PATIENCE_S - now for each in self._watched.values() if not each.read]
        return min((wait for wait in waits if wait > 0), default=None)

    def _told(self, ref: Ref, observed: Observed, counters: Counters | None, now: float) -> str:
        drive = seed_drive(MACHINES.lowered(observed.live or {}).get("cdroms") or ())
        if counters is None or drive is None or drive["target"] not in counters.read:
            return ""
        watched = self._watched[ref]
        if watched.run not in ("", counters.run):
            self._watched[ref] = _Watched(now, counters.run)
            return ""
        watched.run = counters.run
        watched.read = counters.read[drive["target"]] > FIRMWARE_BYTES
        others = sum(count for name, count in counters.read.items() if name != drive["target"])
        if watched.read or others < SYSTEM_BYTES:
            return ""
        bus = drive.get("bus", "")
        remedy = "write `cloudInit.bus: scsi`"
        if bus == "scsi":
            remedy = "use an image with virtio-scsi, or another `cloudInit.bus`"
        return (
            "the guest has run for minutes and never read its cloud-init seed, so it has no user, key or address; "
            f"its kernel may have no driver for the bus {bus}: {remedy}"
        )


def _running(desired: DesiredState, snapshot: Snapshot) -> Iterator[tuple[Ref, Observed]]:
    for ref, resource in desired.resources.items():
        if described(ref.kind).has_guest and "cloudInit" in MACHINES.declared(resource.spec):
            observed = snapshot.get(ref)
            if observed is not None and (observed.state, observed.reason) == ("running", _BOOTED):
                yield ref, observed
