"""Sockets, cores and threads, from libvirt's words and from the kernel's; nothing is made up."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest

from reconciler.host.cpuinfo import UNKNOWN, CpuTopology, from_capabilities, from_sys


def capabilities(cpus: str = "", topology: str = "", cells: int = 1) -> str:
    each = f"<cell id='0'><cpus>{cpus}</cpus></cell>"
    return f"""<capabilities><host><cpu>{topology}</cpu>
      <topology><cells>{each * cells}</cells></topology></host></capabilities>"""


def cpu(number: int, socket: int, core: int, die: int = 0) -> str:
    return f"<cpu id='{number}' socket_id='{socket}' die_id='{die}' core_id='{core}' siblings='{number}'/>"


TWO_SOCKETS_OF_TWO_CORES_OF_TWO_THREADS = "".join(cpu(n, n // 4, n // 2 % 2) for n in range(8))


@pytest.mark.parametrize(
    ("xml", "found"),
    [
        (capabilities(TWO_SOCKETS_OF_TWO_CORES_OF_TWO_THREADS), CpuTopology(True, 2, 2, 2)),
        (
            capabilities("".join(cpu(n, 0, n % 4, die=n // 4) for n in range(8))),
            CpuTopology(True, 1, 8, 1),
        ),
        (capabilities(cpu(0, 0, 0) + "<cpu id='1'/>"), CpuTopology(True, 1, 1, 1)),
        (
            capabilities(topology="<topology sockets='1' dies='2' cores='4' threads='2'/>", cells=2),
            CpuTopology(True, 2, 8, 2),
        ),
        (capabilities(topology="<topology sockets='1' cores='many' threads='2'/>"), UNKNOWN),
        (capabilities(), UNKNOWN),
        ("<capabilities/>", UNKNOWN),
        ("<capabilities", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_what_libvirt_tells(xml: str, found: CpuTopology) -> None:
    assert from_capabilities(xml) == found


def test_what_isnt_known_is_nothing() -> None:
    assert CpuTopology(threading_enabled=False, sockets=0, cores=0, threads_per_core=0) == UNKNOWN


def test_the_kernel_tells_the_same(tmp_path: Path) -> None:
    for number in range(8):
        topology = tmp_path / f"cpu{number}/topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text(f"{number // 4}\n")
        (topology / "core_id").write_text(f"{number // 2 % 2}\n")
    (tmp_path / "cpufreq").mkdir()
    assert from_sys(tmp_path) == CpuTopology(True, 2, 2, 2)
    (tmp_path / "cpu0/topology/physical_package_id").write_text("-1\n")
    assert from_sys(tmp_path) == CpuTopology(True, 2, 2, 2)
    assert from_sys(tmp_path / "nothing") == UNKNOWN


@pytest.mark.qemu
def test_both_agree_on_this_machine(qemu_connection: libvirt.virConnect) -> None:
    assert from_capabilities(qemu_connection.getCapabilities()) == from_sys()
