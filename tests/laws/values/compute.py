"""Processors and memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HOST_MODEL: dict[str, Any] = {"cpuMode": "host-model", "cpu": {}}
_CUSTOM: dict[str, Any] = {"cpuMode": "custom", "cpu": {"model": "Nehalem"}}
_CELLS: dict[str, Any] = {
    "cpus": 4,
    "memory": "2GiB",
    "numa": {
        "cells": [{"id": 0, "cpus": "0-1", "memory": "1GiB"}, {"id": 1, "cpus": "2-3", "memory": "1GiB"}],
    },
}
_BETWEEN: dict[str, Any] = {"initiator": 0, "target": 1, "type": "access", "value": 5}
_LATENCY: dict[str, Any] = {**_CELLS, "numa": {**_CELLS["numa"], "latencies": [_BETWEEN]}}
_BANDWIDTH: dict[str, Any] = {**_CELLS, "numa": {**_CELLS["numa"], "bandwidths": [{**_BETWEEN, "value": "1GiB"}]}}
_SMALL: dict[str, Any] = {"cpus": 2, "memory": "2GiB", "memoryRoom": {"size": "8GiB", "slots": 4}}
_CELL: dict[str, Any] = {"id": 0, "cpus": "0-1"}


def _with(*modules: dict[str, Any], cell: str = "1GiB") -> dict[str, Any]:
    return {**_SMALL, "numa": {"cells": [{**_CELL, "memory": cell}]}, "memoryModules": list(modules)}


_DIMM = {"model": "dimm", "size": "1GiB", "node": 0}
_NVDIMM = {"model": "nvdimm", "size": "1GiB", "node": 0, "path": "/srv/a"}
_VIRTIO = {"model": "virtio-mem", "size": "1GiB", "node": 0, "requested": "512MiB", "block": "2MiB"}
_UID = "5b3cfe6b-9a43-4d3c-8fd1-2d4f7a1f9c55"

DOCUMENTS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "VirtualMachine": (
        _HOST_MODEL,
        _CUSTOM,
        {"cpuMode": "maximum"},
        {"cpuMode": "host-passthrough"},
        {**_CUSTOM, "cpu": {**_CUSTOM["cpu"], "features": [{"name": "vmx"}]}},
        {**_HOST_MODEL, "cpu": {"addressBits": {"mode": "emulate", "bits": 40}}},
        {"cpuMode": "host-passthrough", "cpu": {"addressBits": {"mode": "emulate", "bits": 40}}},
        _LATENCY,
        _BANDWIDTH,
        {
            **_CELLS,
            "numaTune": {"mode": "strict", "nodes": "0", "cells": [{"cell": 0, "mode": "strict", "nodes": "0"}]},
        },
        _CELLS,
        _with(_DIMM),
        _with(_NVDIMM),
        _with(_VIRTIO),
        {**_with(cell="2GiB"), "memory": "4GiB"},
        {"cpus": 8, "cpuTune": {"vcpuPins": [{"vcpu": 0, "processors": "0"}]}},
        {"cpus": 8, "cpuTune": {"vcpuSchedulers": [{"vcpus": "0", "scheduler": "fifo", "priority": 1}]}},
        {"cpus": 8, "cpuTune": {"vcpuSchedulers": [{"vcpus": "0", "scheduler": "batch"}]}},
        {"ioThreads": 8, "cpuTune": {"ioThreadPins": [{"ioThread": 1, "processors": "0"}]}},
        {"ioThreads": 8, "cpuTune": {"ioThreadSchedulers": [{"ioThreads": "1", "scheduler": "fifo", "priority": 1}]}},
        {"ioThreads": 8, "cpuTune": {"ioThreadSchedulers": [{"ioThreads": "1", "scheduler": "batch"}]}},
        {"cpuTune": {"emulatorScheduler": {"scheduler": "fifo", "priority": 1}}},
        {"cpuTune": {"emulatorScheduler": {"scheduler": "batch"}}},
        {"ioThreads": 1, "ioThreadPools": [{"id": 1}]},
        {**_CELLS, "memoryBacking": {"hugePages": True, "pages": [{"size": "2MiB"}]}},
        {**_CELLS, "memoryRoom": {"size": "8GiB", "slots": 2}},
    )
}

_SETS = ("0", "1")
VALUES: Mapping[str, tuple[Any, ...]] = {
    "VirtualMachine.cpu.model": ("Nehalem", "Westmere"),
    "VirtualMachine.cpu.vendorId": ("GenuineIntel", "AuthenticAMD"),
    "VirtualMachine.cpu.vendor": ("Intel", "AMD"),
    "VirtualMachine.cpu.features": ([{"name": "aes", "policy": "require"}], [{"name": "aes", "policy": "disable"}]),
    "VirtualMachine.cpu.addressBits.bits": (40, 42),
    "VirtualMachine.cpuTune.processors": _SETS,
    "VirtualMachine.cpuTune.emulatorPin": _SETS,
    "VirtualMachine.cpuTune.vcpuPins.processors": _SETS,
    "VirtualMachine.cpuTune.ioThreadPins.processors": _SETS,
    "VirtualMachine.cpuTune.vcpuSchedulers.vcpus": _SETS,
    "VirtualMachine.cpuTune.ioThreadSchedulers.ioThreads": ("1", "2"),
    "VirtualMachine.cpuTune.quota": (1000, -1),
    "VirtualMachine.cpuTune.globalQuota": (1000, -1),
    "VirtualMachine.cpuTune.emulatorQuota": (1000, -1),
    "VirtualMachine.cpuTune.ioThreadQuota": (1000, -1),
    "VirtualMachine.ioThreadPools": ([{"id": 1}], [{"id": 2}], [{"id": 1, "least": 1, "most": 9}]),
    "VirtualMachine.memoryBacking.pages.size": ("2MiB", "1GiB"),
    "VirtualMachine.memoryBacking.pages.cells": _SETS,
    "VirtualMachine.memoryTune.hardLimit": ("4GiB", "5000000KiB"),
    "VirtualMachine.memoryTune.softLimit": ("1GiB", "3GiB"),
    "VirtualMachine.memoryTune.swapHardLimit": ("8GiB", "9GiB"),
    "VirtualMachine.memoryRoom.size": ("8GiB", "16GiB"),
    "VirtualMachine.memoryModules.path": ("/srv/nvdimm/a", "/srv/nvdimm/b"),
    "VirtualMachine.memoryModules": (
        [{**_DIMM, "discard": False, "access": "private"}, _DIMM],
        [{**_DIMM, "discard": True}, {**_DIMM, "access": "shared"}],
        [{**_DIMM, "pageSize": "4KiB", "nodes": "0", "address": "dimm 1"}, {**_DIMM, "address": "dimm 3"}],
    ),
    "VirtualMachine.numa.cells": (
        [{"id": 0, "cpus": "0-1", "memory": "1GiB"}, {"id": 1, "cpus": "2-3", "memory": "1GiB"}],
        [{"id": 0, "cpus": "0-2", "memory": "1536MiB"}, {"id": 1, "cpus": "3", "memory": "512MiB"}],
        [{"id": 0, "cpus": "0-3", "memory": "2GiB", "memAccess": "shared", "discard": True}],
    ),
    "VirtualMachine.numa.latencies.initiator": (0, 1),
    "VirtualMachine.numa.latencies.target": (0, 1),
    "VirtualMachine.numa.bandwidths.initiator": (0, 1),
    "VirtualMachine.numa.bandwidths.target": (0, 1),
    "VirtualMachine.cpu.addressBits": ({"mode": "emulate", "bits": 40}, {"mode": "emulate", "bits": 41}),
    "VirtualMachine.numaTune": (
        {"mode": "interleave", "placement": "auto"},
        {"mode": "strict", "nodes": "0", "placement": "static"},
        {"mode": "preferred", "nodes": "1"},
        {"mode": "strict", "nodes": "0-1", "cells": [{"cell": 0, "mode": "strict", "nodes": "0"}]},
        {"mode": "restrictive", "nodes": "0-1", "cells": [{"cell": 1, "mode": "restrictive", "nodes": "1"}]},
        {"cells": [{"cell": 0, "mode": "preferred", "nodes": "0"}]},
    ),
    "VirtualMachine.numa.bandwidths.value": ("1GiB", "2GiB"),
}
