"""What a running network takes without a restart, tried on real ones."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specs.binding import parse
from specs.effect import Effect
from specs.host import Host
from specs.network import KIND
from specs.network.live import SectionEdit, live_sections
from tests.lab.libvirtd import HostObjects
from tests.specs.network import generated
from tests.specs.rendering import assert_at_rest, drift, lowered, new_xml, patch

HOST = Host()
COMMANDS = {
    "add": libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
    "delete": libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE,
}
SECTIONS = {
    "ip-dhcp-host": libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST,
    "ip-dhcp-range": libvirt.VIR_NETWORK_SECTION_IP_DHCP_RANGE,
    "dns-host": libvirt.VIR_NETWORK_SECTION_DNS_HOST,
    "dns-srv": libvirt.VIR_NETWORK_SECTION_DNS_SRV,
    "dns-txt": libvirt.VIR_NETWORK_SECTION_DNS_TXT,
    "portgroup": libvirt.VIR_NETWORK_SECTION_PORTGROUP,
}
BOTH = libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE | libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG
MAC = "52:54:00:00:00:0{}".format


class Running:
    """An isolated network that runs. Nothing is ever connected to it."""

    def __init__(self, connection: libvirt.virConnect, name: str, subnet: ipaddress.IPv4Network) -> None:
        self.connection = connection
        self.name = name
        self.subnet = subnet
        self.network: Any = None

    def lowered(self, **spec: Any) -> dict[str, Any]:
        return lowered(KIND, {"mode": "isolated", "subnet": str(self.subnet), **spec}, name=self.name, host=HOST)

    def start(self, **spec: Any) -> None:
        self.network = self.connection.networkDefineXML(new_xml(KIND, self.lowered(**spec), name=self.name, host=HOST))
        self.network.create()

    def stop(self) -> None:
        if self.network is not None:
            if self.network.isActive():
                self.network.destroy()
            self.network.undefine()
            self.network = None

    @property
    def live(self) -> str:
        return str(self.network.XMLDesc())

    @property
    def config(self) -> str:
        return str(self.network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE))

    def update(self, edits: list[SectionEdit], affect: int) -> None:
        for edit in edits:
            self.network.update(COMMANDS[edit.command], SECTIONS[edit.section], -1, edit.xml, affect)


@pytest.fixture
def running(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, free_subnet: ipaddress.IPv4Network
) -> Iterator[Running]:
    network = Running(qemu_connection, host_objects.name("tc-live"), free_subnet)
    yield network
    network.stop()


def test_hosts_ranges_and_names_change_while_the_network_runs(running: Running) -> None:
    at = running.subnet
    running.start(
        domain="lab.example",
        dhcp={
            "start": str(at[100]),
            "end": str(at[199]),
            "hosts": [
                {"mac": MAC(1), "ip": str(at[11]), "name": "one"},
                {"mac": MAC(2), "ip": str(at[12]), "name": "two"},
                {"mac": MAC(3), "ip": str(at[13])},
            ],
        },
        dns={"hosts": [{"ip": str(at[11]), "hostnames": ["one"]}, {"ip": str(at[12]), "hostnames": ["two", "deux"]}]},
    )
    wanted = running.lowered(
        domain="lab.example",
        dhcp={
            "start": str(at[120]),
            "end": str(at[150]),
            "hosts": [  # the names are exchanged, one address moves over, one host goes and one comes
                {"mac": MAC(1), "ip": str(at[12]), "name": "two"},
                {"mac": MAC(2), "ip": str(at[14]), "name": "one"},
                {"mac": MAC(4), "ip": str(at[11])},
            ],
        },
        dns={"hosts": [{"ip": str(at[11]), "hostnames": ["deux"]}, {"ip": str(at[13]), "hostnames": ["one", "un"]}]},
    )
    assert {change.effect for change in drift(KIND, wanted, running.live)} == {Effect.LIVE}
    running.update(live_sections(wanted, parse(running.live)), BOTH)
    assert_at_rest(KIND, wanted, running.live)
    assert_at_rest(KIND, wanted, running.config)
    assert live_sections(wanted, parse(running.live)) == []


@settings(
    deadline=None, max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_any_hosts_and_names_reach_the_running_network(running: Running, data: st.DataObject) -> None:
    keep = {"enabled": True}  # whether there is DHCP at all waits for a restart, and so does who boots from where

    def drawn() -> dict[str, Any]:
        dhcp = data.draw(generated.dhcp(running.subnet)) | keep
        dhcp.pop("bootp", None)
        return {"dhcp": dhcp, "dns": {"hosts": data.draw(generated.dns()).get("hosts", [])}}

    running.start(**drawn())
    try:
        for _ in range(2):
            wanted = running.lowered(**drawn())
            # As planning does it: the definition as a whole, and beside it the running network's edits.
            running.connection.networkDefineXML(patch(KIND, wanted, running.config))
            running.update(live_sections(wanted, parse(running.live)), libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE)
            assert drift(KIND, wanted, running.live) == []
            assert_at_rest(KIND, wanted, running.config)
    finally:
        running.stop()


def test_the_declared_range_becomes_the_first_of_several(running: Running) -> None:
    at = running.subnet
    running.start(dhcp={"start": str(at[10]), "end": str(at[19])})
    running.update(
        [SectionEdit("add", "ip-dhcp-range", f"<range start='{at[30]}' end='{at[39]}'/>")],
        libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE,
    )
    for first, last in ((50, 59), (30, 39)):  # a new one, and one that is there as another
        wanted = running.lowered(dhcp={"start": str(at[first]), "end": str(at[last])})
        running.update(live_sections(wanted, parse(running.live)), libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE)
        assert drift(KIND, wanted, running.live) == []


def test_what_is_not_declared_is_left_alone(running: Running) -> None:
    at = running.subnet
    running.start(
        dhcp={"hosts": [{"mac": MAC(1), "ip": str(at[11])}]}, dns={"hosts": [{"ip": "10.0.0.1", "hostnames": ["a"]}]}
    )
    assert live_sections(running.lowered(), parse(running.live)) == []
    assert live_sections(running.lowered(dhcp={"enabled": True}, dns={"enabled": True}), parse(running.live)) == []


def test_dhcp_waits_for_the_restart_that_brings_another_subnet(running: Running) -> None:
    running.start()
    dhcp = {"hosts": [{"mac": MAC(1), "ip": "10.1.2.3"}]}
    dns = {"hosts": [{"ip": "10.1.2.3", "hostnames": ["a"]}]}
    edits = live_sections(running.lowered(subnet="10.1.2.0/24", dhcp=dhcp, dns=dns), parse(running.live))
    assert [edit.section for edit in edits] == ["dns-host"]


def test_a_network_that_joins_a_bridge_has_nothing_to_edit() -> None:
    live = parse("<network><forward mode='bridge'/><bridge name='br0'/></network>")
    assert live_sections({"mode": "nat", "dns": {"hosts": [{"ip": "10.0.0.1", "hostnames": ["a"]}]}}, live) == []


def test_services_texts_ranges_and_groups_of_ports_come_and_go_while_the_network_runs(running: Running) -> None:
    at = running.subnet
    running.start(
        domain="lab.example",
        dhcp={"ranges": [{"start": str(at[10]), "end": str(at[19])}, {"start": str(at[30]), "end": str(at[39])}]},
        dns={
            "srv": [{"service": "ldap", "protocol": "tcp", "target": "a.lab.example", "port": 389}],
            "txt": [{"name": "a.example", "value": "one"}, {"name": "b.example", "value": "two"}],
        },
        portgroups=[{"name": "office", "default": True}, {"name": "lab"}],
    )
    wanted = running.lowered(
        domain="lab.example",
        dhcp={
            "ranges": [
                {"start": str(at[10]), "end": str(at[19]), "lease": {"expiry": 2, "unit": "hours"}},
                {"start": str(at[50]), "end": str(at[59])},
            ]
        },
        dns={
            "srv": [{"service": "ldap", "protocol": "tcp", "target": "a.lab.example", "port": 636}],
            "txt": [{"name": "b.example", "value": "three"}, {"name": "c.example", "value": "four"}],
        },
        portgroups=[{"name": "lab", "default": True}, {"name": "guests", "trustGuestRxFilters": False}],
    )
    assert {change.effect for change in drift(KIND, wanted, running.live)} == {Effect.LIVE}
    managed = frozenset({"/dns/txt/a.example", "/portgroups/office"})
    running.update(live_sections(wanted, parse(running.live), managed), BOTH)
    assert_at_rest(KIND, wanted, running.live)
    assert_at_rest(KIND, wanted, running.config)
    assert "office" not in running.live
    assert "a.example'" not in running.live
    assert live_sections(wanted, parse(running.live), managed) == []
