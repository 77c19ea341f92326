"""How busy the running machines are, sampled in the background so that no request ever asks libvirt for it.

Asking costs some milliseconds of every running machine, so the pause grows with what the last sampling took. Readers
take a reference to an immutable mapping. What is counted and what follows from it is in `observed.counters`, the call
that counts in `statistics`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from reconciler.errors import Disconnected, OnggiError
from reconciler.observed.counters import LEAST_APART_S, Counters, Rates, rates
from reconciler.observed.statistics import LEAST_PEAK, RECENT, MachineStatistics
from specs.reference import Ref

log = logging.getLogger("onggi.statistics")

_LEAST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_SHARE: Final = 0.05  # of the time that may go into sampling
_EACH_S: Final = 0.05  # of pause for each running machine, however fast this sampling seemed


@dataclass(slots=True)
class _Seen:
    """What the sampler keeps of one running machine."""

    counters: Counters
    at: float
    recent: deque[Rates] = field(default_factory=lambda: deque(maxlen=RECENT))

    def next(self, counters: Counters, now: float) -> None:
        """Take a further counting in. One that can't be followed from the last is only what the next starts from."""
        elapsed_s = now - self.at
        if self.counters.run != counters.run:
            self.recent.clear()  # peaks of a run that is over
        elif 0 <= elapsed_s < LEAST_APART_S:
            return
        elif (found := rates(self.counters, counters, elapsed_s)) is not None:
            self.recent.append(found)
        self.counters, self.at = counters, now

    def statistics(self) -> MachineStatistics:
        if not self.recent:
            return MachineStatistics(mem_utilization=self.counters.memory)
        last = self.recent[-1]
        return MachineStatistics(
            cpu_utilization=last.cpu,
            mem_utilization=self.counters.memory,
            net_throughput=last.net,
            net_throughput_peak=max(LEAST_PEAK, *(sample.net for sample in self.recent)),
            io_throughput=last.io,
            io_throughput_peak=max(LEAST_PEAK, *(sample.io for sample in self.recent)),
        )


class Statistics:
    """Samples what `count` gives: the running machines' counters, or Disconnected. `of` and `all` are for any thread
    and never wait; one thread samples.
    """

    def __init__(self, count: Callable[[], Mapping[Ref, Counters]]) -> None:
        self._count = count
        self._seen: dict[Ref, _Seen] = {}
        self._published: Mapping[Ref, MachineStatistics] = MappingProxyType({})
        self._thread: threading.Thread | None = None

    def of(self, ref: Ref) -> MachineStatistics | None:
        """The latest of one machine; None when it doesn't run, as far as is known."""
        return self._published.get(ref)

    def all(self) -> Mapping[Ref, MachineStatistics]:
        """The latest of all running machines, as one value that never changes."""
        return self._published

    def start(self, stop: threading.Event) -> None:
        """Sample in a thread of its own until `stop` is set."""
        self._thread = threading.Thread(target=self.run, args=(stop,), name="onggi-statistics", daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to end, after its `stop` was set."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def run(self, stop: threading.Event) -> None:
        """Sample until `stop` is set, in the calling thread."""
        while not stop.is_set():
            begun = time.monotonic()
            try:
                self.sample_once(begun)
            except Exception:
                # Whatever an odd machine's figures do, they may not end the sampling of all others for good.
                log.exception("sampling the running machines failed; it is tried again")
            stop.wait(pause_s(time.monotonic() - begun, len(self._published)))

    def sample_once(self, now: float) -> None:
        """Count once and publish. `now` is the monotonic clock's, which doesn't run while the host is suspended."""
        try:
            counted = self._count()
        except Disconnected as error:
            log.debug("no statistics: %s", error)
            self._published = MappingProxyType({})  # nothing is known; the countings stay, to go on from
            return
        except OnggiError as error:
            log.debug("no statistics this time: %s", error)
            return
        self._seen = {ref: self._follow(ref, counters, now) for ref, counters in counted.items()}
        self._published = MappingProxyType({ref: seen.statistics() for ref, seen in self._seen.items()})

    def _follow(self, ref: Ref, counters: Counters, now: float) -> _Seen:
        seen = self._seen.get(ref)
        if seen is None:
            return _Seen(counters, now)
        seen.next(counters, now)
        return seen


def pause_s(took_s: float, running: int) -> float:
    """How long to rest after a sampling that took so long: it takes a twentieth of the time at most, as long as that
    gives a figure a minute.
    """
    wanted = max(_LEAST_PAUSE_S, took_s / _SHARE - took_s, running * _EACH_S)
    return min(_LONGEST_PAUSE_S, wanted)
