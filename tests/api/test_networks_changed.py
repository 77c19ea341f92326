"""PUT /networks/{name}: an inactive network changes place, and nothing that runs is altered."""

from __future__ import annotations

from typing import Any

import libvirt
import yaml

from tests.api.live import LiveApi


def spec(api: LiveApi) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(api.text("networks/lab.yaml"))["spec"]
    return found


def test_an_inactive_network_moves(api: LiveApi, hand: libvirt.virConnect) -> None:
    api.client.post("/networks", json={"name": "lab", "connection": "nat", "subnet": "192.168.150.0/24"})
    changed = api.client.put("/networks/lab", json={"name": "lab", "subnet": "192.168.151.7/24", "autostart": False})
    assert changed.status_code == 200, changed.text
    found = changed.json()
    assert (found["subnet"], found["autostart"], found["state"]) == ("192.168.151.0/24", False, "inactive")
    assert found["dhcp"] == {"start": "192.168.151.2", "end": "192.168.151.254"}
    assert spec(api) == {"mode": "nat", "subnet": "192.168.151.0/24", "autostart": False, "active": False}
    assert "192.168.151.1" in hand.networkLookupByName("lab").XMLDesc()
    assert api.log()[0] == "Change network lab"


def test_an_active_one_only_learns_whether_it_starts(api: LiveApi, hand: libvirt.virConnect) -> None:
    before = hand.networkLookupByName("default").XMLDesc()
    answer = api.client.put("/networks/default", json={"autostart": True})
    assert (answer.status_code, answer.json()["autostart"]) == (200, True), answer.text
    refused = api.client.put("/networks/default", json={"subnet": "192.168.77.0/24"})
    assert (refused.status_code, refused.json()["reason"].partition(":")[0]) == (400, "KCHNET0005E")
    assert hand.networkLookupByName("default").isActive()
    assert "192.168.122.1" in before and "192.168.122.1" in hand.networkLookupByName("default").XMLDesc()


def test_what_a_network_can_not_be_is_refused(api: LiveApi) -> None:
    api.client.post("/networks", json={"name": "lab", "connection": "isolated", "subnet": "192.168.150.0/24"})
    before = api.client.get("/networks/lab").json()
    for body, code in (
        ({"name": "other"}, "KCHNET0011E"),
        ({"autostart": "yes"}, "KCHNET0016E"),
        ({"connection": "nat"}, "KCHNET0016E"),
        ({"subnet": 5}, "KCHNET0013E"),
        ({"subnet": "300.0.0.0/24"}, "KCHNET0003E"),
        ({"vlan_id": 5000}, "KCHNET0015E"),
        ({"interface": "br0"}, "KCHNET0004E"),
    ):
        answer = api.client.put("/networks/lab", json=body)
        assert (answer.status_code, answer.json()["reason"].partition(":")[0]) == (400, code), body
    assert api.client.get("/networks/lab").json() == before
    assert api.client.put("/networks/none", json={}).status_code == 404
