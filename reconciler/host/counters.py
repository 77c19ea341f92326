"""One reading of the kernel's counters: CPU time, memory, and the bytes of real disks and NICs.

Only hardware counts: a byte that goes through a bridge, a tap and a NIC, or through a partition, a volume group and a
disk, is moved once. What a reading lacks is 0, and a sentence in it; nothing here raises.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil

_NICS = Path("/sys/class/net")
_DISKS = Path("/sys/block")

T = TypeVar("T")
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Memory:
    """In bytes."""

    total: int = 0
    free: int = 0
    cached: int = 0
    buffers: int = 0

    @property
    def avail(self) -> int:
        """Free, or free at once when it is needed."""
        return self.free + self.buffers + self.cached


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters at the monotonic time `at_s`: seconds of CPU time of all CPUs, and bytes by device (in, out)."""

    at_s: float
    cpu_total_s: float = 0.0
    cpu_idle_s: float = 0.0
    memory: Memory = Memory()
    disks: Mapping[str, Pair] = field(default_factory=dict)  # read, written
    nics: Mapping[str, Pair] = field(default_factory=dict)  # received, sent
    missing: tuple[str, ...] = ()


def read_counters(nics: Path = _NICS, disks: Path = _DISKS) -> Reading:
    """The counters now."""
    missing: list[str] = []
    total_s, idle_s = _try(_cpu, (0.0, 0.0), "the time of its CPUs", missing)
    memory = _try(_memory, Memory(), "its memory", missing)
    nothing: dict[str, Pair] = {}
    disk_bytes = _try(lambda: _disk_bytes(disks), nothing, "the traffic of its disks", missing)
    nic_bytes = _try(lambda: _nic_bytes(nics), nothing, "the traffic of its NICs", missing)
    return Reading(time.monotonic(), total_s, idle_s, memory, disk_bytes, nic_bytes, tuple(missing))


def _try(read: Callable[[], T], otherwise: T, what: str, missing: list[str]) -> T:
    try:
        return read()
    except Exception as error:  # psutil raises whatever an odd line of /proc makes it stumble over
        missing.append(f"The kernel of this host doesn't tell {what}: {error}.")
        return otherwise


def _cpu() -> tuple[float, float]:
    times = psutil.cpu_times()
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # counted in user and nice already
    return sum(times) - guests, times.idle + getattr(times, "iowait", 0.0)


def _memory() -> Memory:
    now = psutil.virtual_memory()
    return Memory(total=now.total, free=now.free, cached=now.cached, buffers=now.buffers)


def _disk_bytes(folder: Path) -> dict[str, Pair]:
    found = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    return {name: (each.read_bytes, each.write_bytes) for name, each in found.items() if is_hardware(folder, name)}


def _nic_bytes(folder: Path) -> dict[str, Pair]:
    found = psutil.net_io_counters(pernic=True, nowrap=False)
    return {name: (each.bytes_recv, each.bytes_sent) for name, each in found.items() if is_hardware(folder, name)}


def is_hardware(folder: Path, name: str) -> bool:
    """True when the kernel has a device behind it. Partitions aren't in /sys/block at all; bridges, taps, veths, bonds,
    loops, device-mapper and RAID are there without a device.
    """
    return "/" not in name and (folder / name / "device").exists()
