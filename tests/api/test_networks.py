"""/networks on the test driver: what clients do becomes commits, and the host follows."""

from __future__ import annotations

from collections.abc import Iterator

import libvirt
import pytest
import yaml

from tests.api.live import LiveApi


def names(api: LiveApi, **query: str) -> list[str]:
    return [each["name"] for each in api.client.get("/networks", params=query).json()]


def test_what_the_host_has_is_listed(api: LiveApi) -> None:
    (default,) = api.client.get("/networks").json()
    assert default == {
        "name": "default", "state": "active", "autostart": False, "in_use": True, "vms": ["test"],
        "subnet": "192.168.122.0/24", "dhcp": {"start": "192.168.122.2", "end": "192.168.122.254"},
        "connection": "nat", "interface": default["interface"], "persistent": True,
        "actions": ["activate", "deactivate"],
    }  # fmt: skip
    assert api.client.get("/networks/default").json() == default
    assert api.client.get("/networks/default/").json() == default


def test_the_life_of_a_network_is_told_by_git_log(api: LiveApi, hand: libvirt.virConnect) -> None:
    body = {"name": "lab", "connection": "nat", "subnet": "192.168.150.7/24"}
    made = api.client.post("/networks", json=body, headers={"X-Request-Id": "story-1"})
    assert (made.status_code, made.headers["X-Request-Id"]) == (201, "story-1")
    assert made.json()["state"] == "inactive"
    assert made.json()["subnet"] == "192.168.150.0/24"
    assert hand.networkLookupByName("lab").autostart()
    assert yaml.safe_load(api.text("networks/lab.yaml"))["spec"] == {
        "mode": "nat", "subnet": "192.168.150.0/24", "autostart": True, "active": False,
    }  # fmt: skip
    started = api.client.post("/networks/lab/activate")
    assert (started.status_code, started.json()["state"]) == (200, "active")
    assert hand.networkLookupByName("lab").isActive()
    assert api.client.delete("/networks/lab").status_code == 400
    assert api.client.post("/networks/lab/deactivate").json()["state"] == "inactive"
    gone = api.client.delete("/networks/lab")
    assert (gone.status_code, gone.content) == (204, b"")
    assert api.client.get("/networks/lab").status_code == 404
    assert names(api) == ["default"]
    assert api.log() == ["Delete network lab", "Deactivate network lab", "Activate network lab", "Create network lab"]


def test_a_change_of_what_git_does_not_know_adopts_it(api: LiveApi, hand: libvirt.virConnect) -> None:
    hand.networkDefineXML("<network><name>byhand</name><ip address='192.168.77.1' netmask='255.255.255.0'/></network>")
    api.serving.operations.look_again(None)
    answer = api.client.post("/networks/byhand/activate")
    assert (answer.status_code, answer.json()["state"]) == (200, "active"), answer.text
    document = yaml.safe_load(api.text("networks/byhand.yaml"))
    assert document["spec"]["mode"] == "isolated"
    assert document["spec"]["active"] is True
    assert document["metadata"]["annotations"] == {"onggi/adopt": "true"}


