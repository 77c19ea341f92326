"""The order in which a running machine is told things: nothing waits behind a guest that takes its time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.operations import EditLive
from reconciler.planning.virtualmachine.live_edits import in_order
from specs.reference import VIRTUAL_MACHINE, Ref

WEB = Ref(VIRTUAL_MACHINE, "web")


def disk(verb: str, target: str) -> EditLive:
    return EditLive(WEB, verb, f"<disk><target dev='{target}'/></disk>")  # type: ignore[arg-type]


MEMORY, TITLE, CPUS = EditLive(WEB, "memory", "1024"), EditLive(WEB, "title", "x"), EditLive(WEB, "vcpus", "2")
CONTROLLER = EditLive(WEB, "attach", "<controller type='scsi'/>")


def test_what_waits_for_the_guest_goes_last() -> None:
    edits = [MEMORY, disk("detach", "vdb"), disk("attach", "vdc"), TITLE, CPUS]
    assert in_order(edits) == [TITLE, CPUS, disk("attach", "vdc"), disk("detach", "vdb"), MEMORY]


def test_a_device_that_takes_the_name_of_one_that_goes_comes_after_it() -> None:
    edits = [disk("attach", "vdb"), disk("attach", "vdc"), disk("detach", "vdb")]
    assert in_order(edits) == [disk("attach", "vdc"), disk("detach", "vdb"), disk("attach", "vdb")]


def test_a_controller_comes_before_its_first_disk() -> None:
    assert in_order([CONTROLLER, disk("attach", "sda"), TITLE]) == [TITLE, CONTROLLER, disk("attach", "sda")]


@given(st.permutations([MEMORY, TITLE, CPUS, CONTROLLER, disk("detach", "vdb"), disk("attach", "vdb")]))
def test_nothing_is_lost_or_said_twice(edits: list[EditLive]) -> None:
    found = in_order(edits)
    assert sorted(map(repr, found)) == sorted(map(repr, edits))
    assert found[-1] == MEMORY
