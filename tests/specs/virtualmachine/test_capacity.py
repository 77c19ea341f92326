"""Room to grow: a maximum of memory and processors beside what there is, in any order of changes."""

from __future__ import annotations

from typing import Any

import pytest

from specs.binding import parse
from specs.effect import Effect
from specs.virtualmachine.model import check
from tests.specs.virtualmachine.test_machine import xml_of
from tests.specs.virtualmachine.world import QEMU, changed, diff, observed

PLAIN = xml_of("<memory unit='MiB'>1024</memory>", "<vcpu>2</vcpu>")
ROOMY = xml_of(
    "<memory unit='MiB'>4096</memory><currentMemory unit='MiB'>1024</currentMemory>", "<vcpu current='2'>8</vcpu>"
)


@pytest.mark.parametrize("text", [PLAIN, ROOMY], ids=["without room", "with room"])
@pytest.mark.parametrize(
    ("memory", "maximum"), [(512, 1024), (1024, 1024), (1024, 2048), (2048, 4096), (3000, 3000), (512, None)]
)
def test_memory_and_its_maximum_are_as_declared(text: str, memory: int, maximum: int | None) -> None:
    spec = {"memory": memory} | ({"maximumMemory": maximum} if maximum else {})
    seen = observed(changed(text, spec, QEMU))
    assert seen["memory"] == memory
    assert seen["maximumMemory"] == (maximum or (4096 if text == ROOMY else 512))


@pytest.mark.parametrize("text", [PLAIN, ROOMY], ids=["without room", "with room"])
@pytest.mark.parametrize(("cpus", "maximum"), [(1, 2), (2, 2), (2, 4), (4, 8), (8, 8), (1, None)])
def test_processors_and_their_maximum_are_as_declared(text: str, cpus: int, maximum: int | None) -> None:
    spec = {"cpus": cpus} | ({"maximumCpus": maximum} if maximum else {})
    seen = observed(changed(text, spec, QEMU))
    assert seen["cpus"] == cpus
    assert seen["maximumCpus"] == (maximum or (8 if text == ROOMY else 1))


def test_a_maximum_alone_leaves_what_there_is() -> None:
    seen = observed(changed(PLAIN, {"maximumMemory": "8GiB", "maximumCpus": 16}, QEMU))
    assert (seen["memory"], seen["maximumMemory"], seen["cpus"], seen["maximumCpus"]) == (1024, 8192, 2, 16)
    fewer = observed(changed(ROOMY, {"maximumMemory": 512, "maximumCpus": 1}, QEMU))
    assert (fewer["memory"], fewer["cpus"]) == (512, 1), "what there is can't be more than there may be"


def test_memory_that_is_no_whole_number_of_mebibytes_is_kept_to_the_byte() -> None:
    odd = xml_of("<memory unit='KiB'>1000001</memory>")
    assert parse(changed(odd, {"maximumMemory": 2048}, QEMU)).findtext("currentMemory") == "1000001"


def test_a_topology_is_that_of_the_maximum() -> None:
    topology = {"sockets": 1, "cores": 4, "threads": 2}
    text = changed(PLAIN, {"cpus": 2, "maximumCpus": 8, "cpuTopology": topology}, QEMU)
    seen = observed(text)
    assert (seen["cpus"], seen["maximumCpus"], seen["cpuTopology"]) == (2, 8, topology)
    (change,) = diff({"cpus": 5, "maximumCpus": 8, "cpuTopology": topology}, text, QEMU)
    assert (change.pointer, change.effect) == ("/cpus", Effect.LIVE)


def test_a_topology_with_a_maximum_says_nothing_about_how_many_there_are() -> None:
    text = changed(ROOMY, {"maximumCpus": 8, "cpuTopology": {"sockets": 8, "cores": 1, "threads": 1}}, QEMU)
    assert observed(text)["cpus"] == 2


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"cpus": 4, "maximumCpus": 2}, "/maximumCpus"),
        ({"memory": 2048, "maximumMemory": "1GiB"}, "/maximumMemory"),
        ({"maximumMemory": "1MiB"}, "/maximumMemory"),
        ({"cpus": 2, "maximumCpus": 4, "cpuTopology": {"sockets": 2, "cores": 1, "threads": 1}}, "/cpuTopology"),
        ({"graphics": {"passwordValidTo": "2030-01-01T00:00:00Z"}}, "/graphics/passwordValidTo"),
        (
            {"graphics": {"passwordFrom": {"env": "X"}, "passwordValidTo": "2030-02-30T00:00:00Z"}},
            "/graphics/passwordValidTo",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_at_its_place(spec: dict[str, Any], pointer: str) -> None:
    assert pointer in [where for where, _ in check("web", spec)]


@pytest.mark.parametrize(
    "spec",
    [
        {"cpus": 2, "maximumCpus": 2, "memory": "2GiB", "maximumMemory": 2048},
        {"maximumCpus": 4, "cpuTopology": {"sockets": 2, "cores": 2, "threads": 1}},
        {"cpus": 1, "maximumCpus": 4, "cpuTopology": {"sockets": 2, "cores": 2, "threads": 1}},
        {"graphics": {"passwordFrom": {"env": "X"}, "passwordValidTo": "never"}},
        {"template": "small", "graphics": {"passwordValidTo": "2028-02-29T00:00:00Z"}},
    ],
)
def test_what_fits_together_is_taken(spec: dict[str, Any]) -> None:
    assert list(check("web", spec)) == []
