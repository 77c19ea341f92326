"""What a host's machines can have is asked of libvirt, once for each connection; nothing is left of the question."""

from __future__ import annotations

import libvirt
import pytest

from reconciler.hypervisor.hypervisor import Hypervisor


def test_a_driver_that_runs_nothing_real_says_little() -> None:
    host = Hypervisor.open("test:///default")
    assert host.abilities_before is None
    found = host.abilities()
    assert (found.driver, found.emulator, found.spice, found.vfio) == ("TEST", "", False, False)
    assert found.stream_protocols == ()
    assert "<capabilities>" in found.capabilities
    assert host.abilities() is found
    assert host.abilities_before is found
    host.close()


def test_the_hosts_devices_are_listed() -> None:
    host = Hypervisor.open("test:///default")
    names = [each.name for each in host.devices().devices]
    assert "computer" in names
    assert host.devices() is host.devices()
    host.close()


def test_a_new_connection_is_asked_anew() -> None:
    host = Hypervisor.open("test:///default")
    before = host.abilities()
    host._connections._lose(before.generation)
    after = host.abilities()
    assert after.generation > before.generation
    assert host.abilities_before is after
    host.close()


@pytest.mark.qemu
def test_qemu_tells_what_its_machines_can_have(qemu_system: str, qemu_connection: libvirt.virConnect) -> None:
    host = Hypervisor.open(qemu_system)
    found = host.abilities()
    assert found.driver == "QEMU"
    assert found.emulator.startswith("/")
    assert found.screenshots
    assert {"http", "https"} <= set(found.stream_protocols)
    assert "tftp" not in found.stream_protocols  # which QEMU has dropped
    assert found.memory_hotplug
    assert "onggi-question" not in [each.name() for each in qemu_connection.listAllDomains()]
    host.close()
