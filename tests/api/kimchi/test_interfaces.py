"""/interfaces and /ovsbridges in Kimchi's words."""

from __future__ import annotations

from tests.api.kimchi.words import Kimchi


def test_every_field_and_filter(kimchi: Kimchi) -> None:
    (found,) = kimchi.read("/interfaces")
    assert found == {
        "name": "eth1", "type": "nic", "ipaddr": "192.168.0.5", "netmask": "255.255.255.0", "status": "active",
        "actions": [],
    }  # fmt: skip
    assert kimchi.read("/interfaces/eth1") == found
    assert kimchi.names("/interfaces", type="nic", status="^active") == ["eth1"]
    assert kimchi.names("/interfaces", type="bridge") == []
    assert kimchi.names("/interfaces", _inuse="false") == ["eth1"]
    ways = {each["interface"] for each in kimchi.read("/networks")} - {""}
    assert set(kimchi.names("/interfaces", _inuse="true")) == ways
    assert all(isinstance(each, str) for each in kimchi.read("/ovsbridges"))


def test_every_documented_error(kimchi: Kimchi) -> None:
    assert kimchi.refusal("GET", "/interfaces/nosuch0") == "404 KCHIFACE0001E"
    assert kimchi.refusal("GET", "/interfaces?_inuse=perhaps") == "400 KCHIFACE0002E"
    for method in ("POST", "PUT", "DELETE"):
        assert kimchi.send(method, "/interfaces", {}).status_code == 405
        assert kimchi.send(method, "/interfaces/eth1", {}).status_code == 405
