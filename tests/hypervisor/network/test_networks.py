"""Plugging machines into a network again, and edits of a running network that libvirt refuses."""

from __future__ import annotations

import uuid
from ipaddress import IPv4Network

import libvirt
import pytest
from lxml import etree

from reconciler.errors import Terminal
from reconciler.hypervisor import Hypervisor
from reconciler.observed.snapshot import BRIDGE, PORTS
from reconciler.planning.operations import ReconnectInterfaces, Start, UpdateNetwork
from specs.reference import NETWORK, VIRTUAL_MACHINE, Ref
from tests.hypervisor.conftest import Made
from tests.lab.libvirtd import HostObjects


def network(objects: HostObjects, subnet: IPv4Network, name: str = "net", entry: str = "") -> Made:
    uid, name = str(uuid.uuid4()), objects.name(name)
    xml = f"""<network><name>{name}</name><uuid>{uid}</uuid>
      <ip address='{subnet[1]}' netmask='{subnet.netmask}'>
        <dhcp><range start='{subnet[10]}' end='{subnet[20]}'/>{entry}</dhcp></ip></network>"""
    return Made(Ref(NETWORK, name), uid, xml)


def machine(connection: libvirt.virConnect, name: str, *networks: str) -> libvirt.virDomain:
    """One that is paused from the start on, and so never does anything."""
    interfaces = "".join(f"<interface type='network'><source network='{each}'/></interface>" for each in networks)
    domain = connection.defineXML(
        f"""<domain type='qemu'><name>{name}</name><memory unit='MiB'>32</memory>
        <os><type arch='x86_64' machine='q35'>hvm</type></os><devices>{interfaces}</devices></domain>"""
    )
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    return domain


def plugged(connection: libvirt.virConnect, made: Made) -> dict[str, list[str]]:
    """The ports of a network: MACs by the UUID of their machine."""
    found: dict[str, list[str]] = {}
    for port in connection.networkLookupByName(made.ref.name).listAllPorts():
        root = etree.fromstring(port.XMLDesc())
        found.setdefault(root.findtext("owner/uuid"), []).append(root.find("mac").get("address"))
    return found


def restart(connection: libvirt.virConnect, made: Made) -> None:
    found = connection.networkLookupByName(made.ref.name)
    found.destroy()
    found.create()


def test_every_lost_interface_is_plugged_in_and_no_other_is_touched(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects, free_subnet: IPv4Network
) -> None:
    halves = list(free_subnet.subnets(1))
    one, two = (network(host_objects, half, name) for half, name in zip(halves, ("one", "two"), strict=True))
    for made in (one, two):
        qemu_host.perform(made.define)
        qemu_host.perform(Start(made.ref))
    vm = machine(qemu_connection, host_objects.name("vm"), one.ref.name, one.ref.name, two.ref.name)
    before, other = plugged(qemu_connection, one), plugged(qemu_connection, two)
    assert {uid: len(macs) for uid, macs in before.items()} == {vm.UUIDString(): 2}
    seen = qemu_host.observe(None, None).objects[one.ref]
    assert seen.details[BRIDGE] == qemu_connection.networkLookupByName(one.ref.name).bridgeName()
    assert {port[0] for port in seen.details[PORTS].values()} == {vm.UUIDString()}

    restart(qemu_connection, one)
    assert not qemu_host.observe(None, None).objects[one.ref].details[PORTS]
    operation = ReconnectInterfaces(one.ref, (Ref(VIRTUAL_MACHINE, vm.name()),))
    ports = []
    for _ in range(2):
        qemu_host.perform(operation)
        found = plugged(qemu_connection, one)
        assert {uid: sorted(macs) for uid, macs in found.items()} == {uid: sorted(macs) for uid, macs in before.items()}
        ports.append({port.UUIDString() for port in qemu_connection.networkLookupByName(one.ref.name).listAllPorts()})
    assert ports[0] == ports[1], "the second time found it done"
    assert plugged(qemu_connection, two) == other


def test_a_machine_that_stopped_or_is_gone_keeps_no_other_from_its_network(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects, free_subnet: IPv4Network
) -> None:
    made = network(host_objects, free_subnet)
    qemu_host.perform(made.define)
    qemu_host.perform(Start(made.ref))
    vms = [machine(qemu_connection, host_objects.name(each), made.ref.name) for each in ("a", "b", "c")]
    restart(qemu_connection, made)
    vms[0].destroy()
    vms[1].destroy()
    vms[1].undefine()
    names = [host_objects.name(each) for each in ("a", "b", "c")]
    qemu_host.perform(ReconnectInterfaces(made.ref, tuple(Ref(VIRTUAL_MACHINE, name) for name in names)))
    assert list(plugged(qemu_connection, made)) == [vms[2].UUIDString()]


def test_a_snapshot_that_reads_only_a_machine_knows_its_plug_too(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects, free_subnet: IPv4Network
) -> None:
    made = network(host_objects, free_subnet)
    qemu_host.perform(made.define)
    qemu_host.perform(Start(made.ref))
    before = qemu_host.observe(None, None)
    vm = machine(qemu_connection, host_objects.name("vm"), made.ref.name)
    after = qemu_host.observe(before, frozenset({Ref(VIRTUAL_MACHINE, vm.name())}))
    assert {port[0] for port in after.objects[made.ref].details[PORTS].values()} == {vm.UUIDString()}
    assert qemu_host.observe(after, frozenset({Ref(VIRTUAL_MACHINE, vm.name())})) is after


def test_an_entry_that_libvirt_refuses_is_told_with_what_it_collides_with(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects, free_subnet: IPv4Network
) -> None:
    taken = f"<host name='printer' ip='{free_subnet[30]}'/>"
    made = network(host_objects, free_subnet, entry=taken)
    qemu_host.perform(made.define)
    qemu_host.perform(Start(made.ref))
    host = f"<host mac='52:54:00:00:00:01' name='web' ip='{free_subnet[30]}'/>"
    with pytest.raises(Terminal) as caught:
        qemu_host.perform(UpdateNetwork(made.ref, "add", "ip-dhcp-host", host))
    told = str(caught.value)
    assert str(made.ref) in told
    assert f"ip={free_subnet[30]}" in told
    assert "matches" in told, "libvirt's own reason"
    assert "document" in told, "and what to do"
