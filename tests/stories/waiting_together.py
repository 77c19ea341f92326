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
    "resourcePartition": "/machine/onggi",
    "perfEvents": ["cpu_clock"],
    "watchdog": {"model": "ib700", "action": "pause"},
}  # fmt: skip
TOGETHER: tuple[Mapping[str, Any], ...] = (_PLATFORM,)


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


def told_by_declarations() -> Iterator[str]:
    """Fields at a path whose changes wait, and those of such lists: what a change costs is said there alone."""
    for name, field in placed(kinds()["VirtualMachine"].declarations.SPEC):
        whole = field.base or field
        if field.effect is Effect.NEXT_BOOT:
            yield name.replace("/", ".")
            for below, _ in placed(whole.item) if whole.item is not None else ():
                yield f"{name}/{below}".replace("/", ".")
