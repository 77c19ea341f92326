"""What can't be about a machine's processors and memory is said at its place, before libvirt is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from specs.document import API_VERSION, parse
from specs.validate import validate

CELLS: dict[str, Any] = {
    "cpus": 4,
    "memory": "2GiB",
    "numa": {"cells": [{"id": 0, "cpus": "0-1", "memory": "1GiB"}, {"id": 1, "cpus": "2-3", "memory": "1GiB"}]},
}
ROOM: dict[str, Any] = {**CELLS, "memory": "3GiB", "memoryRoom": {"size": "8GiB", "slots": 2}}
DIMM: dict[str, Any] = {"model": "dimm", "size": "1GiB", "node": 0}
VIRTIO: dict[str, Any] = {"model": "virtio-mem", "size": "1GiB", "node": 0, "block": "2MiB", "requested": "0B"}


def cells(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**CELLS, "numa": {"cells": list(found), **more}}


def broken(spec: dict[str, Any]) -> list[str]:
    body = {"apiVersion": API_VERSION, "kind": "VirtualMachine", "metadata": {"name": "web"}, "spec": spec}
    parsed = parse("web.yaml", json.dumps(body).encode())
    found = [*parsed.problems, *(problem for document in parsed.documents for problem in validate(document))]
    return [str(problem.pointer).removeprefix("/spec") for problem in found]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"cpuMode": "custom"}, "/cpuMode"),
    ({"cpu": {"model": "Nehalem"}}, "/cpu/model"),
    ({"cpuMode": "host-model", "cpu": {"model": "Nehalem"}}, "/cpu/model"),
    ({"cpuMode": "host-model", "cpu": {"match": "exact"}}, "/cpu/match"),
    ({"cpuMode": "host-model", "cpu": {"migratable": True}}, "/cpu/migratable"),
    ({"cpuMode": "host-model", "cpu": {"vendor": "AMD"}}, "/cpu/vendor"),
    ({"cpuMode": "host-model", "cpu": {"features": [{"name": "a"}, {"name": "a"}]}}, "/cpu/features/1"),
    ({"cpuMode": "host-model", "cpu": {"cache": "passthrough"}}, "/cpu/cache"),
    ({"cpuMode": "host-passthrough", "cpu": {"addressBits": {"mode": "emulate"}}}, "/cpu/addressBits"),
    (
        {"cpuMode": "host-passthrough", "cpu": {"addressBits": {"mode": "passthrough", "bits": 40}}},
        "/cpu/addressBits/bits",
    ),
    ({"cpuMode": "host-passthrough", "domainType": "emulated"}, "/cpuMode"),
    (
        {"cpus": 4, "cpuTopology": {"sockets": 1, "dies": 2, "cores": 4, "threads": 1}},
        "/cpuTopology",
    ),
    ({**CELLS, "memory": "3GiB"}, "/numa/cells"),
    ({**CELLS, "maximumMemory": "4GiB"}, "/numa/cells"),
    ({**CELLS, "cpus": 5}, "/numa/cells"),
    ({**CELLS, "cpus": 3}, "/numa/cells"),
    ({"numa": CELLS["numa"], "cpus": 4}, "/numa/cells"),
    ({"numa": CELLS["numa"], "memory": "2GiB"}, "/numa/cells"),
    (
        cells({"id": 0, "cpus": "0-2", "memory": "1GiB"}, {"id": 1, "cpus": "2-3", "memory": "1GiB"}),
        "/numa/cells/1/cpus",
    ),
    (cells({"id": 0, "cpus": "0-3", "memory": "1GiB"}, {"id": 0, "memory": "1GiB"}), "/numa/cells/1"),
    (cells({"id": 0, "cpus": "0-3", "memory": "1GiB"}, {"id": 2, "memory": "1GiB"}), "/numa/cells"),
    (
        cells({"id": 0, "cpus": "0-3", "memory": "2GiB", "distances": [{"cell": 7, "value": 20}]}),
        "/numa/cells/0/distances/0/cell",
    ),
    (
        cells(
            {"id": 0, "cpus": "0-3", "memory": "2GiB"},
            latencies=[{"initiator": 0, "target": 3, "type": "read", "value": 5}],
        ),
        "/numa/latencies/0/target",
    ),
    ({**CELLS, "numaTune": {"cells": [{"cell": 4, "mode": "strict", "nodes": "0"}]}}, "/numaTune/cells/0/cell"),
    ({"numaTune": {"cells": [{"cell": 0, "mode": "strict", "nodes": "0"}]}}, "/numaTune/cells/0/cell"),
    ({"numaTune": {"mode": "strict"}}, "/numaTune"),
    ({"numaTune": {"placement": "auto", "nodes": "0"}}, "/numaTune/nodes"),
    ({"cpuTune": {"placement": "auto", "processors": "0"}}, "/cpuTune/processors"),
    ({**ROOM}, "/numa/cells"),
    ({"memoryRoom": {"size": "8GiB", "slots": 2}}, "/memoryRoom"),
    ({"memoryModules": [DIMM]}, "/memoryModules"),
    ({**CELLS, "memory": "3GiB", "memoryModules": [DIMM]}, "/memoryModules"),
    ({**ROOM, "memoryModules": [{**DIMM, "node": 2}]}, "/memoryModules/0/node"),
    ({**ROOM, "memoryModules": [{"model": "dimm", "size": "1GiB"}]}, "/memoryModules/0"),
    ({**ROOM, "memoryModules": [{**DIMM, "path": "/srv/a"}]}, "/memoryModules/0"),
    ({**ROOM, "memoryModules": [{**DIMM, "model": "nvdimm"}]}, "/memoryModules/0"),
    ({**ROOM, "memoryModules": [{**DIMM, "requested": "1MiB"}]}, "/memoryModules/0"),
    ({**ROOM, "memoryModules": [{**DIMM, "model": "virtio-mem"}]}, "/memoryModules/0"),
    ({**ROOM, "memoryModules": [{**VIRTIO, "requested": "2GiB"}]}, "/memoryModules/0/requested"),
    ({**ROOM, "memoryModules": [{**VIRTIO, "block": "3MiB"}]}, "/memoryModules/0/size"),
    ({**ROOM, "memory": "5GiB", "memoryModules": [DIMM, DIMM, DIMM]}, "/memoryRoom/slots"),
    ({**ROOM, "memoryRoom": {"size": "2GiB", "slots": 2}, "memoryModules": [DIMM]}, "/memoryRoom/size"),
    ({"cpus": 2, "cpuTune": {"vcpuPins": [{"vcpu": 2, "processors": "0"}]}}, "/cpuTune/vcpuPins/0/vcpu"),
    ({"cpuTune": {"vcpuPins": [{"vcpu": 0, "processors": "0"}] * 2}}, "/cpuTune/vcpuPins/1"),
    (
        {"ioThreads": 1, "cpuTune": {"ioThreadPins": [{"ioThread": 2, "processors": "0"}]}},
        "/cpuTune/ioThreadPins/0/ioThread",
    ),
    (
        {"cpus": 2, "cpuTune": {"vcpuSchedulers": [{"vcpus": "1-2", "scheduler": "idle"}]}},
        "/cpuTune/vcpuSchedulers/0/vcpus",
    ),
    (
        {"cpuTune": {"vcpuSchedulers": [{"vcpus": "0", "scheduler": "idle"}, {"vcpus": "0-1", "scheduler": "batch"}]}},
        "/cpuTune/vcpuSchedulers/1/vcpus",
    ),
    ({"cpuTune": {"emulatorScheduler": {"scheduler": "fifo"}}}, "/cpuTune/emulatorScheduler"),
    ({"cpuTune": {"emulatorScheduler": {"scheduler": "idle", "priority": 3}}}, "/cpuTune/emulatorScheduler"),
    ({"cpuTune": {"quota": 10}}, "/cpuTune/quota"),
    ({"ioThreads": 2, "ioThreadPools": [{"id": 1}]}, "/ioThreadPools"),
    ({"ioThreadPools": [{"id": 1}]}, "/ioThreadPools"),
    ({"ioThreads": 2, "ioThreadPools": [{"id": 1}, {"id": 1}]}, "/ioThreadPools/1"),
    ({"ioThreads": 1, "ioThreadPools": [{"id": 1, "least": 9, "most": 8}]}, "/ioThreadPools/0/least"),
    ({"memoryBacking": {"hugePages": True, "source": "anonymous"}}, "/memoryBacking/source"),
    ({"memoryBacking": {"hugePages": False, "pages": [{"size": "2MiB"}]}}, "/memoryBacking/pages"),
    ({"memoryBacking": {"pages": [{"size": "2MiB", "cells": "1"}]}}, "/memoryBacking/pages/0/cells"),
    ({"memoryTune": {"hardLimit": "1GiB", "softLimit": "2GiB"}}, "/memoryTune/softLimit"),
    ({"memoryTune": {"hardLimit": "2GiB", "swapHardLimit": "1GiB"}}, "/memoryTune/hardLimit"),
    ({"memory": "4GiB", "memoryTune": {"hardLimit": "2GiB"}}, "/memoryTune/hardLimit"),
]


@pytest.mark.parametrize(("spec", "pointer"), BAD, ids=[f"{place}-{pointer}" for place, (_, pointer) in enumerate(BAD)])
def test_what_cannot_be_is_refused_at_its_place(spec: dict[str, Any], pointer: str) -> None:
    assert pointer in broken(spec)


@pytest.mark.parametrize(
    "spec",
    [
        CELLS,
        {**CELLS, "memory": "1GiB", "maximumMemory": "2GiB"},
        {**CELLS, "cpus": 2, "maximumCpus": 4},
        {**ROOM, "memoryModules": [DIMM]},
        {**ROOM, "memoryModules": [{**VIRTIO, "requested": "1GiB"}]},
        {"cpus": 8, "cpuTopology": {"sockets": 1, "dies": 2, "cores": 2, "threads": 2}},
        {
            "ioThreads": 2,
            "ioThreadPools": [{"id": 4}, {"id": 9}],
            "cpuTune": {"ioThreadPins": [{"ioThread": 9, "processors": "0"}]},
        },
        {"template": "small", "cpu": {"model": "Nehalem"}, "memoryModules": [DIMM], "numaTune": {"mode": "strict"}},
    ],
)
def test_what_fits_together_is_taken(spec: dict[str, Any]) -> None:
    assert broken(spec) == []