def test_removing_what_git_does_not_know_is_an_operation(api: LiveApi, hand: libvirt.virConnect) -> None:
    hand.networkDefineXML("<network><name>byhand</name></network>")
    api.serving.operations.look_again(None)
    assert api.client.delete("/networks/byhand").status_code == 204
    assert "byhand" not in hand.listDefinedNetworks()
    assert api.log() == []
    (event,) = api.agent.line.ledger.history.events()
    assert (event.ref.name, event.result, event.who) == ("byhand", "deleted", "api:api")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "KCHNET0016E"),
        ([], "KCHNET0016E"),
        ({"name": "x"}, "KCHNET0016E"),
        ({"name": "", "connection": "nat"}, "KCHNET0011E"),
        ({"name": "a/b", "connection": "nat"}, "KCHNET0011E"),
        ({"name": "x", "connection": "xnat"}, "KCHNET0012E"),
        ({"name": "x", "connection": "nat", "subnet": 5}, "KCHNET0013E"),
        ({"name": "x", "connection": "nat", "subnet": "300.1.1.1/24"}, "KCHNET0003E"),
        ({"name": "x", "connection": "bridge"}, "KCHNET0004E"),
        ({"name": "x", "connection": "bridge", "interface": "br0", "vlan_id": 5000}, "KCHNET0015E"),
        ({"name": "x", "connection": "bridge", "interface": "none"}, "KCHNET0007E"),
        ({"name": "default", "connection": "nat"}, "KCHNET0001E"),
    ],
)
def test_a_bad_network_is_refused_with_kimchis_code(api: LiveApi, body: object, code: str) -> None:
    answer = api.client.post("/networks", json=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "400 Bad Request"
    assert answer.json()["reason"].startswith(f"{code}: ")
    assert names(api) == ["default"]


@pytest.fixture
def bridge(hand: libvirt.virConnect) -> Iterator[libvirt.virInterface]:
    """A bridge of the host over no card; the test driver has the card eth1 by itself."""
    made = hand.interfaceDefineXML("<interface type='bridge' name='br7'><bridge/></interface>")
    made.create()
    yield made
    made.destroy()
    made.undefine()


@pytest.mark.usefixtures("bridge")
def test_a_network_goes_through_a_card_or_a_bridge_that_no_other_has(api: LiveApi) -> None:
    for name, interface in (("out", "eth1"), ("in", "br7")):
        body = {"name": name, "connection": "bridge", "interface": interface}
        assert api.client.post("/networks", json=body).json()["interface"] == interface
        again = api.client.post("/networks", json={**body, "name": "again"})
        assert (again.status_code, again.json()["reason"].partition(":")[0]) == (400, "KCHNET0006E")
        assert api.client.get(f"/networks/{name}").json()["interface"] == interface
    assert yaml.safe_load(api.text("networks/in.yaml"))["spec"]["bridge"] == "br7"
    tagged = api.client.post("/networks", json={"name": "x", "connection": "bridge", "interface": "br7", "vlan_id": 5})
    assert tagged.json()["reason"].startswith("KCHNET0019E: ")
    assert names(api) == ["default", "in", "out"]


def test_a_network_whose_way_out_is_gone_isn_t_called_active(api: LiveApi, hand: libvirt.virConnect) -> None:
    hand.networkDefineXML(
        "<network><name>lost</name><forward mode='bridge'><interface dev='gone0'/></forward></network>"
    )
    api.serving.operations.look_again(None)
    refused = api.client.post("/networks/lost/activate")
    assert (refused.status_code, refused.json()["reason"].partition(":")[0]) == (400, "KCHNET0007E")
    assert (api.client.get("/networks/lost").json()["state"], api.log()) == ("inactive", [])


def test_a_network_that_is_used_stays(api: LiveApi) -> None:
    answer = api.client.post("/networks/default/deactivate")
    assert answer.status_code == 400
    assert "machine test" in answer.json()["reason"]


def test_an_unknown_network_and_an_unknown_action_are_told(api: LiveApi) -> None:
    assert api.client.get("/networks/none").json()["reason"].startswith("KCHNET0002E")
    assert api.client.post("/networks/default/bogus").status_code == 404
    answer = api.client.patch("/networks/default", json={})
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "PUT", "DELETE"}
    assert api.client.get("/networks/default/activate").status_code == 405


def test_a_version_that_is_known_is_not_sent_again(api: LiveApi) -> None:
    tag = api.client.get("/networks/default").headers["ETag"]
    again = api.client.get("/networks/default", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    stale = api.client.post("/networks/default/activate", headers={"If-Match": '"stale.stale"'})
    assert stale.status_code == 412
    assert api.client.post("/networks/default/activate", headers={"If-Match": tag}).status_code == 200


def test_lists_are_filtered_by_any_field(api: LiveApi) -> None:
    assert names(api, state="act") == ["default"]
    assert names(api, persistent="true", name="^def.*") == ["default"]
    assert names(api, persistent="false") == []
    assert names(api, nonsense="x") == []
    assert api.client.get("/networks", params={"_odd": "1"}).status_code == 400
    assert api.client.get("/networks/default", params={"x": "1"}).status_code == 200


def test_another_sites_page_changes_nothing(api: LiveApi) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert api.client.post("/networks/default/activate", headers=headers).status_code == 403
