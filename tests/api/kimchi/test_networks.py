"""/networks in Kimchi's words: one life of one network of each kind, every filter, and every documented error."""

from __future__ import annotations

from tests.api.kimchi.hosts import Host
from tests.api.kimchi.words import Kimchi

USER = (
    "<domain type='{type}'><name>guest</name><memory unit='MiB'>64</memory><os><type>hvm</type></os><devices>"
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lab'/></interface>"
    "</devices></domain>"
)


def test_one_life_of_one_network(kimchi: Kimchi, host: Host) -> None:
    body = {"name": "lab", "connection": "nat", "subnet": "192.168.150.7/24"}
    made = kimchi.write("POST", "/networks", body, 201)
    assert {key: made[key] for key in made.keys() - {"actions"}} == {
        "name": "lab", "state": "inactive", "autostart": True, "in_use": False, "vms": [],
        "subnet": "192.168.150.0/24", "dhcp": {"start": "192.168.150.2", "end": "192.168.150.254"},
        "connection": "nat", "interface": made["interface"], "persistent": True,
    }  # fmt: skip
    assert made["actions"] == ["activate", "deactivate"]
    assert kimchi.read("/networks/lab") == made

    assert kimchi.write("PUT", "/networks/lab", {"subnet": "192.168.151.0/24"})["subnet"] == "192.168.151.0/24"
    assert kimchi.write("PUT", "/networks/lab", {"autostart": False})["autostart"] is False
    assert kimchi.write("POST", "/networks/lab/activate")["state"] == "active"
    assert kimchi.write("POST", "/networks/lab/activate")["state"] == "active"
    assert kimchi.refusal("PUT", "/networks/lab", {"subnet": "192.168.152.0/24"}) == "400 KCHNET0005E"
    assert kimchi.refusal("DELETE", "/networks/lab") == "400 KCHNET0005E"

    host.hand.defineXML(USER.format(type=host.machines))
    kimchi.api.serving.operations.look_again(None)
    used = kimchi.read("/networks/lab")
    assert (used["in_use"], used["vms"]) == (True, ["guest"])
    assert kimchi.refusal("POST", "/networks/lab/deactivate") == "400 KCHNET0018E"
    host.hand.lookupByName("guest").undefine()
    kimchi.api.serving.operations.look_again(None)
    assert kimchi.write("POST", "/networks/lab/deactivate")["state"] == "inactive"
    assert kimchi.send("DELETE", "/networks/lab").status_code == 204
    assert kimchi.refusal("GET", "/networks/lab") == "404 KCHNET0002E"


def test_an_isolated_one_chooses_its_subnet_and_a_bridge_has_none(kimchi: Kimchi) -> None:
    inner = kimchi.write("POST", "/networks", {"name": "inner", "connection": "isolated"}, 201)
    assert inner["subnet"] and inner["dhcp"]["start"] and inner["connection"] == "isolated"
    way = kimchi.names("/interfaces")[0]
    outer = kimchi.write("POST", "/networks", {"name": "outer", "connection": "bridge", "interface": way}, 201)
    assert (outer["interface"], outer["subnet"], outer["dhcp"]) == (way, "", {"start": "", "end": ""})
    assert kimchi.read("/interfaces") == []
    assert way in kimchi.names("/interfaces", _inuse="true")
    assert kimchi.refusal("PUT", "/networks/outer", {"subnet": "192.168.9.0/24"}) == "400 KCHNET0003E"

    assert kimchi.names("/networks") == ["default", "inner", "outer"]
    assert kimchi.names("/networks", connection="bridge") == ["outer"]
    assert kimchi.names("/networks", connection=["isolated", "bridge"]) == ["inner", "outer"]
    assert kimchi.names("/networks", state="inactive", name="^in") == ["inner"]
    assert kimchi.names("/networks", autostart="false") == ["default"]
    assert kimchi.names("/networks", vms="test") == ["default"]
    assert kimchi.names("/networks", nonsense="x") == []


def test_every_documented_error(kimchi: Kimchi) -> None:
    before = kimchi.read("/networks")
    for body, code in (
        ({}, "KCHNET0016E"), ({"name": "x"}, "KCHNET0016E"), ({"name": "", "connection": "nat"}, "KCHNET0011E"),
        ({"name": 'a"b', "connection": "nat"}, "KCHNET0011E"), ({"name": "a/b", "connection": "nat"}, "KCHNET0011E"),
        ({"name": "x", "connection": "xnat"}, "KCHNET0012E"),
        ({"name": "x", "connection": "nat", "subnet": 5}, "KCHNET0013E"),
        ({"name": "x", "connection": "nat", "subnet": "a.b.c.d/24"}, "KCHNET0003E"),
        ({"name": "x", "connection": "bridge"}, "KCHNET0004E"),
        ({"name": "x", "connection": "bridge", "interface": 5}, "KCHNET0014E"),
        ({"name": "x", "connection": "bridge", "interface": "nosuch0"}, "KCHNET0007E"),
        ({"name": "x", "connection": "bridge", "interface": "eth1", "vlan_id": 0}, "KCHNET0015E"),
        ({"name": "default", "connection": "nat"}, "KCHNET0001E"),
    ):  # fmt: skip
        assert kimchi.refusal("POST", "/networks", body) == f"400 {code}", body
    for method, uri in (
        ("GET", "/networks/none"), ("PUT", "/networks/none"), ("DELETE", "/networks/none"),
        ("POST", "/networks/none/activate"), ("POST", "/networks/none/deactivate"),
    ):  # fmt: skip
        assert kimchi.refusal(method, uri, {} if method == "PUT" else None) == "404 KCHNET0002E", uri
    assert kimchi.refusal("POST", "/networks/default/deactivate") == "400 KCHNET0018E"
    assert kimchi.send("POST", "/networks/default", {}).status_code == 405
    assert kimchi.send("GET", "/networks/default/activate").status_code == 405
    assert kimchi.send("POST", "/networks/default/bogus").status_code == 404
    assert kimchi.read("/networks") == before
