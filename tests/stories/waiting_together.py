"""Edits of many fields at once that all wait for the next boot: a machine that is started for each takes too long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from specs.binding import value_at
from specs.declared import placed
from specs.effect import Effect
from specs.registry import kinds

# What a machine is apart from its devices, as far as QEMU for x86 has it without hardware of its own.
_PLATFORM: Mapping[str, Any] = {
    "firmwareFeatures": {"secureBoot": False, "enrolledKeys": False},
    "firmware": "uefi", "secureBoot": False,
    "machine": "q35",
    "loader": {"stateless": False},
    "bootMenu": True,
    "bootMenuTimeout": 3000,
    "bios": {"useSerial": True, "rebootTimeout": 5000},
    "features": {
        "acpi": True, "apic": True, "apicEoi": True, "pae": True, "hap": True, "pmu": False, "vmport": False,
        "smm": True, "smmTseg": "48MiB", "ioapic": "qemu", "vmcoreinfo": True, "msrs": "ignore",
        "hyperv": {
            "mode": "custom", "relaxed": True, "vapic": True, "vpindex": True, "runtime": True, "synic": True,
            "stimer": True, "stimerDirect": True, "reset": True, "frequencies": True, "reenlightenment": True,
            "tlbflush": True, "ipi": True, "evmcs": True, "avic": True, "spinlocks": 8191, "vendorId": "KVM Hv",
        },
        "kvm": {"hidden": True, "hintDedicated": True, "pollControl": True, "pvIpi": False, "dirtyRing": 4096},
    },
    "clock": {
        "offset": "variable", "adjustment": 60, "basis": "localtime",
        "timers": [{"name": "hypervclock", "present": True}, {"name": "rtc", "tickpolicy": "catchup"}],
    },
    "onPoweroff": "destroy", "onCrash": "preserve", "onLockFailure": "pause", "onReboot": "destroy",
    "pm": {"suspendToMem": True, "suspendToDisk": True},
    "genid": "generated",
    "smbios": {
        "mode": "sysinfo",
        "bios": {"vendor": "a", "version": "b", "date": "12/31/2024", "release": "1.0"},
        "system": {
            "manufacturer": "a", "product": "b", "version": "c", "serial": "d", "sku": "e", "family": "f",
        },
        "chassis": {"manufacturer": "a", "version": "b", "serial": "c", "asset": "d", "sku": "e"},
        "baseBoards": [{"product": "x"}],
        "oemStrings": ["a"],
    },
    "fwCfg": [{"name": "opt/org.example/a", "value": "b"}],
    "perfEvents": ["cpu_clock"],
    "watchdog": {"model": "ib700", "action": "pause"},
}  # fmt: skip
_COMPUTE: Mapping[str, Any] = {
    "cpuMode": "custom",
    "cpu": {
        "model": "Nehalem", "fallback": "forbid", "vendorId": "GenuineIntel", "vendor": "Intel", "match": "minimum",
        "check": "full", "features": [{"name": "aes", "policy": "disable"}], "cache": "emulate",
        "addressBits": {"mode": "emulate", "bits": 42},
    },
    "cpus": 2, "maximumCpus": 2,
    "memory": 96, "maximumMemory": 96,
    "cpuTune": {
        "processors": "0", "emulatorScheduler": {"scheduler": "rr", "priority": 2},
        "vcpuSchedulers": [{"vcpus": "0-1", "scheduler": "fifo", "priority": 1}],
        "ioThreadSchedulers": [{"ioThreads": "1", "scheduler": "batch"}],
    },
    "memoryBacking": {
        "hugePages": True, "pages": [{"size": "2MiB", "cells": "0"}], "noSharePages": True, "locked": True,
        "source": "memfd", "access": "shared", "allocation": {"mode": "immediate", "threads": 2}, "discard": True,
    },
    "numa": {
        "cells": [
            {"id": 0, "cpus": "0", "memory": "64MiB", "distances": [{"cell": 1, "value": 21}]},
            {"id": 1, "cpus": "1", "memory": "32MiB", "memAccess": "private", "discard": True},
        ],
        "latencies": [{"initiator": 0, "target": 1, "type": "access", "value": 20}],
        "bandwidths": [{"initiator": 0, "target": 1, "type": "access", "value": "10GiB"}],
    },
    "numaTune": {"mode": "strict", "placement": "auto"},
    "memoryRoom": {"size": "1GiB", "slots": 2},
    "ioThreads": 1,
}  # fmt: skip
TOGETHER: tuple[Mapping[str, Any], ...] = (_PLATFORM, _COMPUTE)


def said(edit: Mapping[str, Any]) -> Iterator[str]:
    """The pointers of the fields at paths that an edit says something of which a usual machine isn't so already."""
    for name, field in placed(kinds()["VirtualMachine"].declarations.SPEC):
        value = value_at(edit, name)
        if value not in (None, field.absent) and field.effect is Effect.NEXT_BOOT and not isinstance(value, list):
            yield f"/{name}"


def leaves(edit: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """The fields of which an edit says a value, as `features.kvm.hidden`."""
    for name, value in edit.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{within}{name}.")
        else:
            yield f"{within}{name}"
