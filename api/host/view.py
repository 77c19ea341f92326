"""The machine in Kimchi's words: what it is, what it does, its CPUs, its disks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from api.http.schema import Schema, arr, boolean, integer, number, obj, text
from reconciler.host.counters import Memory
from reconciler.host.cpuinfo import CpuTopology
from reconciler.host.facts import MachineFacts
from reconciler.host.sampling import Sample
from specs.plain import NewJson

_HOST: Final = {
    "memory": integer("All of its memory, in bytes.", minimum=0),
    "cpu_model": text("What the kernel calls the CPU; empty when it doesn't say."),
    "cpus": integer("How many CPUs are online.", minimum=0),
    "os_distro": text("The distribution that runs on it."),
    "os_version": text("The version of that."),
    "os_codename": text("Its code name."),
}
HOST: Final[Schema] = obj(_HOST, required=tuple(_HOST), title="Host")

_MEMORY: Final = {
    "total": integer("In bytes.", minimum=0),
    "free": integer("Left unused, in bytes.", minimum=0),
    "cached": integer("Used as a cache, in bytes.", minimum=0),
    "buffers": integer("Used for file buffers, in bytes.", minimum=0),
    "avail": integer("Free, cached and buffers together, in bytes.", minimum=0),
}
_STATS: Final[dict[str, Schema]] = {
    "cpu_utilization": number("Of all CPUs, in percent.", minimum=0, maximum=100),
    "memory": obj(_MEMORY, required=tuple(_MEMORY)),
    "disk_read_rate": integer("Of all disks, in bytes per second.", minimum=0),
    "disk_write_rate": integer("Of all disks, in bytes per second.", minimum=0),
    "net_recv_rate": integer("Of all NICs, in bytes per second.", minimum=0),
    "net_sent_rate": integer("Of all NICs, in bytes per second.", minimum=0),
}
STATS: Final[Schema] = obj(_STATS, required=tuple(_STATS), title="HostStats")
HISTORY: Final[Schema] = obj(
    {key: arr(schema, maxItems=60) for key, schema in _STATS.items()},
    required=tuple(_STATS),
    title="HostStatsHistory",
    description="Second by second, the oldest first, at most the last minute.",
)

_CPUS: Final = {
    "threading_enabled": boolean("Whether the topology is known, so that a machine's may follow it."),
    "sockets": integer("How many sockets there are; 0: unknown.", minimum=0),
    "cores": integer("How many cores each socket has; 0: unknown.", minimum=0),
    "threads_per_core": integer("How many threads each core has; 0: unknown.", minimum=0),
}
CPUS: Final[Schema] = obj(_CPUS, required=tuple(_CPUS), title="HostCpuInfo")


def host_view(facts: MachineFacts) -> NewJson:
    """The machine."""
    return {key: getattr(facts, key) for key in _HOST}


def stats_view(sample: Sample) -> NewJson:
    """What it did in the last second."""
    return {key: _plain(getattr(sample, key)) for key in _STATS}


def history_view(samples: Sequence[Sample]) -> NewJson:
    """What it did in the last minute, as one list for each figure."""
    return {key: [_plain(getattr(sample, key)) for sample in samples] for key in _STATS}


def cpus_view(topology: CpuTopology) -> NewJson:
    """Its CPUs."""
    return {key: getattr(topology, key) for key in _CPUS}


def _plain(value: Any) -> Any:
    return {key: getattr(value, key) for key in _MEMORY} if isinstance(value, Memory) else value
