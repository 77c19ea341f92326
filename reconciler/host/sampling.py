"""The machine's load, second by second: a thread reads the kernel's counters, and a ring keeps the last minute.

Two readings make a sample. The kernel's counters may wrap or start again, devices come and go, and clocks jump or stand
still; none of that may look like traffic, so what makes no sense counts as nothing. Where the counters come from is for
`counters`.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.host.counters import Memory, Pair, Reading, read_counters

log = logging.getLogger("onggi.host")

INTERVAL_S = 1.0
KEPT = 60
SHORTEST_S = 0.1  # two readings closer than this tell nothing of a rate
FASTEST_B_S = 200_000_000_000  # no single NIC or disk moves more in a second: the counter was another one's


@dataclass(frozen=True, slots=True)
class Sample:
    """One second of the machine. CPU in percent of all CPUs, memory in bytes, rates in bytes per second.

    `missing` says in sentences what couldn't be read, and is 0 here.
    """

    cpu_utilization: float
    memory: Memory
    disk_read_rate: int
    disk_write_rate: int
    net_recv_rate: int
    net_sent_rate: int
    missing: tuple[str, ...] = ()


def sample(before: Reading, after: Reading) -> Sample:
    """What happened between two readings. Every rate is 0 when no time has passed, or when it went backwards."""
    elapsed_s = after.at_s - before.at_s
    read, written = _rates(before.disks, after.disks, elapsed_s)
    received, sent = _rates(before.nics, after.nics, elapsed_s)
    return Sample(
        cpu_utilization=_utilization(before, after),
        memory=after.memory,
        disk_read_rate=read,
        disk_write_rate=written,
        net_recv_rate=received,
        net_sent_rate=sent,
        missing=after.missing,
    )


def _utilization(before: Reading, after: Reading) -> float:
    total = after.cpu_total_s - before.cpu_total_s
    if not total > 0:
        return 0.0
    idle = after.cpu_idle_s - before.cpu_idle_s
    return round(min(100.0, max(0.0, 100.0 * (total - idle) / total)), 1)


def _rates(before: Mapping[str, Pair], after: Mapping[str, Pair], elapsed_s: float) -> Pair:
    if not elapsed_s >= SHORTEST_S:
        return 0, 0
    into = out = 0
    for name, (new_in, new_out) in after.items():
        if (old := before.get(name)) is not None:  # what has just come has all of its past in its counters
            into += _rate(old[0], new_in, elapsed_s)
            out += _rate(old[1], new_out, elapsed_s)
    return into, out


def _rate(old: int, new: int, elapsed_s: float) -> int:
    rate = (new - old) / elapsed_s
    return int(rate) if 0 <= rate <= FASTEST_B_S else 0


class Sampler:
    """Samples the machine in a thread of its own from `start` to `stop`. Every method may be called from any thread;
    none of them raises.
    """

    def __init__(self, read: Callable[[], Reading] = read_counters, *, interval_s: float = INTERVAL_S) -> None:
        self._read = read
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._last: Reading | None = None
        self._ring: deque[Sample] = deque(maxlen=KEPT)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to sample; a second call changes nothing."""
        if self._thread is None:
            self.turn()
            self._thread = threading.Thread(target=self._go, name="onggi-host-sampler", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread. What was sampled stays to be asked for."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def current(self) -> Sample:
        """The newest sample."""
        if not self._ring:
            self.turn()
        return self._ring[-1]

    def history(self) -> tuple[Sample, ...]:
        """At most the last minute's samples, the oldest first."""
        with self._lock:
            return tuple(self._ring)

    def turn(self) -> None:
        """Take one reading now. When it follows the last one too closely, it waits to be compared with a later one."""
        with self._lock:
            reading = self._read()
            last = self._last
            if last is None:
                last = reading
            elif 0 <= reading.at_s - last.at_s < SHORTEST_S:
                return
            self._last = reading
            self._ring.append(sample(last, reading))

    def _go(self) -> None:
        while not self._stop.wait(self._interval_s):
            try:
                self.turn()
            except Exception:  # the thread must outlive whatever a kernel may answer
                log.exception("the host's load couldn't be sampled")
