"""Pools and networks: defined, started, changed while they run, and removed, once and twice."""

from __future__ import annotations

import uuid
from ipaddress import IPv4Network
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from reconciler.errors import Conflict, OnggiError, Terminal
from reconciler.hypervisor import Hypervisor
from reconciler.planning.operations import Define, Operation, SetAutostart, Start, Stop, Undefine, UpdateNetwork
from specs.reference import NETWORK, Ref
from tests.hypervisor.conftest import Made, folder_pool
from tests.lab.libvirtd import HostObjects


def twice(hypervisor: Hypervisor, operation: Operation) -> None:
    hypervisor.perform(operation)
    hypervisor.perform(operation)


def isolated(name: str, subnet: IPv4Network) -> Made:
    uid = str(uuid.uuid4())
    xml = f"""<network><name>{name}</name><uuid>{uid}</uuid>
      <ip address='{subnet[1]}' netmask='{subnet.netmask}'>
        <dhcp><range start='{subnet[10]}' end='{subnet[20]}'/></dhcp></ip></network>"""
    return Made(Ref(NETWORK, name), uid, xml)


def test_a_pool_is_defined_built_started_stopped_and_removed(
    qemu_host: Hypervisor, host_objects: HostObjects, dir_pool_folder: Path
) -> None:
    made = folder_pool(host_objects.name("pool"), dir_pool_folder / "new" / "below")
    twice(qemu_host, made.define)
    with pytest.raises(OnggiError, match="couldn't start"):
        qemu_host.perform(Start(made.ref))
    twice(qemu_host, Start(made.ref, build=True))
    assert (dir_pool_folder / "new" / "below").is_dir()
    twice(qemu_host, SetAutostart(made.ref, on=True))
    seen = qemu_host.observe(None, None).objects[made.ref]
    assert (seen.state, seen.autostart, seen.uid) == ("active", True, made.uid)
    with pytest.raises(Conflict, match="started meanwhile"):
        qemu_host.perform(Undefine(made.ref, made.uid))
    twice(qemu_host, Stop(made.ref))
    twice(qemu_host, Undefine(made.ref, made.uid))
    assert not host_objects.left()
    assert (dir_pool_folder / "new" / "below").is_dir()


def test_building_leaves_a_folder_that_is_there_as_it_is(
    qemu_host: Hypervisor, host_objects: HostObjects, dir_pool_folder: Path
) -> None:
    (dir_pool_folder / "mine").mkdir(mode=0o711)
    (dir_pool_folder / "mine" / "data").write_bytes(b"data")
    made = folder_pool(host_objects.name("pool"), dir_pool_folder / "mine")
    qemu_host.perform(made.define)
    qemu_host.perform(Start(made.ref, build=True))
    assert (dir_pool_folder / "mine").stat().st_mode & 0o777 == 0o711
    assert (dir_pool_folder / "mine" / "data").read_bytes() == b"data"


def test_another_pool_of_this_name_is_never_overwritten(
    qemu_host: Hypervisor, host_objects: HostObjects, dir_pool_folder: Path
) -> None:
    theirs = folder_pool(host_objects.name("pool"), dir_pool_folder)
    qemu_host.perform(theirs.define)
    with pytest.raises(Conflict, match=theirs.uid):
        qemu_host.perform(folder_pool(theirs.ref.name, dir_pool_folder / "other").define)
    assert str(dir_pool_folder) in qemu_host.observe(None, None).host.pool_paths[theirs.ref.name]


def test_a_network_is_defined_started_stopped_and_removed(
    qemu_host: Hypervisor, host_objects: HostObjects, free_subnet: IPv4Network
) -> None:
    made = isolated(host_objects.name("net"), free_subnet)
    twice(qemu_host, made.define)
    twice(qemu_host, Start(made.ref))
    twice(qemu_host, SetAutostart(made.ref, on=True))
    snapshot = qemu_host.observe(None, None)
    assert snapshot.objects[made.ref].live_xml is not None
    assert str(free_subnet) in snapshot.host.used_subnets
    twice(qemu_host, Stop(made.ref))
    twice(qemu_host, Undefine(made.ref, made.uid))
    assert not host_objects.left()


