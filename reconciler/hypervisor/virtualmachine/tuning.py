"""Sets what a running machine gets of its host's processors and memory, and which I/O threads it has.

What is already so is set once more, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import libvirt

from specs.binding import Element
from specs.codecs import bytes_of
from specs.virtualmachine.compute.ranges import numbers

_LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
_KIB = 1024
_SCHEDULER: Final = {
    "shares": "cpu_shares",
    "period": "vcpu_period",
    "quota": "vcpu_quota",
    **{
        f"{whose}_{what}": f"{whose}_{what}"
        for whose in ("global", "emulator", "iothread")
        for what in ("period", "quota")
    },
}
_MEMORY: Final = ("hard_limit", "soft_limit", "swap_hard_limit")
_POOL: Final = ("thread_pool_min", "thread_pool_max")


def tune(domain: libvirt.virDomain, wanted: Element) -> None:
    """Have a running machine as an element of its definition says."""
    _TUNERS[str(wanted.tag)](domain, wanted)


def _processors(domain: libvirt.virDomain, wanted: Element) -> None:
    for each in wanted:
        tag = str(each.tag)
        if tag in _SCHEDULER:
            domain.setSchedulerParametersFlags({_SCHEDULER[tag]: int(each.text or "")}, _LIVE)
        elif tag == "vcpupin":
            domain.pinVcpuFlags(int(each.get("vcpu") or ""), _map(each), _LIVE)
        elif tag == "iothreadpin":
            domain.pinIOThread(int(each.get("iothread") or ""), _map(each), _LIVE)
        else:
            domain.pinEmulator(_map(each), _LIVE)


def _map(pin: Element) -> tuple[bool, ...]:
    chosen = numbers(pin.get("cpuset") or "")
    return tuple(number in chosen for number in range(max(chosen, default=0) + 1))


def _memory(domain: libvirt.virDomain, wanted: Element) -> None:
    limits = {
        str(each.tag): (bytes_of(each.text or "", each.get("unit") or "KiB") or 0) // _KIB
        for each in wanted
        if each.tag in _MEMORY
    }
    domain.setMemoryParameters(limits, _LIVE)


def _nodes(domain: libvirt.virDomain, wanted: Element) -> None:
    for memory in wanted.iterfind("memory"):
        domain.setNumaParameters({"numa_nodeset": memory.get("nodeset") or ""}, _LIVE)


def _threads(domain: libvirt.virDomain, wanted: Element) -> None:
    """Those that are named, and no others."""
    there = {int(each[0]) for each in domain.ioThreadInfo(_LIVE)}
    named = {int(each.get("id") or ""): each for each in wanted}
    for number in sorted(there - named.keys(), reverse=True):
        domain.delIOThread(number, _LIVE)
    for number, thread in named.items():
        if number not in there:
            domain.addIOThread(number, _LIVE)
        pool = {name: int(text) for name in _POOL if (text := thread.get(name)) is not None}
        if pool:
            domain.setIOThreadParams(number, pool, _LIVE)


_TUNERS: Final[Mapping[str, Callable[[libvirt.virDomain, Element], None]]] = {
    "cputune": _processors,
    "memtune": _memory,
    "numatune": _nodes,
    "iothreadids": _threads,
}
