"""The machine itself: what libvirt expands is no difference, what changes has the effect that it has."""

from __future__ import annotations

from typing import Any

import pytest

from specs.binding import parse
from specs.effect import Effect
from tests.specs.virtualmachine.world import KVM, QEMU, changed, diff, observed, rendered


def effect(spec: dict[str, Any], text: str) -> Effect | None:
    changes = diff(spec, text, QEMU)
    return changes[0].effect if changes else None


def xml_of(
    memory: str = "", vcpu: str = "<vcpu>1</vcpu>", cpu: str = "", attributes: str = "", system: str = ""
) -> str:
    system = system or '<os><type machine="pc-q35-7.2">hvm</type></os>'
    return f"<domain type='qemu' {attributes}><name>web</name>{memory}{vcpu}{system}{cpu}<devices/></domain>"


@pytest.mark.parametrize(
    "text",
    [
        '<memory unit="KiB">1048576</memory>',
        '<memory unit="GiB">1</memory><currentMemory unit="MiB">1024</currentMemory>',
        "<memory>4194304</memory><currentMemory>1048576</currentMemory>",
        '<memory unit="b">1073741824</memory>',
    ],
)
def test_memory_is_compared_by_its_amount(text: str) -> None:
    for declared in (1024, "1GiB", "1048576KiB"):
        assert diff({"memory": declared}, xml_of(text), QEMU) == []


def test_memory_changes_live_up_to_what_the_definition_allows() -> None:
    text = xml_of("<memory>4194304</memory><currentMemory>1048576</currentMemory>")
    assert effect({"memory": 4096}, text) is Effect.LIVE
    assert effect({"memory": 512}, text) is Effect.LIVE
    assert effect({"memory": 4097}, text) is Effect.NEXT_BOOT


def test_room_for_the_balloon_stays_and_no_room_is_made() -> None:
    roomy = changed(xml_of("<memory>4194304</memory><currentMemory>1048576</currentMemory>"), {"memory": 2048}, QEMU)
    assert (observed(roomy)["maximumMemory"], observed(roomy)["memory"]) == (4096, 2048)
    plain = changed(xml_of("<memory>4194304</memory>"), {"memory": 2048}, QEMU)
    assert (observed(plain)["maximumMemory"], observed(plain)["memory"]) == (2048, 2048)


def test_processors_are_added_live_within_the_definition_and_removed_at_the_next_boot() -> None:
    text = xml_of(vcpu="<vcpu current='2'>4</vcpu>")
    assert effect({"cpus": 2}, text) is None
    assert effect({"cpus": 4}, text) is Effect.LIVE
    assert effect({"cpus": 5}, text) is Effect.NEXT_BOOT
    assert effect({"cpus": 1}, text) is Effect.NEXT_BOOT


def test_a_topology_that_no_longer_fits_goes() -> None:
    before = rendered({"cpus": 4, "cpuTopology": {"sockets": 1, "cores": 4, "threads": 1}}, QEMU)
    assert parse(changed(before, {"cpus": 3}, QEMU)).find("cpu/topology") is None


def test_a_topology_alone_says_how_many_processors_there_are() -> None:
    text = rendered({"cpuTopology": {"sockets": 2, "cores": 2, "threads": 1}}, QEMU)
    assert observed(text)["cpus"] == 4


@pytest.mark.parametrize(
    ("declared", "found", "same"),
    [
        ("q35", "pc-q35-7.2", True),
        ("q35", "pc-q35-rhel9.2.0", True),
        ("pc", "pc-i440fx-7.2", True),
        ("virt", "virt-7.2", True),
        ("pc", "pc-q35-7.2", False),
        ("q35", "pc-i440fx-7.2", False),
        ("pc-q35-7.1", "pc-q35-7.2", False),
    ],
)
def test_a_machine_type_means_whatever_version_it_was_expanded_to(declared: str, found: str, same: bool) -> None:
    text = xml_of(system=f'<os><type machine="{found}">hvm</type></os>')
    assert (diff({"machine": declared}, text, QEMU) == []) is same


