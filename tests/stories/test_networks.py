"""Networks on qemu:///system, with real dnsmasq: what changes while guests use them, and what waits for a person."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from reconciler.line.line import Line
from reconciler.planning.plan import Plan
from reconciler.settings.settings import Settings
from specs.reference import Ref
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

MAC = "52:54:00:0d:00:0{}".format


class World:
    """One network's document, the line that applies it, and the network as libvirt has it."""

    def __init__(
        self,
        line: Line,
        repository: Repository,
        connection: libvirt.virConnect,
        objects: HostObjects,
        subnet: ipaddress.IPv4Network,
    ) -> None:
        self.line = line
        self.repository = repository
        self.connection = connection
        self.objects = objects
        self.subnet = subnet
        self.name = objects.name("net")
        self.ref = Ref("Network", self.name)

    def declare(self, **spec: object) -> None:
        whole = {"mode": "isolated", "subnet": str(self.subnet), **spec}
        document = {"apiVersion": "onggi/v1", "kind": "Network", "metadata": {"name": self.name}, "spec": whole}
        self.repository.commit({"net.yaml": json.dumps(document)})

    def apply(self) -> None:
        assert self.line.converge().succeeded
        assert self.plan().empty

    def plan(self) -> Plan:
        return self.line.plan()

    @property
    def network(self) -> libvirt.virNetwork:
        return self.connection.networkLookupByName(self.name)

    @property
    def bridge_index(self) -> int:
        """The kernel's number of the bridge: another one after every restart of the network."""
        return int(Path(f"/sys/class/net/{self.network.bridgeName()}/ifindex").read_text())

    def entries(self, path: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """The attributes of what the running network has, and of what its definition has."""
        live, config = (
            [dict(each.attrib) for each in etree.fromstring(self.network.XMLDesc(flags)).iterfind(path)]
            for flags in (0, libvirt.VIR_NETWORK_XML_INACTIVE)
        )
        return live, config

    def start_guest(self, name: str = "guest") -> tuple[libvirt.virDomain, Ref]:
        """A machine of somebody else's on the network. It is paused, so it costs nothing."""
        xml = f"""<domain type='qemu'><name>{self.objects.name(name)}</name><memory unit='MiB'>32</memory>
          <os><type arch='x86_64' machine='q35'>hvm</type></os>
          <devices><interface type='network'><source network='{self.name}'/><model type='virtio'/></interface></devices>
        </domain>"""
        domain = self.connection.defineXML(xml)
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        return domain, Ref("VirtualMachine", domain.name())

    def is_plugged_in(self, domain: libvirt.virDomain) -> bool:
        """True when the kernel has the machine's tap on the network's bridge, and libvirt knows of it."""
        tap = etree.fromstring(domain.XMLDesc()).find("devices/interface/target").get("dev")
        link = json.loads(subprocess.run(["ip", "-j", "link", "show", tap], capture_output=True, check=True).stdout)[0]
        owners = [etree.fromstring(port.XMLDesc()).findtext("owner/uuid") for port in self.network.listAllPorts()]
        return link.get("master") == self.network.bridgeName() and domain.UUIDString() in owners

    def hosts(self, *numbers: int) -> list[dict[str, str]]:
        return [{"mac": MAC(n), "ip": str(self.subnet[n + 20]), "name": f"vm{n}"} for n in numbers]


@pytest.fixture
def world(
    qemu_system: str, qemu_connection: libvirt.virConnect, host_objects: HostObjects, repository: Repository,
    free_subnet: ipaddress.IPv4Network, tmp_path: Path,
) -> Iterator[World]:  # fmt: skip
    repository.commit({})
    settings = Settings(repository=str(repository.path), connect=qemu_system, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as line:
        yield World(line, repository, qemu_connection, host_objects, free_subnet)


def test_dhcp_and_dns_entries_reach_the_running_network_and_its_definition_without_a_restart(world: World) -> None:
    # "network DNS host goes to persistent config only, live dnsmasq unchanged": terraform-provider-libvirt#1356;
    # "modify changes only live or only config": community.libvirt#46; "use virNetworkUpdate": #468, #389.
    subnet = world.subnet
    world.declare(dhcp={"start": str(subnet[50]), "end": str(subnet[60]), "hosts": world.hosts(1, 2)})
    world.apply()
    bridge = world.bridge_index
    world.declare(
        dhcp={"start": str(subnet[55]), "end": str(subnet[99]), "hosts": world.hosts(2, 3)},
        dns={"hosts": [{"ip": str(subnet[30]), "hostnames": ["db.example"]}]},
    )
    world.apply()
    assert world.bridge_index == bridge, "the network was never stopped"
    for path, wanted in (
        ("ip/dhcp/range", [{"start": str(subnet[55]), "end": str(subnet[99])}]),
        ("ip/dhcp/host", world.hosts(2, 3)),
        ("dns/host", [{"ip": str(subnet[30])}]),
    ):
        assert world.entries(path) == (wanted, wanted)
    folder = Path("/var/lib/libvirt/dnsmasq")
    assert set((folder / f"{world.name}.hostsfile").read_text().splitlines()) == {
        f"{each['mac']},{each['ip']},{each['name']}" for each in world.hosts(2, 3)
    }
    assert "db.example" in (folder / f"{world.name}.addnhosts").read_text()


LIVE, CONFIG = libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE, libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG


@pytest.mark.parametrize("affect", [LIVE, CONFIG, LIVE | CONFIG], ids=["live", "config", "both"])
@pytest.mark.parametrize("what", ["added", "removed", "renamed"])
def test_an_entry_that_somebody_changed_in_one_of_the_two_is_drift_and_put_back(
    world: World, affect: int, what: str
) -> None:
    # "a fix that reads only INACTIVE masks the drift": terraform-provider-libvirt#1356, PR #1361;
    # "silently ignored": community.libvirt#53.
    world.declare(dhcp={"hosts": world.hosts(1)}, dns={"hosts": [{"ip": str(world.subnet[30]), "hostnames": ["db"]}]})
    world.apply()
    bridge = world.bridge_index
    ours = world.hosts(1)[0]
    command, host = {
        "added": (libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, world.hosts(7)[0]),
        "removed": (libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE, ours),
        "renamed": (libvirt.VIR_NETWORK_UPDATE_COMMAND_MODIFY, {**ours, "name": "other"}),
    }[what]
    section = libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST
    world.network.update(command, section, -1, etree.tostring(etree.Element("host", host)).decode(), affect)
    (step,) = world.plan().steps
    assert step.drift
    assert all(change.pointer.startswith("/dhcp/hosts") for change in step.changes)
    world.apply()
    assert world.entries("ip/dhcp/host") == ([ours], [ours])
    assert world.bridge_index == bridge


def test_two_fixed_addresses_change_places_while_the_network_runs(world: World) -> None:
    world.declare(dhcp={"hosts": world.hosts(1, 2)})
    world.apply()
    bridge = world.bridge_index
    one, two = world.hosts(1, 2)
    swapped = [{**one, "ip": two["ip"], "name": two["name"]}, {**two, "ip": one["ip"], "name": one["name"]}]
    world.declare(dhcp={"hosts": swapped})
    world.apply()
    assert world.entries("ip/dhcp/host") == (swapped, swapped)
    assert world.bridge_index == bridge


def test_fixed_addresses_survive_a_restart_of_the_network(world: World) -> None:
    # "IP not recorded in network, lost after host reboot": virt-lightning#239; "static DHCP IPs gone after a host
    # reboot": terraform-provider-libvirt#762.
    world.declare(autostart=True)
    world.apply()
    world.declare(autostart=True, dhcp={"hosts": world.hosts(1, 2)})
    world.apply()
    world.network.destroy()  # as a reboot of the host does
    world.network.create()
    assert world.entries("ip/dhcp/host") == (world.hosts(1, 2), world.hosts(1, 2))
    assert world.network.autostart()
    assert world.plan().empty


def test_a_network_that_somebody_stopped_is_started_before_the_machine_that_needs_it(world: World) -> None:
    # "inactive network not tracked, so VM start fails": terraform-provider-libvirt#947.
    vm = Ref("VirtualMachine", world.objects.name("vm"))
    world.declare()
    world.apply()
    spec = {"memory": 32, "domainType": "emulated", "runStrategy": "Manual", "interfaces": [{"network": world.name}]}
    document = {"apiVersion": "onggi/v1", "kind": "VirtualMachine", "metadata": {"name": vm.name}, "spec": spec}
    world.network.destroy()
    world.repository.commit({"vm.yaml": json.dumps(document)})
    steps = {step.ref: step for step in world.plan().steps}
    assert steps[world.ref].drift
    assert world.ref in steps[vm].after
    world.apply()
    assert world.network.isActive()


def test_a_network_that_is_gone_is_made_again_and_its_guests_are_plugged_in(world: World) -> None:
    # "network gone after a libvirt upgrade, not recreated": vagrant-libvirt#619.
    world.declare()
    world.apply()
    domain, _ = world.start_guest()
    world.network.destroy()
    world.network.undefine()
    world.apply()
    assert world.is_plugged_in(domain)


def test_guests_of_a_network_that_somebody_restarted_are_plugged_in_again(world: World) -> None:
    # "running VMs lose link and can't reconnect": NixVirt#8.
    world.declare()
    world.apply()
    domain, guest = world.start_guest()
    assert world.plan().empty
    before = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    places = [dict(each.attrib) for each in etree.fromstring(domain.XMLDesc()).iterfind("devices/interface/address")]
    world.network.destroy()
    world.network.create()
    assert not world.is_plugged_in(domain)
    (step,) = world.plan().steps
    assert step.drift
    assert [change.pointer for change in step.changes] == [f"/guests/{guest.name}"]
    world.apply()
    assert world.is_plugged_in(domain)
    root = etree.fromstring(domain.XMLDesc())
    assert [dict(each.attrib) for each in root.iterfind("devices/interface/address")] == places
    assert root.find("devices/interface/link") is None or root.find("devices/interface/link").get("state") == "up"
    assert domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE) == before


def test_a_link_that_was_down_stays_down_when_its_guest_is_plugged_in_again(world: World) -> None:
    world.declare()
    world.apply()
    domain, _ = world.start_guest()
    interface = etree.fromstring(domain.XMLDesc()).find("devices/interface")
    etree.SubElement(interface, "link", state="down")
    domain.updateDeviceFlags(etree.tostring(interface).decode(), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    world.network.destroy()
    world.network.create()
    world.apply()
    assert world.is_plugged_in(domain)
    assert etree.fromstring(domain.XMLDesc()).find("devices/interface/link").get("state") == "down"


def test_a_reconnection_that_was_cut_off_half_way_is_finished(world: World) -> None:
    world.declare()
    world.apply()
    domain, _ = world.start_guest()
    interface = etree.fromstring(domain.XMLDesc()).find("devices/interface")
    interface.set("type", "bridge")
    source = interface.find("source")
    source.attrib.clear()
    source.set("bridge", world.network.bridgeName())
    etree.SubElement(interface, "link", state="down")
    domain.updateDeviceFlags(etree.tostring(interface).decode(), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    world.apply()
    assert world.is_plugged_in(domain)
    link = etree.fromstring(domain.XMLDesc()).find("devices/interface/link")
    assert link is None or link.get("state") == "up"


def test_a_restart_that_would_cut_guests_waits_for_an_approval_and_everything_else_goes_on(world: World) -> None:
    # "network change recreates it, running VMs lose link": NixVirt#8; "network replace drops every guest NIC and
    # changes the bridge MAC": terraform-provider-libvirt#468, #389.
    world.declare()
    world.apply()
    domain, guest = world.start_guest()
    bridge, mac = world.bridge_index, etree.fromstring(world.network.XMLDesc()).find("mac").get("address")

    world.declare(domain="lab.example", dhcp={"hosts": world.hosts(1)})
    (staged,) = world.plan().staged
    assert staged.reason == "NeedsApproval"
    assert str(guest) in staged.message
    assert f"onggi approve {staged.digest}" in staged.message
    assert not world.plan().blocked
    world.apply()
    assert world.entries("ip/dhcp/host") == (world.hosts(1), world.hosts(1)), "what can be done live is done"
    assert world.entries("domain") == ([], [{"name": "lab.example", "localOnly": "yes"}])
    assert world.bridge_index == bridge
    plan = world.plan()
    assert [each.digest for each in plan.staged] == [staged.digest], "the same question, whenever it is looked at"
    assert [(item.ref, [change.pointer for change in item.changes]) for item in plan.waiting] == [
        (world.ref, ["/domain"])
    ]

    world.line.ledger.decisions.approve(staged.digest)
    (step,) = world.plan().steps
    names = [type(operation).__name__ for operation in step.operations]
    assert names == ["Stop", "Start", "ReconnectInterfaces"]
    world.apply()
    assert world.bridge_index != bridge
    assert etree.fromstring(world.network.XMLDesc()).find("mac").get("address") == mac
    assert world.entries("domain")[0] == [{"name": "lab.example", "localOnly": "yes"}]
    assert world.is_plugged_in(domain)
    assert not world.plan().staged


def test_an_approval_says_nothing_about_a_guest_that_came_later(world: World) -> None:
    world.declare()
    world.apply()
    world.start_guest("first")
    world.declare(domain="lab.example")
    digest = world.plan().staged[0].digest
    world.start_guest("second")
    world.line.ledger.decisions.approve(digest)
    (staged,) = world.plan().staged
    assert staged.digest != digest
    assert world.objects.name("second") in staged.message


def test_without_running_guests_a_network_is_restarted_at_once(world: World) -> None:
    world.declare()
    world.apply()
    domain, _ = world.start_guest()
    world.declare(domain="lab.example")
    world.apply()
    assert world.plan().staged
    domain.destroy()
    world.apply()
    assert world.entries("domain")[0] == [{"name": "lab.example", "localOnly": "yes"}]
    assert not world.plan().staged


def test_stopping_a_network_under_its_guests_waits_for_an_approval(world: World) -> None:
    world.declare()
    world.apply()
    domain, guest = world.start_guest()
    world.declare(active=False, autostart=True)
    (staged,) = world.plan().staged
    assert "stopping" in staged.message
    assert str(guest) in staged.message
    world.apply()
    assert world.network.isActive()
    assert world.network.autostart(), "the rest is done"
    world.line.ledger.decisions.approve(staged.digest)
    world.apply()
    assert not world.network.isActive()
    world.declare()
    world.apply()
    assert world.is_plugged_in(domain)


def test_a_machine_is_made_although_a_restart_of_its_network_waits(world: World) -> None:
    world.declare()
    world.apply()
    world.start_guest()
    vm = world.objects.name("new")
    spec = {"memory": 32, "domainType": "emulated", "runStrategy": "Halted", "interfaces": [{"network": world.name}]}
    document = {"apiVersion": "onggi/v1", "kind": "VirtualMachine", "metadata": {"name": vm}, "spec": spec}
    world.repository.commit({"vm.yaml": json.dumps(document)})
    world.declare(domain="lab.example")
    world.apply()
    assert world.plan().staged
    assert world.connection.lookupByName(vm)


@pytest.mark.parametrize(
    "change",
    [lambda spec, folder: spec | {"active": False}, lambda spec, folder: spec | {"path": str(folder / "other")}],
    ids=["stop", "restart"],
)
def test_a_pool_that_a_guest_uses_is_neither_stopped_nor_restarted(
    world: World, dir_pool_folder: Path, change: Callable[[dict[str, object], Path], dict[str, object]]
) -> None:
    pool = world.objects.name("pool")
    spec: dict[str, object] = {"type": "dir", "path": str(dir_pool_folder / "pool")}

    def declare(wanted: dict[str, object]) -> None:
        document = {"apiVersion": "onggi/v1", "kind": "StoragePool", "metadata": {"name": pool}, "spec": wanted}
        world.repository.commit({"pool.yaml": json.dumps(document)})

    declare(spec)
    world.apply()
    found = world.connection.storagePoolLookupByName(pool)
    volume = found.createXML("<volume><name>d.img</name><capacity>1048576</capacity></volume>")
    domain = world.connection.defineXML(
        f"""<domain type='qemu'><name>{world.objects.name("guest")}</name><memory unit='MiB'>32</memory>
        <os><type arch='x86_64' machine='q35'>hvm</type></os><devices><disk type='file'>
        <source file='{volume.path()}'/><target dev='vda' bus='virtio'/></disk></devices></domain>"""
    )
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    declare(change(spec, dir_pool_folder))
    result = world.line.converge()
    assert found.isActive()
    told = [each.message for each in result.remaining.blocked] + [
        item.note for each in result.remaining.waiting for item in each.changes
    ]
    assert any(domain.name() in text for text in told), "whom it waits for is said"
    assert not result.remaining.staged, "a disk that is pulled out can't be given back: nothing to approve"
    domain.destroy()
    world.line.converge()
    assert not world.line.plan().waiting
    assert not world.line.plan().blocked
