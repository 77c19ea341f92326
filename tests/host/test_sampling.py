"""The load is what really moved: no clock and no counter makes the machine look faster than any machine is."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.host.counters import Memory, Reading, is_hardware, read_counters
from reconciler.host.sampling import FASTEST_B_S, KEPT, Sampler, sample
from tests.lab.waiting import until

NUMBERS = st.integers(min_value=0, max_value=2**64)
SECONDS = st.floats(min_value=-1e6, max_value=1e9, allow_nan=False)
DEVICES = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.tuples(NUMBERS, NUMBERS))
READINGS = st.builds(
    Reading,
    at_s=SECONDS,
    cpu_total_s=SECONDS,
    cpu_idle_s=SECONDS,
    memory=st.just(Memory()),
    disks=DEVICES,
    nics=DEVICES,
)


@given(READINGS, READINGS)
def test_no_pair_of_readings_gives_an_absurd_sample(before: Reading, after: Reading) -> None:
    found = sample(before, after)
    assert 0 <= found.cpu_utilization <= 100
    for rate in (found.disk_read_rate, found.disk_write_rate, found.net_recv_rate, found.net_sent_rate):
        assert 0 <= rate <= 3 * FASTEST_B_S


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 2**40), st.floats(min_value=0.2, max_value=60))
def test_what_moved_is_what_is_told(moved_in: int, moved_out: int, start: int, elapsed_s: float) -> None:
    before = Reading(100.0, disks={"vda": (start, start)}, nics={"eth0": (start, start)})
    after = Reading(
        100.0 + elapsed_s,
        disks={"vda": (start + moved_in, start + moved_out)},
        nics={"eth0": (start + moved_in, start + moved_out)},
    )
    found = sample(before, after)
    assert found.disk_read_rate == pytest.approx(moved_in / elapsed_s, abs=1, rel=1e-6)
    assert found.disk_write_rate == pytest.approx(moved_out / elapsed_s, abs=1, rel=1e-6)
    assert (found.net_recv_rate, found.net_sent_rate) == (found.disk_read_rate, found.disk_write_rate)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param((1.0, 2**32 - 10), (2.0, 90), id="the counter wrapped"),
        pytest.param((1.0, 10**12), (2.0, 0), id="the driver was loaded again"),
        pytest.param((1.0, 0), (2.0, 2**60), id="another NIC has the name now"),
        pytest.param((1.0, 0), (1.0, 10**6), id="the clock stood still"),
        pytest.param((9.0, 0), (2.0, 10**6), id="the clock went backwards"),
    ],
)
def test_a_jump_is_no_traffic(before: tuple[float, int], after: tuple[float, int]) -> None:
    old, new = (Reading(at, nics={"eth0": (count, count)}) for at, count in (before, after))
    assert sample(old, new).net_recv_rate == 0


def test_a_jump_of_one_nic_hides_no_other() -> None:
    before = Reading(1.0, nics={"eth0": (500, 0), "eth1": (0, 0)})
    after = Reading(2.0, nics={"eth0": (0, 0), "eth1": (700, 0), "eth2": (10**9, 0)})
    assert sample(before, after).net_recv_rate == 700


def test_a_machine_that_slept_spreads_what_moved_over_the_time() -> None:
    before, after = Reading(0.0, disks={"vda": (0, 0)}), Reading(3600.0, disks={"vda": (3_600_000, 0)})
    assert sample(before, after).disk_read_rate == 1000


def test_the_cpus_share() -> None:
    before, after = Reading(0, cpu_total_s=100, cpu_idle_s=80), Reading(1, cpu_total_s=102, cpu_idle_s=81.5)
    assert sample(before, after).cpu_utilization == 25.0


def test_memory_that_is_to_be_had() -> None:
    assert Memory(total=100, free=10, cached=20, buffers=5).avail == 35


def test_a_minute_is_kept() -> None:
    times = iter(range(1000))
    sampler = Sampler(lambda: Reading(float(next(times)), nics={"eth0": (0, 0)}))
    for _ in range(3 * KEPT):
        sampler.turn()
    assert len(sampler.history()) == KEPT
    assert sampler.current() is sampler.history()[-1]


def test_readings_on_top_of_each_other_are_one() -> None:
    readings = iter(
        [Reading(1.0, nics={"a": (0, 0)}), Reading(1.001, nics={"a": (900, 0)}), Reading(2.0, nics={"a": (1000, 0)})]
    )
    sampler = Sampler(lambda: next(readings))
    for _ in range(3):
        sampler.turn()
    assert [each.net_recv_rate for each in sampler.history()] == [0, 1000]


def test_a_sampler_that_was_never_started_answers() -> None:
    sampler = Sampler()
    assert sampler.history() == ()
    assert sampler.current().memory.total == psutil.virtual_memory().total


def test_a_reading_that_fails_stops_nothing() -> None:
    clock = iter(range(10**6))
    broken = threading.Event()

    def read() -> Reading:
        at = next(clock)
        if at == 2:
            broken.set()
            raise RuntimeError("an odd kernel")
        return Reading(float(at))

    sampler = Sampler(read, interval_s=0.001)
    sampler.start()
    until(lambda: len(sampler.history()) > 5, 60, "samples after the failure")
    sampler.stop()
    assert broken.is_set()


def test_this_machine_is_sampled() -> None:
    sampler = Sampler(interval_s=0.15)
    sampler.start()
    sampler.start()
    until(lambda: len(sampler.history()) > 2, 60, "some samples")
    sampler.stop()
    assert sampler.current().missing == ()
    kept = sampler.history()
    sampler.turn()
    assert len(kept) >= 3


def test_only_hardware_is_counted() -> None:
    found = read_counters()
    assert "lo" not in found.nics
    assert set(found.disks) <= {path.name for path in Path("/sys/block").iterdir()}
    assert not [name for name in found.disks if name.startswith(("loop", "dm-", "md", "zram"))]
    assert not is_hardware(Path("/sys/class/net"), "../net/lo")


def test_what_the_kernel_doesnt_tell_is_nothing_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise NotImplementedError("not sure how to interpret line 'x'")

    monkeypatch.setattr(psutil, "disk_io_counters", refuse)
    found = read_counters()
    assert found.disks == {}
    assert found.memory.total
    assert "traffic of its disks" in found.missing[0]
