"""Networks of a host with a real VLAN, and a bridge over it: `vlan42` over `trunk.42` of the NIC `trunk`."""

from __future__ import annotations

import libvirt
import pytest
from lxml import etree

from tests.api.live import LiveApi
from tests.api.parts import is_at_rest
from tests.lab.libvirtd import HostObjects

pytestmark = [pytest.mark.qemu, pytest.mark.chain("lab"), pytest.mark.timeout(900)]


def offered(api: LiveApi) -> dict[str, str]:
    return {each["name"]: each["type"] for each in api.client.get("/interfaces").json()}


def test_a_network_goes_through_a_bridge_over_a_vlan(
    api: LiveApi, on_lab: libvirt.virConnect, objects: HostObjects
) -> None:
    name = objects.name("vlan")
    assert offered(api)["vlan42"] == "bridge"
    made = api.client.post("/networks", json={"name": name, "connection": "bridge", "interface": "vlan42"})
    assert made.status_code == 201, made.text
    started = api.client.post(f"/networks/{name}/activate")
    assert (started.status_code, started.json()["state"]) == (200, "active"), started.text
    real = on_lab.networkLookupByName(name)
    assert (real.isActive(), real.autostart()) == (1, 1)
    root = etree.fromstring(real.XMLDesc().encode())
    assert (root.find("forward").get("mode"), root.find("bridge").get("name")) == ("bridge", "vlan42")
    assert is_at_rest(api.serving.world)
    assert "vlan42" not in offered(api)
    assert api.client.post(f"/networks/{name}/deactivate").status_code == 200
    assert api.client.delete(f"/networks/{name}").status_code == 204
    assert offered(api)["vlan42"] == "bridge"


def test_a_vlan_that_libvirt_cant_make_here_is_refused_and_nothing_stays(api: LiveApi, objects: HostObjects) -> None:
    body = {"name": objects.name("vlan"), "connection": "bridge", "interface": "trunk", "vlan_id": 43}
    refused = api.client.post("/networks", json=body)
    assert refused.status_code >= 400
    assert "make a bridge over trunk.43" in refused.json()["reason"]
    assert api.client.get(f"/networks/{body['name']}").status_code == 404
    assert is_at_rest(api.serving.world)