def test_another_network_of_this_name_is_never_overwritten(
    qemu_host: Hypervisor, host_objects: HostObjects, free_subnet: IPv4Network
) -> None:
    theirs = isolated(host_objects.name("net"), free_subnet)
    qemu_host.perform(theirs.define)
    with pytest.raises(Conflict, match=theirs.uid):
        qemu_host.perform(Define(theirs.ref, str(uuid.uuid4()), f"<network><name>{theirs.ref.name}</name></network>"))


def entries(connection: libvirt.virConnect, made: Made, path: str) -> tuple[list[str | None], list[str | None]]:
    """What the running network has, and what its definition has."""
    network = connection.networkLookupByName(made.ref.name)
    live, config = (
        [each.get("ip") for each in etree.fromstring(network.XMLDesc(flags)).iterfind(path)]
        for flags in (0, libvirt.VIR_NETWORK_XML_INACTIVE)
    )
    return live, config


def test_entries_of_a_running_network_change_without_a_restart(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects, free_subnet: IPv4Network
) -> None:
    made = isolated(host_objects.name("net"), free_subnet)
    qemu_host.perform(made.define)
    qemu_host.perform(Start(made.ref))
    host = f"<host mac='52:54:00:00:00:01' name='web' ip='{free_subnet[30]}'/>"
    names = f"<host ip='{free_subnet[30]}'><hostname>web</hostname></host>"
    for section, xml, path in (("ip-dhcp-host", host, "ip/dhcp/host"), ("dns-host", names, "dns/host")):
        twice(qemu_host, UpdateNetwork(made.ref, "add", section, xml))
        assert entries(qemu_connection, made, path) == ([str(free_subnet[30])], [str(free_subnet[30])])
    moved = host.replace(str(free_subnet[30]), str(free_subnet[31]))
    twice(qemu_host, UpdateNetwork(made.ref, "modify", "ip-dhcp-host", moved))
    assert entries(qemu_connection, made, "ip/dhcp/host") == ([str(free_subnet[31])], [str(free_subnet[31])])
    twice(qemu_host, UpdateNetwork(made.ref, "delete", "ip-dhcp-host", "<host mac='52:54:00:00:00:01'/>"))
    twice(qemu_host, UpdateNetwork(made.ref, "delete", "dns-host", names))
    assert entries(qemu_connection, made, "ip/dhcp/host") == ([], [])
    assert entries(qemu_connection, made, "dns/host") == ([], [])


def test_an_entry_that_its_definition_already_has_reaches_the_running_network(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects, free_subnet: IPv4Network
) -> None:
    made = isolated(host_objects.name("net"), free_subnet)
    qemu_host.perform(made.define)
    qemu_host.perform(Start(made.ref))
    host = f"<host mac='52:54:00:00:00:01' name='web' ip='{free_subnet[30]}'/>"
    qemu_host.perform(Define(made.ref, made.uid, made.xml.replace("</dhcp>", f"{host}</dhcp>")))
    assert entries(qemu_connection, made, "ip/dhcp/host") == ([], [str(free_subnet[30])])
    qemu_host.perform(UpdateNetwork(made.ref, "add", "ip-dhcp-host", host))
    assert entries(qemu_connection, made, "ip/dhcp/host") == ([str(free_subnet[30])], [str(free_subnet[30])])


def test_a_section_that_libvirt_cannot_change_is_told(
    qemu_host: Hypervisor, host_objects: HostObjects, free_subnet: IPv4Network
) -> None:
    made = isolated(host_objects.name("net"), free_subnet)
    qemu_host.perform(made.define)
    with pytest.raises(Terminal, match="domain"):
        qemu_host.perform(UpdateNetwork(made.ref, "add", "domain", "<domain name='x'/>"))
