"""What a running machine has used so far, and what two such countings say about the time between them.

Pure: no clock and no libvirt. A counting that can't be followed from the one before (the machine was started anew, the
clock didn't move on) gives no rates rather than absurd ones. When to count is the sampler's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_NS = 1_000_000_000
NET_UNIT = 1000  # bytes in a kB of what goes over a wire
IO_UNIT = 1024  # bytes in a kB of what goes to a disk

# Two countings closer than this say more about the clock and the rounding than about the machine.
LEAST_APART_S = 0.02
# Nothing moves this fast (1 TiB/s): a counter that did was wrapped, or says "not known" as a huge number.
MOST_BYTES_PER_S = 1 << 40


@dataclass(frozen=True, slots=True)
class Counters:
    """One machine at one moment. `run` names the run that it counts from; another one starts at nothing again.

    `cpu_ns` is None where the driver doesn't tell it. Devices go by their name in the machine, in bytes both ways.
    """

    run: str
    cpu_ns: int | None = None
    vcpus: int = 1
    interfaces: Mapping[str, int] = field(default_factory=dict)
    disks: Mapping[str, int] = field(default_factory=dict)
    memory: float = 0.0  # percent of it that is in use, as the guest says, or else as the host sees it
    read: Mapping[str, int] = field(default_factory=dict)  # bytes that the guest read, of each disk and CD-ROM


@dataclass(frozen=True, slots=True)
class Rates:
    """`cpu` is a percentage of all virtual CPUs, 0 to 100; `net` and `io` are kB/s, both directions, all devices."""

    cpu: float = 0.0
    net: float = 0.0
    io: float = 0.0


def rates(before: Counters, after: Counters, elapsed_s: float) -> Rates | None:
    """What happened in the `elapsed_s` seconds between two countings; None when they can't be compared."""
    if before.run != after.run or not elapsed_s >= LEAST_APART_S:
        return None
    if before.cpu_ns is None or after.cpu_ns is None:
        cpu = 0.0
    elif after.cpu_ns < before.cpu_ns:
        return None  # the same run can't have used less than before: nothing else of this pair is to be trusted either
    else:
        # QEMU's own threads count too, so that a busy machine may seem to use more than all its CPUs.
        cpu = min(100.0, 100.0 * (after.cpu_ns - before.cpu_ns) / (elapsed_s * _NS * max(1, after.vcpus)))
    net, io = _moved(before.interfaces, after.interfaces), _moved(before.disks, after.disks)
    if net is None or io is None or max(net, io) > MOST_BYTES_PER_S * elapsed_s:
        return None
    return Rates(cpu, net / NET_UNIT / elapsed_s, io / IO_UNIT / elapsed_s)


def _moved(before: Mapping[str, int], after: Mapping[str, int]) -> int | None:
    """Bytes moved by the devices that both countings know; None when one counts less than before."""
    moved = 0
    for name, count in after.items():
        earlier = before.get(name, count)  # plugged in meanwhile: what it counted before isn't of this time
        if count < earlier:
            return None
        moved += count - earlier
    return moved
