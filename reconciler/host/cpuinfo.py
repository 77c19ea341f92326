"""How the machine's CPUs are built: sockets, cores, threads. From libvirt's capabilities, or from the kernel's /sys.

libvirt is asked by somebody else; its answer comes in as text. What isn't known is 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from specs.binding import Element, parse

_CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True)
class CpuTopology:
    """`cores` of each socket; `threading_enabled`: the topology is known, so that a guest's may follow it."""

    threading_enabled: bool = False
    sockets: int = 0
    cores: int = 0
    threads_per_core: int = 0


UNKNOWN = CpuTopology()


@dataclass(frozen=True, slots=True)
class _Cpu:
    """Where one online CPU is. Cores are numbered anew in each die of a socket."""

    socket: str
    die: str
    core: str


def from_capabilities(xml: str) -> CpuTopology:
    """The topology in `virsh capabilities`' XML; UNKNOWN when it says nothing, or isn't XML."""
    try:
        root = parse(xml)
    except (etree.XMLSyntaxError, ValueError):
        return UNKNOWN
    cpus = [
        _Cpu(cpu.get("socket_id") or "", cpu.get("die_id") or "0", cpu.get("core_id") or "")
        for cpu in root.iterfind("host/topology/cells/cell/cpus/cpu")
        if cpu.get("socket_id") and cpu.get("core_id")  # an offline CPU has neither
    ]
    counted = _count(cpus)
    return counted if counted.threading_enabled else _told(root)


def from_sys(folder: Path = _CPUS) -> CpuTopology:
    """The topology that the kernel tells; UNKNOWN when it doesn't."""
    cpus = []
    for topology in folder.glob("cpu[0-9]*/topology"):
        socket, core = _text(topology / "physical_package_id"), _text(topology / "core_id")
        if socket and core:
            cpus.append(_Cpu(socket, _text(topology / "die_id") or "0", core))
    return _count(cpus)


def _count(cpus: Iterable[_Cpu]) -> CpuTopology:
    sockets: defaultdict[str, defaultdict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for cpu in cpus:
        sockets[cpu.socket][cpu.die, cpu.core] += 1
    if not sockets:
        return UNKNOWN
    # A socket with CPUs switched off doesn't make the others smaller.
    return CpuTopology(
        threading_enabled=True,
        sockets=len(sockets),
        cores=max(len(cores) for cores in sockets.values()),
        threads_per_core=max(count for cores in sockets.values() for count in cores.values()),
    )


def _told(root: Element) -> CpuTopology:
    """What libvirt sums up itself. Its sockets are those of one NUMA node, its cores those of one die."""
    topology = root.find("host/cpu/topology")
    if topology is None:
        return UNKNOWN
    sockets, cores, threads = (_number(topology.get(name)) for name in ("sockets", "cores", "threads"))
    if not (sockets and cores and threads):
        return UNKNOWN
    nodes = len(root.findall("host/topology/cells/cell")) or 1
    return CpuTopology(True, sockets * nodes, cores * (_number(topology.get("dies")) or 1), threads)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
    return "" if text.startswith("-") else text  # -1: the platform doesn't know
