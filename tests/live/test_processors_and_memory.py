"""What QEMU and the host's kernel saw of a change of a machine's processors, I/O threads and memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lab.live_fields import shows_live
from tests.live.machine import LiveMachine

LIMITS = {
    "shares": ("cpu_shares", 512),
    "period": ("vcpu_period", 50000),
    "quota": ("vcpu_quota", 40000),
    "globalPeriod": ("global_period", 60000),
    "globalQuota": ("global_quota", 50000),
    "emulatorPeriod": ("emulator_period", 70000),
    "emulatorQuota": ("emulator_quota", 40000),
    "ioThreadPeriod": ("iothread_period", 80000),
    "ioThreadQuota": ("iothread_quota", 50000),
}


def threads(machine: LiveMachine) -> list[str]:
    return sorted(thread["id"] for thread in machine.ask("query-iothreads"))


def allowed(pid: int) -> str:
    """On which of the host's processors a thread may run."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("Cpus_allowed_list"))
    return line.split()[1]


@shows_live("ioThreads")
def test_qemu_has_the_io_threads_that_come_and_not_those_that_go(machine: LiveMachine) -> None:
    machine.start(ioThreads=1)
    machine.change(ioThreads=3)
    assert threads(machine) == ["iothread1", "iothread2", "iothread3"]
    machine.change(ioThreads=2)
    assert threads(machine) == ["iothread1", "iothread2"]


@shows_live("ioThreadPools", "ioThreadPools/least", "ioThreadPools/most")
def test_io_threads_come_by_number_with_pools_of_their_own(machine: LiveMachine) -> None:
    machine.start(ioThreads=1, ioThreadPools=[{"id": 1, "least": 2, "most": 8}])
    machine.change(ioThreads=2, ioThreadPools=[{"id": 1, "least": 4, "most": 16}, {"id": 7}])
    assert threads(machine) == ["iothread1", "iothread7"]
    pool = [machine.property("/objects/iothread1", f"thread-pool-{end}") for end in ("min", "max")]
    assert pool == [4, 16]


@shows_live("cpuTune/vcpuPins", "cpuTune/vcpuPins/processors", "cpuTune/emulatorPin")
@shows_live("cpuTune/ioThreadPins", "cpuTune/ioThreadPins/processors")
def test_the_kernel_runs_each_thread_where_it_is_pinned(machine: LiveMachine) -> None:
    everywhere = {"vcpuPins": [{"vcpu": 0, "processors": "0"}], "emulatorPin": "0"}
    machine.start(cpus=2, ioThreads=1, cpuTune=everywhere)
    pins = [{"vcpu": 0, "processors": "1"}, {"vcpu": 1, "processors": "0"}]
    moved = {"vcpuPins": pins, "emulatorPin": "1", "ioThreadPins": [{"ioThread": 1, "processors": "1"}]}
    machine.change(cpuTune=moved)
    vcpus = {vcpu["cpu-index"]: vcpu["thread-id"] for vcpu in machine.ask("query-cpus-fast")}
    (thread,) = machine.ask("query-iothreads")
    assert [allowed(vcpus[0]), allowed(vcpus[1]), allowed(thread["thread-id"])] == ["1", "0", "1"]
    again = {**moved, "ioThreadPins": [{"ioThread": 1, "processors": "0"}]}
    machine.change(cpuTune=again)
    assert allowed(thread["thread-id"]) == "0"


@shows_live("cpuTune/shares", "cpuTune/period", "cpuTune/quota", "cpuTune/globalPeriod", "cpuTune/globalQuota")
@shows_live("cpuTune/emulatorPeriod", "cpuTune/emulatorQuota", "cpuTune/ioThreadPeriod", "cpuTune/ioThreadQuota")
def test_the_host_gives_as_much_of_its_processors_as_is_declared(machine: LiveMachine) -> None:
    machine.start(ioThreads=1)
    machine.change(cpuTune={name: value for name, (_, value) in LIMITS.items()})
    assert scheduled(machine) == dict(LIMITS.values())


def scheduled(machine: LiveMachine) -> Mapping[str, Any]:
    found = machine.domain.schedulerParametersFlags(1)
    return {name: found[name] for name, _ in LIMITS.values()}


@shows_live("memoryTune")
def test_the_host_limits_the_memory_of_what_runs(machine: LiveMachine) -> None:
    machine.start()
    machine.change(memoryTune={"hardLimit": "4GiB", "softLimit": "2GiB", "swapHardLimit": "5GiB"})
    found = machine.domain.memoryParameters(1)
    assert [found[name] >> 20 for name in ("hard_limit", "soft_limit", "swap_hard_limit")] == [4, 2, 5]


@shows_live("numaTune/nodes")
def test_the_memory_of_what_runs_comes_from_the_declared_nodes(machine: LiveMachine) -> None:
    machine.start()
    machine.change(numaTune={"nodes": "0"})
    assert machine.domain.numaParameters(1)["numa_nodeset"] == "0"


ROOM: dict[str, Any] = {
    "cpus": 1,
    "memory": "1GiB",
    "memoryRoom": {"size": "4GiB", "slots": 4},
    "numa": {"cells": [{"id": 0, "cpus": "0", "memory": "1GiB"}]},
}
DIMM = {"model": "dimm", "size": "128MiB", "node": 0}


def modules(machine: LiveMachine) -> list[tuple[str, int]]:
    return sorted((each["type"], each["data"]["size"] >> 20) for each in machine.ask("query-memory-devices"))


@shows_live("memoryModules")
def test_a_module_of_memory_is_plugged_into_what_runs(machine: LiveMachine) -> None:
    machine.start(**ROOM)
    machine.change(memoryModules=[DIMM], memory="1152MiB")
    assert modules(machine) == [("dimm", 128)]
    machine.change(memoryModules=[DIMM, DIMM, {**DIMM, "size": "256MiB"}], memory="1536MiB")
    assert modules(machine) == [("dimm", 128), ("dimm", 128), ("dimm", 256)]


@shows_live("memoryModules/requested")
def test_a_guest_is_asked_for_another_part_of_a_virtio_mem(machine: LiveMachine) -> None:
    module = {"model": "virtio-mem", "size": "512MiB", "node": 0, "block": "2MiB", "requested": "0B"}
    machine.start(**ROOM | {"memory": "1536MiB"}, memoryModules=[module])
    machine.change(memoryModules=[{**module, "requested": "128MiB"}])
    (found,) = machine.ask("query-memory-devices")
    assert found["data"]["requested-size"] == 128 << 20


def test_a_thread_that_a_disk_uses_goes_at_the_next_boot_and_says_why(machine: LiveMachine) -> None:
    root: dict[str, Any] = {"name": "root", "size": "16MiB", "pool": machine.pool, "driver": {"ioThread": 2}}
    machine.start(ioThreads=2, disks=[root])
    done = machine.guest.apply(ioThreads=1, disks=[{**root, "driver": {"ioThread": 1}}])
    (waiting,) = done.remaining.waiting
    assert any("being used by disk" in change.note for change in waiting.changes)
    assert threads(machine) == ["iothread1", "iothread2"]
