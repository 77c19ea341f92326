"""Statistics of running machines: never absurd, never in the way, and quiet while the host is away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Disconnected, Terminal
from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.virtualmachine.sampling import Statistics, pause_s
from reconciler.observed.counters import MOST_BYTES_PER_S, Counters, Rates, rates
from reconciler.observed.statistics import IDLE, RECENT, MachineStatistics
from reconciler.planning.operations import Resume, Start, Stop
from specs.reference import VIRTUAL_MACHINE, Ref
from tests.hypervisor.conftest import Made, machine
from tests.lab.libvirtd import HostObjects
from tests.lab.waiting import until

WEB = Ref(VIRTUAL_MACHINE, "web")
SECOND_NS = 1_000_000_000
DISK = """<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{}'/>
  <target dev='vda' bus='virtio'/></disk>"""

whole = st.integers(min_value=0, max_value=2**64 - 1)
devices = st.dictionaries(st.sampled_from(["vda", "vdb", "vnet0"]), whole)
countings = st.builds(
    Counters,
    run=st.sampled_from(["a", "b"]),
    cpu_ns=st.none() | whole,
    vcpus=st.integers(min_value=0, max_value=1000),
    interfaces=devices,
    disks=devices,
)


class Played:
    """Countings that a test plays one after the other; an error among them is raised."""

    def __init__(self) -> None:
        self.now: Mapping[Ref, Counters] | Exception = {}

    def __call__(self) -> Mapping[Ref, Counters]:
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


@pytest.fixture
def played() -> Played:
    return Played()


@pytest.fixture
def statistics(played: Played) -> Statistics:
    return Statistics(played)


def count(run: str = "1", *, cpu_s: float = 0, vcpus: int = 1, net: int = 0, io: int = 0) -> dict[Ref, Counters]:
    return {WEB: Counters(run, int(cpu_s * SECOND_NS), vcpus, {"vnet0": net}, {"vda": io})}


def seen(statistics: Statistics) -> MachineStatistics:
    found = statistics.of(WEB)
    assert found is not None
    return found


@given(before=countings, after=countings, elapsed_s=st.floats(allow_nan=True, allow_infinity=True))
def test_no_two_countings_give_an_absurd_rate(before: Counters, after: Counters, elapsed_s: float) -> None:
    found = rates(before, after, elapsed_s)
    if found is not None:
        assert before.run == after.run
        assert 0 <= found.cpu <= 100
        assert 0 <= found.net <= MOST_BYTES_PER_S / 1000
        assert 0 <= found.io <= MOST_BYTES_PER_S / 1024


@given(st.lists(st.tuples(countings, st.floats(min_value=-10, max_value=10)), max_size=80))
def test_no_sequence_of_countings_publishes_an_absurd_figure(steps: list[tuple[Counters, float]]) -> None:
    played = Played()
    statistics = Statistics(played)
    now = 100.0
    for counters, elapsed_s in steps:
        now += elapsed_s
        played.now = {WEB: counters}
        statistics.sample_once(now)
        found = seen(statistics)
        assert 0 <= found.cpu_utilization <= 100
        assert 0 <= found.net_throughput <= found.net_throughput_peak
        assert 0 <= found.io_throughput <= found.io_throughput_peak
        assert min(found.net_throughput_peak, found.io_throughput_peak) >= 100


def test_units_are_percent_of_all_cpus_and_kilobytes_of_1000_and_of_1024_bytes(
    statistics: Statistics, played: Played
) -> None:
    played.now = count(cpu_s=10, vcpus=2, net=500, io=1024)
    statistics.sample_once(50.0)
    assert seen(statistics) == IDLE
    played.now = count(cpu_s=11, vcpus=2, net=500 + 400_000, io=1024 + 4096)
    statistics.sample_once(52.0)
    assert seen(statistics) == MachineStatistics(25.0, 200.0, 200.0, 2.0, 100.0)


def test_a_peak_is_the_highest_recent_value_and_goes_with_time(statistics: Statistics, played: Played) -> None:
    played.now = count()
    statistics.sample_once(0.0)
    played.now = count(net=9_000_000)
    statistics.sample_once(1.0)
    for second in range(2, RECENT + 1):
        statistics.sample_once(float(second))
    assert (seen(statistics).net_throughput, seen(statistics).net_throughput_peak) == (0.0, 9000.0)
    statistics.sample_once(RECENT + 1.0)
    assert seen(statistics) == IDLE


def test_a_machine_started_anew_begins_at_nothing(statistics: Statistics, played: Played) -> None:
    played.now = count(net=0)
    statistics.sample_once(0.0)
    played.now = count(net=5_000_000)
    statistics.sample_once(1.0)
    played.now = count("2", cpu_s=500, net=900_000_000)
    statistics.sample_once(2.0)
    assert seen(statistics) == IDLE


@pytest.mark.parametrize("then", [0.5, 1.0, 1.001])
def test_a_clock_that_stands_still_or_goes_back_gives_no_new_rate(
    then: float, statistics: Statistics, played: Played
) -> None:
    played.now = count()
    statistics.sample_once(0.0)
    played.now = count(net=50_000)
    statistics.sample_once(1.0)
    before = seen(statistics)
    played.now = count(net=90_000_000)
    statistics.sample_once(then)
    assert seen(statistics) == before


def test_what_a_new_disk_counted_before_is_not_of_now() -> None:
    before = Counters("1", 0, 1, {}, {"vda": 1024})
    after = Counters("1", 0, 1, {}, {"vda": 2048, "vdb": 1 << 40})
    assert rates(before, after, 1.0) == Rates(0.0, 0.0, 1.0)
    assert rates(after, before, 1.0) is None


def test_a_machine_that_vanished_has_no_statistics(statistics: Statistics, played: Played) -> None:
    played.now = count()
    statistics.sample_once(0.0)
    published = statistics.all()
    played.now = {}
    statistics.sample_once(1.0)
    assert statistics.of(WEB) is None
    assert dict(published) == {WEB: IDLE}  # whoever took a reference keeps what was true then


def test_a_lost_connection_is_no_warning_and_ends_nothing(
    statistics: Statistics, played: Played, caplog: pytest.LogCaptureFixture
) -> None:
    played.now = count()
    statistics.sample_once(0.0)
    played.now = Disconnected("gone.")
    statistics.sample_once(1.0)
    assert statistics.of(WEB) is None
    played.now = count(io=4096)
    statistics.sample_once(2.0)
    assert seen(statistics).io_throughput == 2.0
    played.now = Terminal("an odd machine.")
    statistics.sample_once(3.0)
    assert seen(statistics).io_throughput == 2.0
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


def test_sampling_takes_a_twentieth_of_the_time_at_most() -> None:
    assert pause_s(0.005, 1) == 1.0
    assert pause_s(0.1, 200) == 10.0
    assert pause_s(1.0, 200) == pytest.approx(19.0)
    assert pause_s(500.0, 1) == 60.0


def test_a_driver_without_figures_gives_nothing_but_zeros(test_host: Hypervisor) -> None:
    web = machine("web", kind="test")
    test_host.perform(web.define)
    test_host.perform(Start(web.ref))
    statistics = Statistics(test_host.machine_statistics)
    statistics.sample_once(0.0)
    statistics.sample_once(1.0)
    assert statistics.all() == {web.ref: IDLE}


def test_sampling_does_not_connect_by_itself(test_host: Hypervisor) -> None:
    with pytest.raises(Disconnected):
        test_host.machine_statistics()
    assert not test_host.connected


def test_the_sampler_has_a_thread_that_ends_when_told(test_host: Hypervisor) -> None:
    web = machine("web", kind="test")
    test_host.perform(web.define)
    test_host.perform(Start(web.ref))
    statistics, stop = Statistics(test_host.machine_statistics), threading.Event()
    statistics.start(stop)
    assert "onggi-statistics" in [thread.name for thread in threading.enumerate()]
    until(lambda: statistics.of(web.ref), 60, "the sampler finds the running machine")
    test_host.perform(Stop(web.ref))
    until(lambda: statistics.of(web.ref) is None, 60, "the sampler notices that it stopped")
    stop.set()
    statistics.join(60)
    assert "onggi-statistics" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.qemu
def test_a_real_machine_is_counted_by_its_devices(
    qemu_host: Hypervisor, paused_machine: Callable[..., Made], dir_pool_folder: Path
) -> None:
    disk = dir_pool_folder / "data.raw"
    disk.write_bytes(bytes(1 << 20))
    web = paused_machine(
        "web",
        DISK.format(disk) + "<interface type='user'/>",
    )
    counted = qemu_host.machine_statistics()[web.ref]
    assert counted.run.startswith(web.uid)
    assert counted.vcpus == 1
    assert counted.cpu_ns is not None
    assert counted.cpu_ns > 0
    assert dict(counted.disks) == {"vda": 0}
    statistics = Statistics(qemu_host.machine_statistics)
    statistics.sample_once(0.0)
    statistics.sample_once(1.0)
    found = statistics.of(web.ref)
    assert found is not None
    assert (found.net_throughput, found.io_throughput) == (0.0, 0.0)
    assert 0 <= found.cpu_utilization <= 100


@pytest.mark.qemu
def test_what_a_real_machine_does_is_seen(
    qemu_host: Hypervisor, host_objects: HostObjects, dir_pool_folder: Path
) -> None:
    disk = dir_pool_folder / "data.raw"
    disk.write_bytes(bytes(1 << 20))
    web = machine(host_objects.name("web"), devices=DISK.format(disk))
    qemu_host.perform(web.define)
    statistics = Statistics(qemu_host.machine_statistics)
    qemu_host.perform(Start(web.ref, paused=True))
    statistics.sample_once(0.0)
    qemu_host.perform(Resume(web.ref))
    until(lambda: qemu_host.machine_statistics()[web.ref].disks["vda"], 60, "its BIOS looks for something to boot")
    statistics.sample_once(0.1)
    found = statistics.of(web.ref)
    assert found is not None
    assert found.io_throughput > 0
    assert 0 < found.cpu_utilization <= 100
