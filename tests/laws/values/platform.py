"""Values of what a machine is apart from its devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FIRMWARE = "/usr/share/OVMF"
_UEFI: dict[str, Any] = {"firmware": "uefi", "machine": "q35"}
_LOADER: dict[str, Any] = {"loader": {"path": "/srv/firmware/own.fd", "type": "rom"}}
_FLASH: dict[str, Any] = {"loader": {"path": "/srv/firmware/own.fd", "type": "pflash"}}
_HYPERV = {"vpindex": True, "vapic": True, "synic": True}
_TABLES = {"mode": "sysinfo", "oemStrings": ["a"]}

DOCUMENTS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "VirtualMachine": (
        _UEFI,
        {**_UEFI, "features": {"smm": True, "acpi": True}},
        _LOADER,
        _FLASH,
        {**_UEFI, "nvram": {"path": "/srv/nvram/web.fd"}},
        {**_FLASH, "machine": "q35", "features": {"smm": True, "acpi": True}},
        {**_FLASH, "nvram": {"path": "/srv/nvram/web.fd"}},
        {"bootMenu": True},
        {"kernelBoot": {"kernel": "/srv/boot/vmlinuz"}},
        {"domainType": "emulated"},
        {"features": {"smm": True}},
        {"features": {"hyperv": _HYPERV}},
        {
            "features": {"hyperv": {**_HYPERV, "stimer": True}},
            "clock": {"timers": [{"name": "hypervclock", "present": True}]},
        },
        *({"clock": {"timers": [{"name": name}]}} for name in ("rtc", "tsc", "pit", "kvmclock")),
        {"clock": {"timers": [{"name": "rtc", "tickpolicy": "catchup"}]}},
        {"clock": {"offset": "timezone", "timezone": "UTC"}},
        {"clock": {"offset": "variable"}},
        {"clock": {"offset": "absolute", "start": 1}},
        {"smbios": _TABLES},
        {"smbios": {**_TABLES, "baseBoards": [{"product": "x"}]}},
        {"fwCfg": [{"name": "opt/a", "value": "x"}]},
        {"fwCfg": [{"name": "opt/a", "file": "/srv/a"}]},
        {"fwCfg": [{"name": "opt/a"}]},
        {"launchSecurity": {"type": "sev"}},
        {"launchSecurity": {}},
        *({"securityLabels": [{"model": "dac", "type": kind}]} for kind in ("dynamic", "none")),
        {"securityLabels": [{"model": "dac", "type": "static", "label": "+1:+1"}]},
    ),
}
VALUES: Mapping[str, tuple[Any, ...]] = {
    "VirtualMachine.arch": ("x86_64", "i686"),
    "VirtualMachine.emulator": ("/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-i386"),
    "VirtualMachine.securityLabels.model": ("dac", "apparmor"),
    "VirtualMachine.securityLabels.type": ("dynamic", "none"),
    "VirtualMachine.securityLabels.label": ("+1:+1", "+2:+2"),
    "VirtualMachine.loader.path": ("/srv/firmware/own.fd", "/srv/firmware/other.fd"),
    "VirtualMachine.nvram.path": ("/srv/nvram/a.fd", "/srv/nvram/b.fd"),
    "VirtualMachine.nvram.template": (f"{_FIRMWARE}/OVMF_VARS_4M.fd", f"{_FIRMWARE}/OVMF_VARS_4M.ms.fd"),
    "VirtualMachine.kernelBoot.kernel": ("/srv/boot/vmlinuz", "default/a"),
    "VirtualMachine.kernelBoot.initrd": ("/srv/boot/initrd", "default/a"),
    "VirtualMachine.kernelBoot.dtb": ("/srv/boot/dtb", "default/a"),
    "VirtualMachine.slicTable": ("/srv/slic/a", "/srv/slic/b"),
    "VirtualMachine.features.hyperv.spinlocks": (4095, 0),
    "VirtualMachine.features.hyperv.vendorId": ("KVM Hv", ""),
    "VirtualMachine.features.kvm.dirtyRing": (4096, 0),
    "VirtualMachine.features.smmTseg": ("16MiB", "48MiB"),
    "VirtualMachine.features.hptMaxPageSize": ("1MiB", "16MiB"),
    "VirtualMachine.features.tcgTbCache": ("64MiB", "1GiB"),
    "VirtualMachine.clock.timezone": ("Europe/Berlin", "UTC"),
    "VirtualMachine.genid": ("1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30", "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c31"),
    **{
        f"VirtualMachine.smbios.{table}.{name}": ("a", "b")
        for table, names in {
            "bios": ("vendor", "version"),
            "system": ("manufacturer", "product", "version", "serial", "sku", "family"),
            "baseBoards": ("manufacturer", "product", "version", "serial", "asset", "location"),
            "chassis": ("manufacturer", "version", "serial", "asset", "sku"),
        }.items()
        for name in names
    },
    "VirtualMachine.smbios.bios.date": ("12/31/2024", "01/01/2025"),
    "VirtualMachine.smbios.bios.release": ("1.0", "2.1"),
    "VirtualMachine.smbios.oemStrings": (["a"], ["b", "a"]),
    "VirtualMachine.fwCfg.name": ("opt/a", "opt/b"),
    "VirtualMachine.fwCfg.file": ("/srv/a", "/srv/b"),
    "VirtualMachine.launchSecurity.dhCert": ("AAAA", "BBBB"),
    "VirtualMachine.launchSecurity.session": ("AAAA", "BBBB"),
    "VirtualMachine.perfEvents": (["cpu_cycles"], ["instructions", "cache_misses"]),
    "VirtualMachine.resourcePartition": ("/machine/a", "/machine/b"),
}
KNOWN_TO_QEMU: Mapping[str, list[str]] = {
    "VirtualMachine.clock.timers.name": ["rtc", "tsc", "hpet", "pit"],
}
_POWER = ("hptResizing", "hptMaxPageSize", "htm", "nestedHv", "ccfAssist", "cfpc", "sbbc", "ibs")
# Of ARM's machines, of POWER's, and of hosts that can encrypt memory.
NOT_TAKEN_HERE = (
    "VirtualMachine.features.gic",
    *(f"VirtualMachine.features.{name}" for name in _POWER),
    "VirtualMachine.launchSecurity",
    "VirtualMachine.emulator",  # there is one for each architecture
)
