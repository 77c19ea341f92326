"""A guest that hasn't its memory yet when it is seen first is on its way: libvirt told it, and nobody changed it."""

from __future__ import annotations

from reconciler.hypervisor.virtualmachine.refusals import Refusals
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import EditLive
from tests.planning.values import vm

WEB = vm("web")


def running(mib: int, run: int = 1, declared: int = 64) -> Observed:
    def xml(current: int, number: str = "") -> str:
        return (
            f"<domain type='qemu'{number}><name>web</name><memory>524288</memory>"
            f"<currentMemory>{current * 1024}</currentMemory><os><type>hvm</type></os></domain>"
        )

    return Observed(WEB, "u", xml(declared), xml(mib, f" id='{run}'"), "running")


def held(refusals: Refusals) -> set[tuple[str, str]]:
    return {(edit.value, run) for edit, run in refusals.known()}


def test_the_balloon_of_a_machine_that_was_just_started_is_waited_for() -> None:
    refusals = Refusals()
    refusals.look({WEB: running(512)})
    assert held(refusals) == {("65536", "1")}
    refusals.look({WEB: running(200)})
    assert held(refusals) == {("65536", "1")}
    refusals.look({WEB: running(64)})
    assert held(refusals) == set()
    refusals.look({WEB: running(96)})
    assert held(refusals) == set(), "what differs after it had followed was changed by hand"


def test_a_new_run_is_told_anew_and_one_that_lacks_memory_is_told_by_us() -> None:
    refusals = Refusals()
    refusals.look({WEB: running(64)})
    refusals.look({WEB: running(512, run=2)})
    assert held(refusals) == {("65536", "2")}
    refusals.look({WEB: running(32, run=3)})
    assert ("65536", "3") not in held(refusals)


def test_what_we_said_ourselves_counts_for_its_run() -> None:
    refusals = Refusals()
    refusals.told(EditLive(WEB, "memory", "65536"), "1", "told")
    refusals.look({WEB: running(512)})
    assert held(refusals) == {("65536", "1")}
