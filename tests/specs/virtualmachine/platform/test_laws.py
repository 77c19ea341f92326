"""Whatever goes together of what a document says of a machine's platform is written, read, exported and made again."""

from __future__ import annotations

from typing import Any

import libvirt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.exporting.draft import Surroundings
from reconciler.exporting.export import draft_of
from reconciler.observed.snapshot import Observed, Snapshot
from specs.comparing import differences
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.virtualmachine import xml
from specs.virtualmachine.platform.fields import FIELDS
from specs.virtualmachine.platform.rules import check_platform
from tests.lab.libvirtd import HostObjects
from tests.specs.virtualmachine.world import (
    QEMU,
    changed,
    defined,
    diff,
    inactive,
    observed,
    rendered,
    uid_of,
    unchanged,
)

SWITCH = st.booleans()
WORD = st.sampled_from(["a", "b c", "<&>", "ä"])
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"


def some(fields: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def switches(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, SWITCH)


FIRMWARE = st.sampled_from(
    [
        {},
        {"firmware": "bios"},
        {"firmware": "uefi", "machine": "q35"},
        {"firmware": "uefi", "machine": "q35", "secureBoot": True},
        {"firmware": "uefi", "machine": "q35", "secureBoot": False},
        {"firmware": "uefi", "machine": "q35", "firmwareFeatures": {"enrolledKeys": False}},
        {"firmware": "uefi", "machine": "q35", "loader": {"stateless": True}},
        {"loader": {"path": OVMF, "type": "pflash", "readonly": True}},
        {"loader": {"path": OVMF, "type": "pflash", "readonly": True}, "nvram": {"path": "/srv/nvram/a.fd"}},
    ]
)
HYPERV = some(
    {
        **switches(
            "relaxed", "vapic", "vpindex", "runtime", "synic", "reset", "frequencies", "tlbflush", "ipi", "avic"
        ),
        "spinlocks": st.sampled_from([0, 4095, 8191]),
        "vendorId": st.sampled_from(["", "KVM Hv"]),
    }
)
KVM_TOLD = some(
    {**switches("hidden", "hintDedicated", "pollControl", "pvIpi"), "dirtyRing": st.sampled_from([0, 4096])}
)
FEATURES = some(
    {
        **switches("acpi", "apic", "apicEoi", "pae", "hap", "pmu", "vmport", "vmcoreinfo"),
        "ioapic": st.sampled_from(["qemu", "kvm"]),
        "msrs": st.sampled_from(["ignore", "fault"]),
        "hyperv": HYPERV | st.just({"mode": "passthrough"}),
        "kvm": KVM_TOLD,
    }
)
TIMER = st.fixed_dictionaries(
    {"name": st.sampled_from(["rtc", "pit", "hpet", "hypervclock", "kvmclock"])},
    optional={"present": SWITCH, "tickpolicy": st.sampled_from(["delay", "catchup"])},
)
CLOCK = st.fixed_dictionaries(
    {"offset": st.sampled_from(["utc", "localtime", "timezone", "variable", "absolute"])},
    optional={
        "timezone": st.just("Europe/Berlin"),
        "adjustment": st.integers(-5, 5),
        "basis": st.sampled_from(["utc", "localtime"]),
        "start": st.integers(0, 9),
        "timers": st.lists(TIMER, max_size=3, unique_by=lambda each: each["name"]),
    },
)
SMBIOS = some(
    {
        "system": some({"manufacturer": WORD, "serial": WORD, "family": WORD}),
        "bios": some({"vendor": WORD, "release": st.just("1.0")}),
        "baseBoards": st.lists(st.fixed_dictionaries({"product": WORD}), min_size=1, max_size=3),
        "oemStrings": st.lists(WORD, min_size=1, max_size=3),
    }
).map(lambda told: {"mode": "sysinfo" if any(told.values()) else "emulate", **{k: v for k, v in told.items() if v}})
PARTS = some(
    {
        "features": FEATURES,
        "clock": CLOCK,
        "smbios": SMBIOS,
        "fwCfg": st.lists(st.fixed_dictionaries({"name": st.sampled_from(["opt/a", "opt/b"]), "value": WORD}),
                          max_size=2, unique_by=lambda each: each["name"]),
        "bootMenu": SWITCH,
        "bios": some({"useSerial": SWITCH, "rebootTimeout": st.integers(-1, 9)}),
        "kernelBoot": st.fixed_dictionaries({"kernel": st.just("/srv/boot/vmlinuz")}, optional={"cmdline": WORD}),
        "onPoweroff": st.sampled_from(["destroy", "restart"]),
        "onReboot": st.sampled_from(["destroy", "restart"]),
        "onCrash": st.sampled_from(["destroy", "preserve", "coredump-restart"]),
        "onLockFailure": st.sampled_from(["pause", "ignore"]),
        "pm": some(switches("suspendToMem", "suspendToDisk")),
        "genid": st.just("1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30"),
        "perfEvents": st.lists(st.sampled_from(["cpu_clock", "instructions"]), max_size=2, unique=True),
    }
)  # fmt: skip
WHOSE = st.sampled_from(["onggi", "libvirt"])
# A guest that is emulated has neither KVM's nor every enlightenment, but a definition may say so.
SPECS = st.builds(
    lambda boots, parts, whose: {**parts, **boots, "defaults": whose, "domainType": "emulated"}, FIRMWARE, PARTS, WHOSE
).filter(lambda spec: not list(check_platform(spec)))


def said_of(text: str) -> dict[str, Any]:
    """What a definition says of the platform."""
    return {name: value for name, value in observed(text).items() if name in FIELDS}


@given(SPECS)
@settings(max_examples=40)
def test_what_is_written_is_read_as_declared(spec: dict[str, Any]) -> None:
    text = rendered(spec, QEMU)
    assert diff(spec, text, QEMU) == []
    assert changed(text, spec, QEMU) == unchanged(text)


@given(SPECS, SPECS)
@settings(max_examples=40)
def test_one_document_turns_into_another(before: dict[str, Any], after: dict[str, Any]) -> None:
    text = changed(rendered(before, QEMU), after, QEMU, before)
    assert diff(after, text, QEMU, before) == []


@given(SPECS)
@settings(max_examples=40)
def test_what_is_exported_makes_the_same_platform_again(spec: dict[str, Any]) -> None:
    text = rendered(spec, QEMU)
    found = draft_of(Observed(Ref(VIRTUAL_MACHINE, "web"), uid_of("web"), text), Surroundings(Snapshot(1, QEMU, {})))
    again = {name: value for name, value in found.spec.items() if name in FIELDS}
    assert list(check_platform(again)) == []
    made = observed(rendered({**again, "defaults": "libvirt"}, QEMU))
    kept = {"arch", "bootDevices"}  # of which libvirt has its own word where nobody says one
    wanted = {name: value for name, value in said_of(text).items() if name not in kept}
    assert differences(xml.BINDS, wanted, made)[0] == []


@given(spec=SPECS)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_libvirt_keeps_it(qemu_connection: libvirt.virConnect, host_objects: HostObjects, spec: dict[str, Any]) -> None:
    name = host_objects.name("platform")
    with defined(qemu_connection, rendered(spec, QEMU, name)) as domain:
        assert diff(spec, inactive(domain), QEMU, name=name) == []
