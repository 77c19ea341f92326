"""/vms/{name}/ifaces on the test driver: cards that machines have, get, change and lose."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import libvirt
import pytest

from tests.api.live import LiveApi
from tests.api.parts import declare, define, document

FIRST, SECOND, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"


def card(mac: str, kind: str = "network", source: str = "network='default'", model: str = "e1000") -> str:
    place = f"<source {source}/>" if source else ""
    return f"<interface type='{kind}'><mac address='{mac}'/>{place}<model type='{model}'/></interface>"


def interfaces(api: LiveApi, name: str = "byhand", **query: str) -> dict[str, Any]:
    return {each["mac"]: each for each in api.client.get(f"/vms/{name}/ifaces", params=query).json()}


def attach(api: LiveApi, name: str = "byhand", **body: Any) -> httpx.Response:
    return api.client.post(f"/vms/{name}/ifaces", json=body)


def change(api: LiveApi, address: str = FIRST, machine: str = "byhand", **body: Any) -> httpx.Response:
    return api.client.put(f"/vms/{machine}/ifaces/{address}", json=body)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"].partition(":")[0]


@pytest.fixture
def byhand(api: LiveApi, hand: libvirt.virConnect) -> LiveApi:
    """A machine that the repository doesn't know, with a card on a network, and a second network."""
    hand.networkDefineXML("<network><name>lab</name></network>")
    define(hand, devices=card(FIRST))
    api.serving.operations.look_again(None)
    return api


def test_what_a_machine_has_is_listed(byhand: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, "many", card(SECOND, "bridge", "bridge='br0'", "virtio") + card(OTHER, "user", "", "rtl8139"))
    byhand.serving.operations.look_again(None)
    assert interfaces(byhand) == {
        FIRST: {"type": "network", "mac": FIRST, "model": "e1000", "network": "default", "ips": [], "actions": []}
    }
    assert interfaces(byhand, "many") == {
        SECOND: {"type": "bridge", "mac": SECOND, "model": "virtio", "bridge": "br0", "ips": [], "actions": []},
        OTHER: {"type": "user", "mac": OTHER, "model": "rtl8139", "ips": [], "actions": []},
    }
    assert byhand.client.get(f"/vms/many/ifaces/{SECOND.upper()}").json()["bridge"] == "br0"
    assert set(interfaces(byhand, "many", type="user")) == {OTHER}
    assert code(byhand.client.get(f"/vms/byhand/ifaces/{OTHER}")) == (404, "KCHVMIF0001E")
    assert code(byhand.client.get("/vms/nobody/ifaces")) == (404, "KCHVM0002E")


def test_plugging_in_adopts_the_machine(byhand: LiveApi, hand: libvirt.virConnect) -> None:
    made = attach(byhand, type="network", network="default", model="virtio")
    assert made.status_code == 201, made.text
    mac = made.json()["mac"]
    assert made.json() == {
        "type": "network",
        "mac": mac,
        "model": "virtio",
        "network": "default",
        "ips": [],
        "actions": [],
    }
    assert mac.startswith("52:54:00:")
    assert set(interfaces(byhand)) == {FIRST, mac}
    assert mac in hand.lookupByName("byhand").XMLDesc()
    assert byhand.log()[0] == "Plug network default into machine byhand"
    assert document(byhand, "byhand")["spec"]["interfaces"] == [
        {"network": "default", "model": "e1000", "mac": FIRST, "targetDev": "testnet0"},
        {"name": "default-2", "network": "default", "mac": mac, "model": "virtio"},
    ]
    chosen = attach(byhand, type="network", network="lab", mac=OTHER.upper())
    assert (chosen.status_code, chosen.json()["mac"]) == (201, OTHER)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "KCHVMIF0007E"),
        ({"type": "bridge", "network": "default"}, "KCHVMIF0004E"),
        ({"type": "xnetwork", "network": "default"}, "KCHVMIF0004E"),
        ({"type": "network"}, "KCHVMIF0007E"),
        ({"type": "network", "network": ""}, "KCHVMIF0007E"),
        ({"type": "network", "network": "none"}, "KCHVMIF0002E"),
        ({"type": "network", "network": "default", "model": "ne2k"}, "KCHVMIF0006E"),
        ({"type": "network", "network": "default", "mac": FIRST}, "KCHVMIF0009E"),
        ({"type": "network", "network": "default", "mac": "52:54:00"}, "KCHVMIF0010E"),
        ({"type": "network", "network": "default", "mac": "53:54:00:00:00:09"}, "KCHVMIF0010E"),
    ],
)
def test_what_cannot_be_plugged_in_is_refused(byhand: LiveApi, body: dict[str, str], expected: str) -> None:
    log = byhand.log()
    assert code(attach(byhand, **body)) == (400, expected)
    assert byhand.log() == log


