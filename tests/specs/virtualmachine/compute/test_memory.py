"""NUMA cells and modules of memory: a machine is as large as they are together, in any order of changes."""

from __future__ import annotations

from typing import Any

import pytest

from specs.binding import parse
from specs.effect import Effect
from specs.virtualmachine.live import live_edits
from tests.specs.virtualmachine.test_machine import xml_of
from tests.specs.virtualmachine.world import QEMU, changed, diff, lowered, observed


def spec_of(*sizes: int, cpus: int = 2, modules: int = 0) -> dict[str, Any]:
    """Cells of so many GiB with so many CPUs each, and modules of 1 GiB."""
    spec: dict[str, Any] = {
        "cpus": cpus * len(sizes),
        "memory": f"{sum(sizes) + modules}GiB",
        "numa": {
            "cells": [
                {"id": place, "cpus": f"{place * cpus}-{place * cpus + cpus - 1}", "memory": f"{size}GiB"}
                for place, size in enumerate(sizes)
            ]
        },
    }
    if modules:
        spec["memoryRoom"] = {"size": "16GiB", "slots": 8}
        spec["memoryModules"] = [{"model": "dimm", "size": "1GiB", "node": 0}] * modules
    return spec


SPECS = [
    spec_of(1),
    spec_of(2, 1),
    spec_of(1, 1, 1),
    spec_of(2, 2, cpus=1),
    spec_of(1, modules=2),
    spec_of(1, 2, modules=1),
]


@pytest.mark.parametrize("before", SPECS)
@pytest.mark.parametrize("after", SPECS)
def test_cells_and_modules_are_as_declared_whatever_was_before(before: dict[str, Any], after: dict[str, Any]) -> None:
    text = changed(xml_of("<memory unit='GiB'>1</memory>"), before, QEMU)
    wanted = changed(text, after, QEMU, before)
    root, total = parse(wanted), lowered(after, QEMU, "web")["memory"]
    assert diff(after, wanted, QEMU, before) == []
    assert (observed(wanted)["memory"], observed(wanted)["maximumMemory"]) == (total, total)
    assert observed(wanted)["maximumCpus"] == after["cpus"]
    assert len(root.findall("cpu/numa/cell")) == len(after["numa"]["cells"])


def test_a_cell_that_nobody_declares_goes_where_cells_are_declared() -> None:
    two = changed(xml_of("<memory unit='GiB'>1</memory>"), spec_of(1, 1), QEMU)
    (only,) = parse(changed(two, spec_of(1), QEMU)).iterfind("cpu/numa/cell")
    assert only.get("id") == "0"


def test_memory_that_comes_with_a_module_is_live() -> None:
    text = changed(xml_of("<memory unit='GiB'>1</memory>"), spec_of(1), QEMU)
    effects = {change.pointer: change.effect for change in diff(spec_of(1, modules=1), text, QEMU)}
    assert effects["/memory"] is Effect.LIVE
    alone = {change.pointer: change.effect for change in diff({"memory": "2GiB"}, text, QEMU)}
    assert alone["/memory"] is Effect.NEXT_BOOT


def test_what_a_guest_does_not_use_of_a_virtio_mem_is_not_missed() -> None:
    module = {"model": "virtio-mem", "size": "1GiB", "node": 0, "block": "2MiB", "requested": "512MiB"}
    spec = {**spec_of(1), "memory": "2GiB", "memoryRoom": {"size": "4GiB", "slots": 1}, "memoryModules": [module]}
    text = changed(xml_of("<memory unit='GiB'>1</memory>"), spec, QEMU)
    running = text.replace('<currentMemory unit="MiB">2048', '<currentMemory unit="MiB">1280').replace(
        "<requested", "<current unit='KiB'>262144</current><requested"
    )
    assert diff(spec, running, QEMU) == []
    less = {**spec, "memory": "1536MiB", "maximumMemory": "2GiB"}
    (edit,) = live_edits(lowered(less, QEMU, "web"), parse(running), diff(less, running, QEMU))
    assert edit.value == str((1536 - 768) << 10), "the balloon counts without what the module keeps"


def test_distances_are_filled_in_as_libvirt_does() -> None:
    spec = spec_of(1, 1)
    spec["numa"]["cells"][0]["distances"] = [{"cell": 1, "value": 21}]
    (cell, _) = lowered(spec, QEMU, "web")["numa"]["cells"]
    assert cell["distances"] == [{"cell": 0, "value": 10}, {"cell": 1, "value": 21}]


def test_sizes_and_sets_are_the_same_however_they_are_written() -> None:
    spec = {"memoryTune": {"hardLimit": "2048MiB"}, "numaTune": {"mode": "strict", "nodes": "0,1,2"}}
    text = changed(xml_of(), spec, QEMU)
    assert diff({"memoryTune": {"hardLimit": "2GiB"}, "numaTune": {"nodes": "0-2"}}, text, QEMU) == []
