"""What QEMU saw of devices that came and went, and of the balloon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.lab.live_fields import shows_live
from tests.live.machine import LiveMachine


def types(machine: LiveMachine) -> list[str]:
    """What kinds of device QEMU has plugged in."""
    found = machine.ask("qom-list", path="/machine/peripheral")
    return sorted(each["type"].removeprefix("child<").removesuffix(">") for each in found)


def channels(machine: LiveMachine) -> set[str]:
    """The names of the guest's ports that QEMU has."""
    ports = [
        each["name"] for each in machine.ask("qom-list", path="/machine/peripheral") if "virtserialport" in each["type"]
    ]
    return {machine.property(f"/machine/peripheral/{port}", "name") for port in ports}


@shows_live("channels")
def test_a_channel_comes_and_goes(machine: LiveMachine) -> None:
    machine.start()
    before = channels(machine)
    machine.change(channels=[{"name": "org.example.a", "type": "unix"}])
    assert channels(machine) == before | {"org.example.a"}
    machine.change(channels=[])
    assert channels(machine) == before


@shows_live("inputs")
def test_a_mouse_comes_and_goes_and_a_keyboard_comes(machine: LiveMachine) -> None:
    machine.start()
    machine.change(inputs=[{"type": "mouse", "bus": "usb"}])
    assert "usb-mouse" in types(machine)
    machine.change(inputs=[{"type": "keyboard", "bus": "virtio"}])
    assert "usb-mouse" not in types(machine)
    assert "virtio-keyboard-pci" in types(machine)


@shows_live("rngs")
def test_a_source_of_entropy_comes(machine: LiveMachine) -> None:
    machine.start()
    first: dict[str, Any] = {"model": "virtio", "backend": "random"}
    assert types(machine).count("virtio-rng-pci") == 1
    machine.change(rngs=[first, {"model": "virtio", "backend": "builtin", "rate": {"bytes": 1024}}])
    assert types(machine).count("virtio-rng-pci") == 2
    assert [each["type"] for each in machine.ask("qom-list", path="/objects")].count("child<rng-builtin>") == 1


@shows_live("shmems")
def test_shared_memory_comes(machine: LiveMachine) -> None:
    machine.start(machine="pc")
    try:
        machine.change(shmems=[{"name": machine.name, "model": "ivshmem-plain", "size": "4MiB"}])
        assert "ivshmem-plain" in types(machine)
        assert machine.property("/objects/shmmem-shmem0", "size") == 4 << 20
    finally:
        (Path("/dev/shm") / machine.name).unlink(missing_ok=True)


@shows_live("redirdevs")
def test_a_place_for_a_device_of_the_viewer_comes_and_goes(machine: LiveMachine) -> None:
    machine.start()
    machine.change(redirdevs=[{"type": "null"}])
    assert "usb-redir" in types(machine)
    machine.change(redirdevs=[])
    assert "usb-redir" not in types(machine)


@shows_live("balloon/statsPeriod")
def test_the_guest_is_asked_about_its_memory_from_now_on(machine: LiveMachine) -> None:
    machine.start()
    machine.change(balloon={"statsPeriod": 7})
    assert machine.property("/machine/peripheral/balloon0", "guest-stats-polling-interval") == 7
    machine.change(balloon={"statsPeriod": 0})
    assert machine.property("/machine/peripheral/balloon0", "guest-stats-polling-interval") == 0
