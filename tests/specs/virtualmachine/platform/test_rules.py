"""What of a machine's platform doesn't go together is refused with the place of it and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from specs.virtualmachine.platform.rules import check_platform

UEFI = {"firmware": "uefi", "machine": "q35"}
TIMER = {"name": "hypervclock", "present": True}
FLASH = {"path": "/usr/share/OVMF/OVMF_CODE_4M.fd", "type": "pflash"}

BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"secureBoot": True}, "/secureBoot", "firmware: uefi"),
    ({**UEFI, "secureBoot": True, "machine": "pc"}, "/secureBoot", "machine: q35"),
    ({**UEFI, "secureBoot": True, "features": {"smm": False}}, "/features/smm", "remove this"),
    ({**UEFI, "secureBoot": True, "features": {"acpi": False}}, "/features/acpi", "remove this"),
    ({"loader": {"type": "rom"}}, "/loader/type", "write its `path` too"),
    ({"loader": {"readonly": True}}, "/loader/readonly", "write its `path` too"),
    ({"loader": FLASH}, "/loader/path", "readonly: true"),
    ({"loader": {**FLASH, "readonly": True}, "defaults": "libvirt"}, "/loader/type", "acpi: true"),
    ({**UEFI, "features": {"acpi": False}}, "/features/acpi", "remove this"),
    ({"firmware": "uefi", "loader": {**FLASH, "type": "rom"}}, "/loader/type", "pflash"),
    ({"firmware": "bios", "loader": {**FLASH, "readonly": True}}, "/loader/type", "firmware: uefi"),
    ({"firmware": "bios", "nvram": {"path": "/srv/a"}}, "/nvram", "firmware: uefi"),
    ({"nvram": {"path": "/srv/a"}}, "/nvram", "firmware: uefi"),
    ({**UEFI, "nvram": {"template": "/srv/a"}}, "/nvram/template", "loader.path"),
    ({**UEFI, "nvram": {"path": "/srv/a"}, "loader": {"stateless": True}}, "/nvram", "stateless"),
    ({**UEFI, "loader": {"secure": True}}, "/loader/secure", "secureBoot: true"),
    ({**UEFI, "loader": {"secure": False}}, "/loader/secure", "secureBoot: false"),
    ({"firmwareFeatures": {"secureBoot": True}}, "/firmwareFeatures", "firmware: uefi"),
    (
        {"loader": {**FLASH, "readonly": True}, "firmwareFeatures": {"secureBoot": True}},
        "/firmwareFeatures",
        "remove one of the two",
    ),
    (
        {**UEFI, "secureBoot": False, "firmwareFeatures": {"enrolledKeys": True}},
        "/firmwareFeatures/enrolledKeys",
        "remove this",
    ),
    ({"bootMenuTimeout": 3000}, "/bootMenuTimeout", "bootMenu: true"),
    ({"bios": {"useSerial": True}, "serialConsole": False}, "/bios/useSerial", "serialConsole: false"),
    ({"bios": {"useSerial": True}, "defaults": "libvirt"}, "/bios/useSerial", "serialConsole: true"),
    ({"kernelBoot": {"cmdline": "quiet"}}, "/kernelBoot/cmdline", "write `kernel` too"),
    ({"kernelBoot": {"kernel": "a"}, "bootDevices": ["hd"]}, "/bootDevices", "remove one of the two"),
    (
        {"kernelBoot": {"kernel": "a"}, "disks": [{"volume": "b", "bootOrder": 1}]},
        "/disks/0/bootOrder",
        "remove one of the two",
    ),
    ({"features": {"hyperv": {"synic": True}}}, "/features/hyperv/synic", "vpindex: true"),
    ({"features": {"hyperv": {"tlbflush": True}}}, "/features/hyperv/tlbflush", "vpindex: true"),
    ({"features": {"hyperv": {"ipi": True}}}, "/features/hyperv/ipi", "vpindex: true"),
    ({"features": {"hyperv": {"evmcs": True}}}, "/features/hyperv/evmcs", "vapic: true"),
    (
        {"features": {"hyperv": {"vpindex": True, "synic": True, "stimer": True}}},
        "/features/hyperv/stimer",
        "hypervclock",
    ),
    (
        {"features": {"hyperv": {"stimer": True}}, "clock": {"timers": [TIMER]}},
        "/features/hyperv/stimer",
        "synic: true",
    ),
    ({"features": {"hyperv": {"stimerDirect": True}}}, "/features/hyperv/stimerDirect", "stimer: true"),
    ({"features": {"hyperv": {"spinlocks": 100}}}, "/features/hyperv/spinlocks", "4095"),
    ({"features": {"hyperv": {"mode": "passthrough", "vapic": True}}}, "/features/hyperv/vapic", "passthrough"),
    ({"features": {"kvm": {"dirtyRing": 3000}}}, "/features/kvm/dirtyRing", "power of two"),
    ({"features": {"smmTseg": "16MiB"}}, "/features/smmTseg", "smm: true"),
    ({"features": {"apic": False, "apicEoi": True}}, "/features/apicEoi", "apic: false"),
    ({"features": {"tcgTbCache": "16MiB"}}, "/features/tcgTbCache", "domainType: emulated"),
    ({"domainType": "emulated", "features": {"pvspinlock": True}}, "/features/pvspinlock", "domainType: kvm"),
    ({"clock": {"timezone": "UTC"}}, "/clock/timezone", "offset: timezone"),
    ({"clock": {"adjustment": 5}}, "/clock/adjustment", "offset: variable"),
    ({"clock": {"basis": "utc", "offset": "localtime"}}, "/clock/basis", "offset: variable"),
    ({"clock": {"start": 5}}, "/clock/start", "offset: absolute"),
    ({"clock": {"offset": "absolute"}}, "/clock/offset", "start"),
    ({"clock": {"offset": "timezone"}}, "/clock/offset", "timezone"),
    ({"clock": {"timers": [{"name": "rtc"}, {"name": "rtc"}]}}, "/clock/timers/1", "Item 1"),
    ({"clock": {"timers": [{"name": "rtc", "mode": "native"}]}}, "/clock/timers/0/mode", "tsc"),
    ({"clock": {"timers": [{"name": "pit", "track": "wall"}]}}, "/clock/timers/0/track", "rtc"),
    ({"clock": {"timers": [{"name": "rtc", "tickpolicy": "merge"}]}}, "/clock/timers/0/tickpolicy", "catchup"),
    ({"clock": {"timers": [{"name": "kvmclock", "tickpolicy": "delay"}]}}, "/clock/timers/0/tickpolicy", "remove"),
    ({"clock": {"timers": [{"name": "rtc", "catchup": {"slew": 1}}]}}, "/clock/timers/0/catchup", "tickpolicy"),
    ({"smbios": {"oemStrings": ["a"]}}, "/smbios/oemStrings", "mode: sysinfo"),
    ({"smbios": {"mode": "sysinfo"}}, "/smbios/mode", "write that"),
    ({"fwCfg": [{"name": "opt/a"}]}, "/fwCfg/0", "either"),
    ({"fwCfg": [{"name": "opt/a", "value": "x", "file": "/srv/a"}]}, "/fwCfg/0", "either"),
    ({"fwCfg": [{"name": "opt/a", "value": "x"}, {"name": "opt/a", "value": "y"}]}, "/fwCfg/1", "Item 1"),
    ({"onPoweroff": "restart", "onReboot": "destroy"}, "/onReboot", "change one"),
    ({"launchSecurity": {"type": "s390-pv", "policy": 1}}, "/launchSecurity/policy", "remove this"),
]
GOOD: list[dict[str, Any]] = [
    {**UEFI, "secureBoot": True},
    {**UEFI, "secureBoot": True, "firmwareFeatures": {"enrolledKeys": False}},
    {**UEFI, "loader": {**FLASH, "readonly": True, "secure": True}, "features": {"smm": True}},
    {"loader": {**FLASH, "readonly": True}, "nvram": {"path": "/srv/a", "template": "/srv/b"}},
    {"arch": "aarch64", "firmware": "uefi", "secureBoot": True, "machine": "virt"},
    {"bootMenu": True, "bootMenuTimeout": 3000, "bios": {"useSerial": True, "rebootTimeout": -1}},
    {"kernelBoot": {"kernel": "a", "initrd": "b", "cmdline": "quiet"}},
    {
        "features": {"hyperv": {"vpindex": True, "synic": True, "stimer": True, "stimerDirect": True}},
        "clock": {"offset": "localtime", "timers": [TIMER, {"name": "rtc", "tickpolicy": "catchup", "track": "wall"}]},
    },
    {"features": {"hyperv": {"mode": "passthrough"}, "kvm": {"dirtyRing": 4096}}},
    {"clock": {"offset": "variable", "adjustment": -3600, "basis": "localtime"}},
    {"smbios": {"mode": "host"}},
    {"onPoweroff": "destroy", "onReboot": "destroy"},
    {"launchSecurity": {"type": "sev"}},
]


@pytest.mark.parametrize(("spec", "pointer", "remedy"), BROKEN, ids=[each[1] for each in BROKEN])
def test_what_doesnt_go_together_is_told_where_it_is(spec: Any, pointer: str, remedy: str) -> None:
    found = dict(check_platform(spec))
    assert remedy in found[pointer]
    assert found[pointer].endswith(".")


@pytest.mark.parametrize("spec", GOOD, ids=str)
def test_what_goes_together_is_let_be(spec: Any) -> None:
    assert list(check_platform(spec)) == []
