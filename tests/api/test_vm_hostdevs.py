"""/vms/{name}/hostdevs: what of the host a machine has for itself."""

from __future__ import annotations

import httpx
import libvirt
import pytest

from api.vms.hostdevs.resource import together
from reconciler.hypervisor import Hypervisor
from reconciler.observed.host_devices import HostDevice, listing
from tests.api.live import LiveApi
from tests.api.parts import declare, define, document

CARD = """<hostdev mode='subsystem' type='pci' managed='yes'><source>
  <address domain='0x0000' bus='0x00' slot='0x{slot}' function='0x{function}'/></source></hostdev>"""


def devices(api: LiveApi, machine: str = "byhand") -> dict[str, str]:
    return {each["name"]: each["type"] for each in api.client.get(f"/vms/{machine}/hostdevs").json()}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"].partition(":")[0]


def pci(function: int, group: int | None = 7, pci_class: int = 0x020000) -> HostDevice:
    name = f"pci_0000_00_19_{function}"
    fields = {} if group is None else {"iommuGroup": group}
    return HostDevice(name, "pci", "computer", capabilities=frozenset({"pci"}), fields=fields, pci_class=pci_class)


@pytest.fixture
def byhand(api: LiveApi, hand: libvirt.virConnect) -> LiveApi:
    """A machine that the repository doesn't know, with two PCI devices."""
    define(hand, devices=CARD.format(slot="19", function=0) + CARD.format(slot="1a", function=0))
    api.serving.operations.look_again(None)
    return api


def test_what_a_machine_has_is_listed(byhand: LiveApi) -> None:
    assert devices(byhand) == {"pci_0000_00_19_0": "pci", "pci_0000_00_1a_0": "pci"}
    found = byhand.client.get("/vms/byhand/hostdevs/pci_0000_00_19_0").json()
    assert found == {"name": "pci_0000_00_19_0", "type": "pci", "actions": []}
    assert byhand.client.get("/vms/byhand/hostdevs", params={"name": "1a"}).json() == [
        {"name": "pci_0000_00_1a_0", "type": "pci", "actions": []}
    ]
    assert code(byhand.client.get("/vms/byhand/hostdevs/pci_0000_00_1b_0")) == (404, "KCHVMHDEV0001E")
    assert code(byhand.client.get("/vms/nobody/hostdevs")) == (404, "KCHVM0002E")


def test_taking_one_away_leaves_the_other(byhand: LiveApi, hand: libvirt.virConnect) -> None:
    gone = byhand.client.delete("/vms/byhand/hostdevs/pci_0000_00_19_0")
    assert (gone.status_code, gone.content) == (204, b"")
    assert devices(byhand) == {"pci_0000_00_1a_0": "pci"}
    assert hand.lookupByName("byhand").XMLDesc().count("<hostdev") == 1
    assert document(byhand, "byhand")["spec"]["hostDevices"] == [{"device": "pci_0000_00_1a_0"}]
    assert byhand.log()[0] == "Take pci_0000_00_19_0 from machine byhand"
    assert code(byhand.client.delete("/vms/byhand/hostdevs/pci_0000_00_19_0")) == (404, "KCHVMHDEV0001E")


def test_a_declared_one_is_taken_out_of_the_document(api: LiveApi) -> None:
    devices_of = "    - device: pci_0000_00_19_0\n    - device: pci_0000_00_1a_0 # sound\n"
    declare(api, "web", f"  runStrategy: Halted\n  hostDevices:\n{devices_of}")
    assert api.client.delete("/vms/web/hostdevs/pci_0000_00_19_0").status_code == 204
    assert devices(api, "web") == {"pci_0000_00_1a_0": "pci"}
    assert "# sound" in api.text("vms/web.yaml")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "computer"}, "KCHVMHDEV0002E"),
        ({"name": "scsi_host1"}, "KCHVMHDEV0002E"),
        ({"name": "nothing"}, "KCHVMHDEV0002E"),
        ({"name": "../x"}, "KCHVMHDEV0004E"),
        ({"name": ""}, "KCHVMHDEV0004E"),
        ({}, "KCHVMHDEV0004E"),
    ],
)
def test_what_a_machine_cannot_be_given_is_refused(byhand: LiveApi, body: dict[str, str], expected: str) -> None:
    log = byhand.log()
    assert code(byhand.client.post("/vms/byhand/hostdevs", json=body)) == (400, expected)
    assert byhand.log() == log


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """PCI devices in IOMMU groups, which no machine of the tests has."""
    known = listing([pci(0), pci(1), pci(2, group=8), pci(3, group=None), pci(4, pci_class=0x060400)])
    monkeypatch.setattr(Hypervisor, "devices", lambda _host: known)


@pytest.mark.usefixtures("cards")
def test_a_pci_device_comes_and_goes_with_its_group(api: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand)
    api.serving.operations.look_again(None)
    made = api.client.post("/vms/byhand/hostdevs", json={"name": "pci_0000_00_19_1"})
    assert (made.status_code, made.json()) == (201, {"name": "pci_0000_00_19_1", "type": "pci", "actions": []})
    assert set(devices(api)) == {"pci_0000_00_19_0", "pci_0000_00_19_1"}
    assert document(api, "byhand")["spec"]["hostDevices"] == [
        {"device": "pci_0000_00_19_0"}, {"device": "pci_0000_00_19_1"},
    ]  # fmt: skip
    assert api.log()[0] == "Give pci_0000_00_19_1 to machine byhand"
    again = api.client.post("/vms/byhand/hostdevs", json={"name": "pci_0000_00_19_1"})
    assert code(again) == (400, "KCHVMHDEV0002E")
    assert api.client.post("/vms/byhand/hostdevs", json={"name": "pci_0000_00_19_2"}).status_code == 201
    assert api.client.delete("/vms/byhand/hostdevs/pci_0000_00_19_0").status_code == 204
    assert set(devices(api)) == {"pci_0000_00_19_2"}


@pytest.mark.usefixtures("cards")
def test_a_pci_device_without_a_group_is_refused(byhand: LiveApi) -> None:
    for name, expected in (("pci_0000_00_19_3", "KCHVMHDEV0003E"), ("pci_0000_00_19_4", "KCHVMHDEV0002E")):
        answer = byhand.client.post("/vms/byhand/hostdevs", json={"name": name})
        assert code(answer) == (400, expected)


def test_a_group_goes_together_without_what_holds_the_machine_together() -> None:
    bridge = pci(4, pci_class=0x060400)
    known = listing([pci(1), pci(0), pci(2, group=8), pci(3, group=None), bridge])
    assert [each.name for each in together(pci(0), known)] == ["pci_0000_00_19_0", "pci_0000_00_19_1"]
    assert [each.name for each in together(pci(2, group=8), known)] == ["pci_0000_00_19_2"]
    assert [each.name for each in together(pci(9), known)] == ["pci_0000_00_19_9"]