def test_network_and_model_are_changed_in_place(byhand: LiveApi) -> None:
    changed = change(byhand, network="lab", model="virtio")
    assert (changed.status_code, changed.json()) == (
        200, {"type": "network", "mac": FIRST, "model": "virtio", "network": "lab", "ips": [], "actions": []},
    )  # fmt: skip
    assert set(interfaces(byhand)) == {FIRST}
    assert document(byhand, "byhand")["spec"]["interfaces"] == [
        {"network": "lab", "model": "virtio", "mac": FIRST, "targetDev": "testnet0"}
    ]
    assert change(byhand).json() == changed.json()
    assert code(change(byhand, network="none")) == (400, "KCHVMIF0002E")
    assert code(change(byhand, model="none")) == (400, "KCHVMIF0006E")
    assert code(change(byhand, OTHER, model="virtio")) == (404, "KCHVMIF0001E")


def test_another_address_is_at_another_uri(byhand: LiveApi, hand: libvirt.virConnect) -> None:
    moved = change(byhand, mac=SECOND.upper())
    assert moved.status_code == 303, moved.text
    assert moved.headers["Location"] == f"{byhand.url}/vms/byhand/ifaces/{quote(SECOND)}"
    assert byhand.client.get(moved.headers["Location"]).json() == {
        "type": "network", "mac": SECOND, "model": "e1000", "network": "default", "ips": [], "actions": [],
    }  # fmt: skip
    assert set(interfaces(byhand)) == {SECOND}
    assert hand.lookupByName("byhand").XMLDesc().count("<interface") == 1
    assert change(byhand, SECOND, mac=SECOND).status_code == 200
    assert change(byhand, SECOND, mac=FIRST).status_code == 303
    assert set(interfaces(byhand)) == {FIRST}


def test_an_address_that_somebody_has_or_that_is_none_is_refused(byhand: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, "other", card(OTHER))
    byhand.serving.operations.look_again(None)
    assert code(change(byhand, mac=OTHER)) == (400, "KCHVMIF0009E")
    assert code(change(byhand, mac="nonsense")) == (400, "KCHVMIF0010E")


def test_a_running_machine_keeps_its_addresses(api: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, devices=card(FIRST), start=True)
    api.serving.operations.look_again(None)
    assert code(change(api, mac=OTHER)) == (400, "KCHVMIF0011E")
    assert attach(api, type="network", network="default").status_code == 501


def test_the_model_of_a_running_machine_comes_with_its_next_start(api: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, devices=card(FIRST), start=True)
    api.serving.operations.look_again(None)
    assert change(api, model="rtl8139").status_code == 200
    assert "rtl8139" in hand.lookupByName("byhand").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    assert interfaces(api)[FIRST]["model"] == "e1000"


def test_the_card_that_is_meant_goes(byhand: LiveApi) -> None:
    second = attach(byhand, type="network", network="default").json()["mac"]
    assert byhand.client.delete(f"/vms/byhand/ifaces/{FIRST.upper()}").status_code == 204
    assert set(interfaces(byhand)) == {second}
    assert byhand.client.delete(f"/vms/byhand/ifaces/{second}").status_code == 204
    assert interfaces(byhand) == {}
    assert byhand.client.delete(f"/vms/byhand/ifaces/{second}").status_code == 404
    assert "interfaces" not in document(byhand, "byhand")["spec"]


def test_the_only_card_of_a_machine_that_git_does_not_know_goes(byhand: LiveApi, hand: libvirt.virConnect) -> None:
    assert byhand.client.delete(f"/vms/byhand/ifaces/{FIRST}").status_code == 204
    assert interfaces(byhand) == {}
    assert "<interface" not in hand.lookupByName("byhand").XMLDesc()


HAND_WRITTEN = """\
  runStrategy: Halted
  interfaces:
    # the way out, and a second one
    - network: default
    - name: second        # to the lab
      network: default
"""


def test_derived_addresses_of_a_hand_written_document_stay_as_they_are(byhand: LiveApi) -> None:
    declare(byhand, "web", HAND_WRITTEN)
    first, second = interfaces(byhand, "web")
    assert change(byhand, second, "web", model="e1000").json()["model"] == "e1000"
    assert document(byhand, "web")["spec"]["interfaces"] == [
        {"network": "default"}, {"name": "second", "network": "default", "model": "e1000"},
    ]  # fmt: skip
    assert change(byhand, first, "web", network="lab").json()["mac"] == first
    assert set(interfaces(byhand, "web")) == {first, second}
    assert "# to the lab" in byhand.text("vms/web.yaml")
    assert byhand.client.delete(f"/vms/web/ifaces/{first}").status_code == 204
    assert set(interfaces(byhand, "web")) == {second}
    assert document(byhand, "web")["spec"]["interfaces"] == [{"name": "second", "network": "default", "model": "e1000"}]


def test_a_card_that_documents_have_no_word_for_can_go_and_can_join_a_network(
    byhand: LiveApi, hand: libvirt.virConnect
) -> None:
    define(hand, "odd", card(SECOND, "null", "") + card(OTHER, "null", ""))
    byhand.serving.operations.look_again(None)
    assert code(change(byhand, SECOND, "odd", model="virtio")) == (400, "KCHVMIF0007E")
    assert change(byhand, SECOND, "odd", network="default").json()["network"] == "default"
    assert byhand.client.delete(f"/vms/odd/ifaces/{OTHER}").status_code == 204
    assert set(interfaces(byhand, "odd")) == {SECOND}