@pytest.mark.parametrize(
    ("system", "firmware"),
    [
        ("<os><type>hvm</type></os>", "bios"),
        ("<os firmware='efi'><type>hvm</type></os>", "uefi"),
        (
            "<os><type>hvm</type><loader readonly='yes' type='pflash'>/x.fd</loader><nvram>/n/web.fd</nvram></os>",
            "uefi",
        ),
        (
            "<os firmware='efi'><type>hvm</type><loader type='pflash'>/x</loader><nvram template='/t'>/n</nvram></os>",
            "uefi",
        ),
        ("<os><type>hvm</type><loader type='rom'>/x/bios.bin</loader></os>", "bios"),
    ],
)
def test_firmware_is_read_however_it_was_chosen(system: str, firmware: str) -> None:
    assert observed(xml_of(system=system))["firmware"] == firmware


def test_firmware_changes_both_ways() -> None:
    uefi = changed(rendered({}, QEMU), {"firmware": "uefi"}, QEMU)
    assert diff({"firmware": "uefi"}, uefi, QEMU) == []
    assert diff({"firmware": "bios"}, changed(uefi, {"firmware": "bios"}, QEMU), QEMU) == []


EXPANDED = (
    "<cpu mode='custom' match='exact' check='full'><model fallback='forbid'>EPYC</model>"
    "<feature policy='require' name='x2apic'/></cpu>"
)
PLAIN = "<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model></cpu>"
CHOSEN = "<cpu mode='custom' match='exact' check='partial'><model fallback='allow'>Skylake-Client</model></cpu>"


@pytest.mark.parametrize(
    ("declared", "cpu", "running", "same"),
    [
        ("host-model", "<cpu mode='host-model' check='partial'/>", False, True),
        ("host-model", EXPANDED, True, True),
        ("host-model", EXPANDED, False, False),
        ("host-model", CHOSEN, False, False),
        ("host-passthrough", EXPANDED, True, False),
        ("host-passthrough", "<cpu mode='host-passthrough' check='none' migratable='on'/>", True, True),
        ("default", "", False, True),
        ("default", PLAIN, False, True),
        ("default", EXPANDED, True, True),
        ("default", "<cpu><topology sockets='1' cores='1' threads='1'/></cpu>", False, True),
        ("default", "<cpu mode='maximum'/>", False, False),
    ],
)
def test_a_cpu_mode_is_recognised_in_its_expansion(declared: str, cpu: str, running: bool, same: bool) -> None:
    text = xml_of(cpu=cpu, attributes="id='3'" if running else "")
    assert (diff({"cpuMode": declared}, text, KVM) == []) is same


def test_emulation_without_a_declared_cpu_gets_one_that_it_can_do() -> None:
    text = xml_of(cpu="<cpu mode='host-passthrough'/>").replace("type='qemu'", "type='kvm'")
    assert observed(changed(text, {"domainType": "emulated"}, QEMU))["cpuMode"] == "maximum"


def test_what_needs_another_boot_says_so() -> None:
    spec = {
        "cpuMode": "default", "machine": "pc", "firmware": "uefi", "serialConsole": False,
        "graphics": {"type": "spice", "listen": "0.0.0.0"},
    }  # fmt: skip
    changes = diff(spec, rendered({}, QEMU), QEMU)
    assert {change.pointer for change in changes} == {
        "/cpuMode", "/machine", "/firmware", "/serialConsole", "/graphics/type", "/graphics/listen",
    }  # fmt: skip
    assert {change.effect for change in changes} == {Effect.NEXT_BOOT}


def test_texts_change_live() -> None:
    changes = diff({"title": "a", "description": "b"}, rendered({}, QEMU), QEMU)
    assert [(change.pointer, change.effect) for change in changes] == [
        ("/title", Effect.LIVE),
        ("/description", Effect.LIVE),
    ]


def test_a_console_that_goes_takes_its_screen_along_and_a_new_one_brings_one() -> None:
    without = changed(rendered({"graphics": {"type": "spice"}}, QEMU), {"graphics": {"type": "none"}}, QEMU)
    devices = parse(without).find("devices")
    assert devices.find("graphics") is None and devices.find("video") is None
    assert devices.find("channel[@type='spicevmc']") is None
    again = parse(changed(without, {"graphics": {"type": "vnc"}}, QEMU)).find("devices")
    assert again.find("graphics").get("listen") == "127.0.0.1" and again.find("video") is not None
