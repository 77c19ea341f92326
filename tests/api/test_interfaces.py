"""/interfaces: which of the host's devices are offered, and what is told of each."""

from __future__ import annotations

import threading

import libvirt
import pytest

from api.http.ttl_cache import TtlCache
from api.interfaces.view import interface_view, offered
from reconciler.observed.answers import HostInterface
from reconciler.observed.snapshot import Observed, Snapshot
from specs.host import Host
from specs.reference import NETWORK, Ref
from tests.api.live import LiveApi


def host(*networks: str) -> Snapshot:
    """A host with networks of these definitions."""
    objects = {}
    for number, xml in enumerate(networks):
        ref = Ref(NETWORK, f"net{number}")
        objects[ref] = Observed(ref, "", f"<network><name>{ref.name}</name>{xml}</network>")
    return Snapshot(1, Host(), objects)


def names(interfaces: list[HostInterface], *networks: str) -> set[str]:
    return {each.name for each in offered(interfaces, host(*networks))}


_NIC = HostInterface("eth0", "nic", active=True)


def test_a_nic_on_its_own_is_offered_and_one_in_a_bridge_or_bond_is_not() -> None:
    bridge = HostInterface("br0", "bridge", parts=("eth1",))
    bond = HostInterface("bond0", "bonding", parts=("eth2", "eth3"))
    nics = [HostInterface(f"eth{number}", "nic") for number in range(4)]
    assert names([*nics, bridge, bond]) == {"eth0", "br0", "bond0"}


def test_a_bridge_is_offered_when_it_leads_out_of_the_host() -> None:
    tap = HostInterface("vnet0", "unknown")
    vlan = HostInterface("eth0.7", "vlan", parts=("eth0",))
    assert "br0" not in names([tap, HostInterface("br0", "bridge", parts=("vnet0",))])
    assert "br0" in names([_NIC, vlan, HostInterface("br0", "bridge", parts=("eth0.7",))])
    assert "br0" not in names(
        [HostInterface("br0", "bridge", parts=("br1",)), HostInterface("br1", "bridge", parts=("br0",))]
    )


def test_what_a_network_has_is_not_offered() -> None:
    bridge = HostInterface("br0", "bridge", parts=("eth1",))
    nics = [_NIC, HostInterface("eth1", "nic")]
    assert names([*nics, bridge], '<forward mode="bridge"/><bridge name="br0"/>') == {"eth0"}
    assert names([*nics, bridge], '<forward mode="bridge"><interface dev="eth0"/></forward>') == {"br0"}


def test_vlans_and_what_has_no_name_in_the_api_are_not_offered() -> None:
    assert names([HostInterface("lo"), HostInterface("eth0.7", "vlan", parts=("eth0",))]) == set()


def test_what_is_told_is_exactly_kimchis_five_fields() -> None:
    told = interface_view(HostInterface("br0", "bridge", "10.0.0.2", "255.255.255.0", active=True))
    assert told == {
        "name": "br0",
        "type": "bridge",
        "ipaddr": "10.0.0.2",
        "netmask": "255.255.255.0",
        "status": "active",
    }
    assert interface_view(HostInterface("wg0", "tunnel"))["type"] == "unknown"


def test_an_answer_is_asked_for_once_however_many_want_it() -> None:
    asked = []
    fresh = TtlCache(lambda: asked.append(1) or len(asked), 3600)
    threads = [threading.Thread(target=fresh) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (fresh(), len(asked)) == (1, 1)


def test_an_answer_that_failed_is_asked_for_again() -> None:
    answers = iter([OSError("away"), 7])

    def ask() -> int:
        if isinstance(answer := next(answers), OSError):
            raise answer
        return answer

    fresh = TtlCache(ask, 3600)
    with pytest.raises(OSError, match="away"):
        fresh()
    assert fresh() == 7


def test_the_host_tells_its_interfaces(api: LiveApi, hand: libvirt.virConnect) -> None:
    name = hand.listInterfaces()[0]
    found = api.client.get("/interfaces").json()
    assert [each["name"] for each in found] == [name]
    assert found[0] == {
        "name": name, "type": "nic", "ipaddr": "192.168.0.5", "netmask": "255.255.255.0", "status": "active",
        "actions": [],
    }  # fmt: skip
    assert api.client.get(f"/interfaces/{name}").json() == found[0]
    assert api.client.get("/interfaces?type=bridge").json() == []


def test_those_that_networks_have_are_asked_for(api: LiveApi, hand: libvirt.virConnect) -> None:
    name = hand.listInterfaces()[0]
    assert api.client.get("/interfaces", params={"_inuse": "true"}).json() == []
    way = f"<forward mode='bridge'/><bridge name='{name}'/>"
    hand.networkDefineXML(f"<network><name>out</name>{way}</network>")
    api.serving.operations.look_again(None)
    used, free = (api.client.get("/interfaces", params={"_inuse": each}).json() for each in ("true", "false"))
    assert ([each["name"] for each in used], free) == ([name], [])
    assert api.client.get("/interfaces", params={"_inuse": "maybe"}).status_code == 400


def test_an_interface_that_isnt_there_is_404(api: LiveApi) -> None:
    answer = api.client.get("/interfaces/nosuch0")
    assert answer.status_code == 404
    assert answer.json()["reason"].startswith("KCHIFACE0001E: ")
