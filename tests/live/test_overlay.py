"""What QEMU saw of a change of the XML in a running machine's document."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest

from reconciler.line.convergence import Convergence
from tests.lab.libvirtd import HostObjects
from tests.live.machine import LiveMachine

MAC = "52:54:00:0a:0b:0c"


def domain(*devices: str) -> str:
    return f"<domain><devices>{''.join(devices)}</devices></domain>"


def interface(inside: str) -> str:
    return f"<interface><mac address='{MAC}'/>{inside}</interface>"


def waiting(done: Convergence) -> set[str]:
    return {change.pointer for item in done.remaining.waiting for change in item.changes}


def names(machine: LiveMachine, prefix: str) -> list[str]:
    """QEMU's devices whose names begin so."""
    found = (each["name"] for each in machine.ask("qom-list", path="/machine/peripheral"))
    return sorted(name for name in found if name.startswith(prefix))


def test_devices_come_while_it_runs_and_go(machine: LiveMachine) -> None:
    mouse = "<input type='mouse' bus='usb'><alias name='ua-mouse'/></input>"
    port = "<channel type='unix'><target type='virtio' name='org.example.a'/></channel>"
    machine.start(xml=domain())
    machine.change(xml=domain(mouse, port))
    assert names(machine, "ua-") == ["ua-mouse"]
    assert machine.live("devices/channel/target[@name='org.example.a']") is not None
    assert machine.config("devices/channel/target[@name='org.example.a']") is not None
    machine.change(xml=domain(port))
    assert names(machine, "ua-") == []
    assert machine.live("devices/channel/target[@name='org.example.a']") is not None


def test_what_no_running_machine_can_be_told_waits_for_the_next_boot(machine: LiveMachine) -> None:
    machine.start()
    done = machine.guest.apply(xml="<domain><pm><suspend-to-mem enabled='yes'/></pm></domain>")
    assert waiting(done) == {"/xml/pm/suspend-to-mem/@enabled"}
    assert waiting(machine.guest.apply(xml=None)) == set()


@pytest.fixture
def lan(machine: LiveMachine, host_objects: HostObjects, free_subnet: ipaddress.IPv4Network) -> Iterator[str]:
    name = host_objects.name("lan")
    network = machine.guest.connection.networkDefineXML(
        f"<network><name>{name}</name><ip address='{free_subnet[1]}' prefix='24'/></network>"
    )
    network.create()
    yield name
    machine.guest.forget()
    network.destroy()
    network.undefine()


def test_a_card_is_changed_while_it_runs_and_what_it_was_told_is_taken_back(machine: LiveMachine, lan: str) -> None:
    cards = [{"network": lan, "mac": MAC}]
    machine.start(interfaces=cards)
    machine.change(xml=domain(interface("<link state='down'/>")))
    assert machine.live("devices/interface/link/@state") == machine.config("devices/interface/link/@state") == "down"
    machine.change(xml="<domain/>")
    assert machine.live("devices/interface/link") is machine.config("devices/interface/link") is None
