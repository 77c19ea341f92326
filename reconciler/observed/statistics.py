"""How busy a running machine is, as a value. Who samples it is `hypervisor.virtualmachine.sampling`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RECENT: Final = 60  # samples that a peak is the highest of
LEAST_PEAK: Final = 100.0  # kB/s; a graph that is scaled by the peak shouldn't blow an idle machine up to full height


@dataclass(frozen=True, slots=True)
class MachineStatistics:
    """Of one running machine: `cpu_utilization` in percent of all its CPUs (0 to 100), `mem_utilization` of its memory
    at the last sampling, throughput in kB/s over all its
    interfaces (of 1000 bytes) and disks (of 1024). A peak is the highest of the last 60 samples, and at least 100.
    """

    cpu_utilization: float = 0.0
    net_throughput: float = 0.0
    net_throughput_peak: float = LEAST_PEAK
    io_throughput: float = 0.0
    io_throughput_peak: float = LEAST_PEAK
    mem_utilization: float = 0.0


IDLE: Final = MachineStatistics()
"""What to say of a machine that doesn't run."""
