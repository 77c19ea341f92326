"""Devices of a machine that has an IOMMU: what a machine can be given, what goes along, and who has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libvirt
import pytest
import yaml
from lxml import etree

from tests.api.live import LiveApi
from tests.api.parts import document, is_at_rest
from tests.lab.libvirtd import HostObjects

pytestmark = [pytest.mark.qemu, pytest.mark.chain("lab"), pytest.mark.timeout(900)]

# One chip with three functions, as QEMU's q35 has it: a bridge, a disk controller, and a bus for sensors.
BRIDGE, DISKS, SENSORS = "pci_0000_00_1f_0", "pci_0000_00_1f_2", "pci_0000_00_1f_3"
CARD, PORT = "pci_0000_01_00_0", "pci_0000_00_05_0"


class Machine:
    """A machine that a document declares, and what can be seen of its devices."""

    def __init__(self, api: LiveApi, connection: libvirt.virConnect, name: str) -> None:
        self.api, self.name, self._connection = api, name, connection

    def declare(self) -> None:
        spec = {"memory": 64, "runStrategy": "Halted"}
        text = {"apiVersion": "onggi/v1", "kind": "VirtualMachine", "metadata": {"name": self.name}, "spec": spec}
        self.api.repository.commit({f"vms/{self.name}.yaml": yaml.safe_dump(text)}, "Declare a machine")
        sequence = self.api.agent.queue.source_changed()
        there = self.api.agent.passes.wait(lambda world: world.sequence >= sequence and is_at_rest(world), 120)
        assert there is not None, (self.api.serving.world.plan.to_json(), self.api.serving.world.failing)

    def remove(self) -> None:
        gone = self.api.client.delete(f"/vms/{self.name}")
        assert gone.status_code == 204, gone.text

    @property
    def path(self) -> str:
        return f"/vms/{self.name}/hostdevs"

    def listed(self) -> dict[str, str]:
        return {each["name"]: each["type"] for each in self.api.client.get(self.path).json()}

    def committed(self) -> list[str]:
        return [each["device"] for each in document(self.api, self.name)["spec"].get("hostDevices", [])]

    def sources(self) -> list[etree._Element]:
        """What the domain's definition passes through."""
        text = self._connection.lookupByName(self.name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        return etree.fromstring(text.encode()).findall("devices/hostdev/source")

    def addresses(self) -> set[tuple[int, ...]]:
        """Bus, slot and function of its PCI devices."""
        found = [source.find("address").attrib for source in self.sources()]
        return {tuple(int(each[key], 16) for key in ("bus", "slot", "function")) for each in found}


@pytest.fixture
def machine(api: LiveApi, on_lab: libvirt.virConnect, objects: HostObjects) -> Iterator[Machine]:
    made = Machine(api, on_lab, objects.name("vm"))
    made.declare()
    yield made
    made.remove()


def names(api: LiveApi, **query: str) -> set[str]:
    answer = api.client.get("/host/devices", params=query)
    assert answer.status_code == 200, answer.text
    return {each["name"] for each in answer.json()}


def holders(api: LiveApi, device: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.client.get(f"/host/devices/{device}/vmholders").json()
    return found


def test_one_function_of_a_chip_brings_its_whole_group_along_and_takes_it_away_again(machine: Machine) -> None:
    api = machine.api
    given = api.client.post(machine.path, json={"name": SENSORS})
    assert (given.status_code, given.json()) == (201, {"name": SENSORS, "type": "pci", "actions": []}), given.text
    assert machine.listed() == {DISKS: "pci", SENSORS: "pci"}
    assert (machine.committed(), api.log()[0]) == ([DISKS, SENSORS], f"Give {SENSORS} to machine {machine.name}")
    assert machine.addresses() == {(0, 0x1F, 2), (0, 0x1F, 3)}
    for device in (DISKS, SENSORS):
        assert holders(api, device) == [{"name": machine.name, "state": "shutoff", "actions": []}]
    assert holders(api, BRIDGE) == []

    assert api.client.post(machine.path, json={"name": CARD}).status_code == 201
    assert machine.committed() == [DISKS, SENSORS, CARD]
    assert machine.addresses() == {(0, 0x1F, 2), (0, 0x1F, 3), (1, 0, 0)}

    assert api.client.delete(f"{machine.path}/{DISKS}").status_code == 204
    assert (machine.listed(), machine.committed()) == ({CARD: "pci"}, [CARD])
    assert machine.addresses() == {(1, 0, 0)}
    assert holders(api, SENSORS) == holders(api, DISKS) == []
    assert api.log()[0] == f"Take {DISKS} from machine {machine.name}"
    assert api.client.delete(f"{machine.path}/{CARD}").status_code == 204
    assert (machine.listed(), machine.committed(), machine.sources()) == ({}, [], [])
    assert is_at_rest(api.serving.world)


def test_a_usb_and_a_scsi_device_come_and_go_each_for_itself(machine: Machine) -> None:
    api = machine.api
    (tablet,) = names(api, _cap="usb_device", _passthrough="true")
    disk, other = sorted(names(api, _cap="scsi"))
    for device, kind in ((tablet, "usb"), (disk, "scsi")):
        given = api.client.post(machine.path, json={"name": device})
        assert (given.status_code, given.json()) == (201, {"name": device, "type": kind, "actions": []}), given.text
        assert holders(api, device) == [{"name": machine.name, "state": "shutoff", "actions": []}]
    assert holders(api, other) == []
    assert (set(machine.listed()), len(machine.sources())) == ({tablet, disk}, 2)
    for device in (tablet, disk):
        assert api.client.delete(f"{machine.path}/{device}").status_code == 204
    assert (machine.listed(), machine.sources()) == ({}, [])


def test_what_a_machine_can_be_given_leaves_out_what_holds_the_host_together(
    api: LiveApi, on_lab: libvirt.virConnect
) -> None:
    pci = names(api, _cap="pci")
    assert pci == {each.name() for each in on_lab.listAllDevices(libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV)}
    assert {BRIDGE, DISKS, SENSORS, CARD, PORT} <= pci
    eligible = names(api, _cap="pci", _passthrough="true")
    assert {DISKS, SENSORS, CARD} <= eligible
    assert not {BRIDGE, PORT, "pci_0000_00_00_0"} & eligible
    assert names(api, _cap="pci", _passthrough="false") == pci - eligible
    hubs = {each for each in names(api, _cap="usb_device") if each.startswith("usb_usb")}
    assert len(hubs) == 2
    assert hubs <= names(api, _passthrough="false")


def test_what_goes_along_with_a_device_is_the_rest_of_its_group_and_all_below_it(api: LiveApi) -> None:
    along = names(api, _passthrough_affected_by=SENSORS)
    assert {BRIDGE, DISKS} <= along
    assert {each for each in along if each.startswith("pci_")} == {BRIDGE, DISKS}
    below = {each["name"] for each in api.client.get("/host/devices").json() if each["parent"] == DISKS}
    assert below
    assert below <= along
    card = names(api, _passthrough_affected_by=CARD)
    assert {each.partition("_")[0] for each in card} == {"net"}
    groups = {name: api.client.get(f"/host/devices/{name}").json()["iommuGroup"] for name in (BRIDGE, DISKS, CARD)}
    assert groups[BRIDGE] == groups[DISKS]
    assert groups[CARD] not in (None, groups[DISKS])
