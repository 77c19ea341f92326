"""What the host saw of a change of a running machine's network card."""

from __future__ import annotations

import array
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.libvirtd import HostObjects
from tests.lab.live_fields import shows_live
from tests.live.machine import LiveMachine


@pytest.fixture
def lan(machine: LiveMachine, host_objects: HostObjects, free_subnet: ipaddress.IPv4Network) -> Iterator[str]:
    """A network that nobody declared, and that leads nowhere."""
    name = host_objects.name("lan")
    network = machine.guest.connection.networkDefineXML(
        f"<network><name>{name}</name><ip address='{free_subnet[1]}' prefix='24'/></network>"
    )
    network.create()
    yield name
    machine.guest.forget()
    network.destroy()
    network.undefine()


def tap(machine: LiveMachine) -> str:
    return str(machine.live("devices/interface/target/@dev"))


def coalesced_frames(device: str) -> int:
    """What `ethtool -c` tells as rx-frames."""
    answer = array.array("I", [0x0E, *[0] * 22])  # ETHTOOL_GCOALESCE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as some:
        fcntl.ioctl(some, 0x8946, struct.pack("16sP", device.encode(), answer.buffer_info()[0]))  # SIOCETHTOOL
    return answer[2]


def bindings(machine: LiveMachine) -> dict[str, str]:
    """Which filter the packets of which tap pass."""
    every = machine.guest.connection.listAllNWFilterBindings()
    return {each.portDev(): each.filterName() for each in every}


@shows_live(
    "interfaces/port",
    "interfaces/filter",
    "interfaces/filter/parameters",
    "interfaces/filter/parameters/name",
    "interfaces/filter/parameters/value",
    "interfaces/coalesce",
)
def test_the_host_treats_a_running_card_as_its_document_says(machine: LiveMachine, lan: str) -> None:
    card: dict[str, Any] = {"network": lan}
    machine.start(interfaces=[card])
    assert bindings(machine).get(tap(machine)) is None

    card |= {"port": {"isolated": True}}
    machine.change(interfaces=[card])
    assert Path(f"/sys/class/net/{tap(machine)}/brport/isolated").read_text().strip() == "1"

    card |= {"filter": {"name": "no-ip-spoofing", "parameters": [{"name": "IP", "value": "10.0.0.1"}]}}
    machine.change(interfaces=[card])
    assert bindings(machine)[tap(machine)] == "no-ip-spoofing"
    card |= {"filter": {"name": "no-ip-spoofing", "parameters": [{"name": "IP", "value": "10.0.0.2"}]}}
    machine.change(interfaces=[card])
    assert machine.live("devices/interface/filterref/parameter/@value") == "10.0.0.2"
    assert machine.config("devices/interface/filterref/parameter/@value") == "10.0.0.2"
    (binding,) = (each for each in machine.guest.connection.listAllNWFilterBindings() if each.portDev() == tap(machine))
    assert "10.0.0.2" in binding.XMLDesc()

    card |= {"coalesce": {"rx": {"frames": {"max": 32}}}}
    machine.change(interfaces=[card])
    assert coalesced_frames(tap(machine)) == 32
    assert machine.live("devices/interface/coalesce/rx/frames/@max") == "32"
