"""Counts what the running machines have used so far, with one call for all of them.

The groups that cost the most and tell nothing that is shown (dirty pages, I/O threads, vm) are left out. What follows
from two countings is for `reconciler.observed.counters`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libvirt

from reconciler.errors import Disconnected
from reconciler.hypervisor.connection import Connections, Lane
from reconciler.hypervisor.failure import is_unsupported
from reconciler.observed.counters import Counters
from specs.plain import Json, NewJson
from specs.reference import VIRTUAL_MACHINE, Ref

_GROUPS = (
    libvirt.VIR_DOMAIN_STATS_STATE
    | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
    | libvirt.VIR_DOMAIN_STATS_BALLOON
    | libvirt.VIR_DOMAIN_STATS_VCPU
    | libvirt.VIR_DOMAIN_STATS_INTERFACE
    | libvirt.VIR_DOMAIN_STATS_BLOCK
)
_RUNNING = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
# A machine in the middle of a long job is counted as far as it can be, instead of holding everybody's figures up.
_AT_ONCE = _RUNNING | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
_DOING = "read the statistics of the running machines"


def count_running(connections: Connections) -> Mapping[Ref, Counters]:
    """The counters of each running machine. Raises Disconnected without trying to connect, and other OnggiErrors."""
    if not connections.connected:
        raise Disconnected(f"there is no connection to {connections.uri} now; it is tried again by itself.")
    with connections.lend(_DOING, Lane.SAMPLING) as connection:
        return {
            Ref(VIRTUAL_MACHINE, domain.name()): _counters(f"{domain.UUIDString()}/{domain.ID()}", figures)
            for domain, figures in _ask(connection)
        }


def _ask(connection: libvirt.virConnect) -> list[tuple[libvirt.virDomain, NewJson]]:
    try:
        found = connection.getAllDomainStats(_GROUPS, _AT_ONCE)
    except libvirt.libvirtError as error:
        if not is_unsupported(error):
            raise
        found = connection.getAllDomainStats(_GROUPS, _RUNNING)
    return list(found)


def _counters(run: str, figures: Json) -> Counters:
    cpu = figures.get("cpu.time")
    return Counters(
        run,
        cpu_ns=None if cpu is None else int(cpu),
        vcpus=int(figures.get("vcpu.current", 1)),
        interfaces=dict(_devices(figures, "net", ("rx.bytes", "tx.bytes"))),
        disks=dict(_devices(figures, "block", ("rd.bytes", "wr.bytes"))),
        read=dict(_devices(figures, "block", ("rd.bytes",))),
        memory=memory_in_use(figures),
    )


def memory_in_use(figures: Json) -> float:
    """Percent in use. A guest whose balloon driver tells is believed as far as it makes sense; of any other the host
    knows what QEMU holds for it.
    """
    whole = figures.get("balloon.available")
    free = figures.get("balloon.usable", figures.get("balloon.unused"))
    if whole and free is not None:
        used = int(whole) - int(free)
    else:
        whole, used = figures.get("balloon.current"), int(figures.get("balloon.rss", 0))
    return min(100.0, max(0.0, 100.0 * used / int(whole))) if whole else 0.0


def _devices(figures: Json, group: str, ways: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Each device with its bytes; one that isn't counted now (its machine is busy) is left out."""
    for number in range(int(figures.get(f"{group}.count", 0))):
        counts = [figures.get(f"{group}.{number}.{way}") for way in ways]
        known = [int(count) for count in counts if count is not None]
        if known:
            yield str(figures.get(f"{group}.{number}.name", number)), sum(known)
