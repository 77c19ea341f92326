"""Who has a device: by the definition or by what runs, for all devices in one pass over the VMs."""

from __future__ import annotations

import pytest

from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.host.devices import DeviceList
from reconciler.observed import device_holders
from reconciler.observed.device_holders import Holder, holders
from reconciler.observed.host_devices import HostDevice
from reconciler.observed.snapshot import Observed, Snapshot
from specs.host import Host
from specs.reference import NETWORK, VIRTUAL_MACHINE, Ref
from tests.hypervisor.conftest import machine
from tests.lab.libvirtd import HostObjects

NIC = HostDevice("pci_0000_3b_10_7", "pci", fields={"domain": 0, "bus": 0x3B, "slot": 0x10, "function": 7})
STICK = HostDevice(
    "usb_1_2",
    "usb_device",
    fields={"bus": 1, "device": 3, "vendor": {"id": "0x046d"}, "product": {"id": "0xc52b"}},
)
TAPE = HostDevice("scsi_2_0_1_0", "scsi", fields={"host": 2, "bus": 0, "target": 1, "lun": 0})

HAS_NIC = """<hostdev mode='subsystem' type='pci' managed='yes'><source>
  <address domain='0x0000' bus='0x3b' slot='0x10' function='0x7'/></source></hostdev>"""
HAS_NIC_AS_INTERFACE = """<interface type='hostdev' managed='yes'><source>
  <address type='pci' domain='0x0000' bus='0x3b' slot='0x10' function='0x7'/></source></interface>"""
HAS_STICK = """<hostdev mode='subsystem' type='usb'><source><address bus='1' device='3'/></source></hostdev>"""
HAS_MODEL_OF_STICK = """<hostdev mode='subsystem' type='usb'><source>
  <vendor id='0x046d'/><product id='0xc52b'/></source></hostdev>"""
HAS_TAPE = """<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host2'/>
  <address bus='0' target='1' unit='0'/></source></hostdev>"""
OTHER_NIC = HAS_NIC.replace("0x7", "0x6")


def vm(name: str, devices: str = "", live: str | None = None, state: str = "running") -> Observed:
    def xml(inside: str) -> str:
        return f"<domain><name>{name}</name><devices>{inside}</devices></domain>"

    return Observed(Ref(VIRTUAL_MACHINE, name), "", xml(devices), None if live is None else xml(live), state=state)


def snapshot(*machines: Observed) -> Snapshot:
    return Snapshot(1, Host(), {each.ref: each for each in machines})


@pytest.mark.parametrize(
    ("device", "has"),
    [
        (NIC, HAS_NIC),
        (NIC, HAS_NIC_AS_INTERFACE),
        (STICK, HAS_STICK),
        (STICK, HAS_MODEL_OF_STICK),
        (TAPE, HAS_TAPE),
    ],
)
def test_who_has_it(device: HostDevice, has: str) -> None:
    seen = snapshot(vm("web", has), vm("db", has, state="shutoff"), vm("other", OTHER_NIC), vm("plain"))
    assert holders(device, seen) == (Holder("db", "shutoff"), Holder("web", "running"))


def test_what_was_plugged_into_a_running_machine_is_held_too() -> None:
    assert holders(NIC, snapshot(vm("web", "", live=HAS_NIC))) == (Holder("web", "running"),)
    assert holders(NIC, snapshot(vm("web", HAS_NIC, live=""))) == (Holder("web", "running"),)
    assert holders(NIC, snapshot(vm("web", HAS_NIC, live=HAS_NIC))) == (Holder("web", "running"),)


def test_nobody_has_what_no_machine_can_have() -> None:
    assert holders(HostDevice("computer", "system"), snapshot(vm("web", HAS_NIC))) == ()
    assert holders(STICK, snapshot(vm("web", HAS_NIC))) == ()


def test_an_odd_machine_hides_no_other() -> None:
    odd = Observed(Ref(VIRTUAL_MACHINE, "odd"), "", "<domain><hostdev")
    network = Observed(Ref(NETWORK, "hostdev"), "", "<network>hostdev")
    assert holders(NIC, snapshot(odd, network, vm("web", HAS_NIC))) == (Holder("web", "running"),)


def test_a_hundred_devices_and_a_thousand_machines_are_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Ref] = []
    held = device_holders._held
    monkeypatch.setattr(device_holders, "_held", lambda seen: looked.append(seen.ref) or held(seen))
    many = snapshot(*(vm(f"vm{number:04}", HAS_NIC if number % 100 == 0 else "") for number in range(1000)))
    for slot in range(100):
        device = HostDevice(f"pci_{slot}", "pci", fields={"domain": 0, "bus": 0x3B, "slot": slot, "function": 7})
        assert len(holders(device, many)) == (10 if slot == 0x10 else 0)
    assert len(looked) == 1000


@pytest.mark.qemu
def test_a_real_machine_holds_a_device_of_the_real_host(qemu_host: Hypervisor, host_objects: HostObjects) -> None:
    connections = Connections(qemu_host.uri, changed=lambda _: None, devices=lambda: None)
    device = DeviceList(connections).read().of_kind("pci")[-1]
    connections.close()
    numbers = {each: hex(device.fields[each]) for each in ("domain", "bus", "slot", "function")}
    has = HAS_NIC
    for name, old in (("domain", "0x0000"), ("bus", "0x3b"), ("slot", "0x10"), ("function", "0x7")):
        has = has.replace(f"{name}='{old}'", f"{name}='{numbers[name]}'")
    made = machine(host_objects.name("holder"), devices=has)
    qemu_host.perform(made.define)
    assert Holder(made.ref.name, "shutoff") in holders(device, qemu_host.observe(None, None))
