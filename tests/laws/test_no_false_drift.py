"""The two laws of drift on the real hypervisor: what libvirt fills in is none, and whatever a hand changes is told.

Machines are started paused and destroyed at once: one without an operating system burns a core.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libvirt
import pytest
import yaml
from lxml import etree

from reconciler.line.line import Line
from reconciler.planning.plan import Plan
from reconciler.settings.settings import Settings
from reconciler.status.drift import Drift, DriftKind, drift
from specs.reference import STORAGE_POOL, VIRTUAL_MACHINE, Ref
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.waiting import until

Spec = dict[str, Any]
PERSISTENT = libvirt.VIR_DOMAIN_XML_INACTIVE


def document(kind: str, name: str, spec: Spec, **metadata: Any) -> str:
    """A document's text."""
    whole = {"apiVersion": "onggi/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}
    return yaml.safe_dump(whole)


@dataclass
class World:
    """A repository and the real host, with one pool and two networks that are up."""

    line: Line
    repository: Repository
    connection: libvirt.virConnect
    objects: HostObjects
    pool: str
    lan: str
    other: str
    subnet: ipaddress.IPv4Network

    def declare_networks(self, *, active: bool) -> None:
        """Two networks; they only have to be up for a machine that starts, and that takes its time."""
        for name, subnet in zip((self.lan, self.other), self.subnet.subnets(1), strict=True):
            spec = {"mode": "isolated", "subnet": str(subnet), "active": active}
            self.repository.commit({f"{name}.yaml": document("Network", name, spec)})
        assert self.line.converge().succeeded

    def apply(self, spec: Spec, name: str = "vm", **metadata: Any) -> Ref:
        """Commit one machine and make the host so. Its run is left to the test."""
        ref = Ref(VIRTUAL_MACHINE, self.objects.name(name))
        written = {"memory": 64, "runStrategy": "Manual", **spec}
        self.repository.commit({f"{name}.yaml": document(VIRTUAL_MACHINE, ref.name, written, **metadata)})
        result = self.line.converge()
        assert [outcome.message for outcome in result.outcomes if outcome.message] == []
        assert result.succeeded, (result.remaining.blocked, result.problems)
        return ref

    def domain(self, ref: Ref) -> libvirt.virDomain:
        return self.connection.lookupByName(ref.name)

    def look(self) -> tuple[Plan, tuple[Drift, ...]]:
        """What a pass would find now."""
        now = self.line.look()
        return now.plan, drift(now)

    def is_at_rest(self, after: str) -> None:
        """The law: nothing to do, nothing drifted, nothing blocked, nothing that waits."""
        plan, found = self.look()
        assert [(str(step.ref), step.changes) for step in plan.steps] == [], after
        assert (plan.drifted, plan.blocked, plan.waiting) == ((), (), ()), after
        assert [item for item in found if item.kind is not DriftKind.EXTRA] == [], after

    def redefine(self, ref: Ref, change: Callable[[Any], object]) -> None:
        """As `virsh edit` does it."""
        root = etree.fromstring(self.domain(ref).XMLDesc(PERSISTENT))
        change(root)
        self.connection.defineXML(etree.tostring(root, encoding="unicode"))

    def start_paused(self, ref: Ref) -> None:
        if "<interface" in self.domain(ref).XMLDesc() and not self.connection.networkLookupByName(self.lan).isActive():
            self.declare_networks(active=True)
        domain = self.domain(ref)
        # Two libvirtds on one machine may choose the same free port for a console at the same moment.
        until(
            lambda: domain.isActive() or domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED) == 0, 30, "it starts"
        )


@pytest.fixture
def world(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    free_subnet: ipaddress.IPv4Network,
    repository: Repository,
    tmp_path: Path,
) -> Iterator[World]:
    pool, lan, other = host_objects.name("pool"), host_objects.name("lan"), host_objects.name("other")
    repository.commit({"pool.yaml": document(STORAGE_POOL, pool, {"type": "dir", "path": str(dir_pool_folder)})})
    settings = Settings(repository=str(repository.path), connect=qemu_system, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as line:
        world = World(line, repository, qemu_connection, host_objects, pool, lan, other, free_subnet)
        world.declare_networks(active=False)
        yield world


# No false positive

# Each once complained about, with the tool that reported a change that nobody had made:
#   dmacvicar/terraform-provider-libvirt#1269 a CPU of host-model runs as `custom`
#   dmacvicar/terraform-provider-libvirt#1333 and #1327 firmware that libvirt chooses, and the path of its NVRAM
#   dmacvicar/terraform-provider-libvirt#1326 vnet0 becomes vnet16; #1207 the type of an interface
#   fluxcd/helm-controller#643 defaults that are filled in look like somebody's change
#   cockpit-project/cockpit-machines#1098 "changes pending" for ever on a network interface
MACHINES: dict[str, Callable[[World], Spec]] = {
    "nothing_declared": lambda _: {},
    "cpu_of_the_host_model": lambda _: {"cpuMode": "host-model", "machine": "q35"},
    "cpu_maximum_on_pc": lambda _: {"cpuMode": "maximum", "machine": "pc", "cpus": 2},
    "cpu_default": lambda _: {"cpuMode": "default", "domainType": "emulated"},
    "topology": lambda _: {"cpus": 4, "cpuTopology": {"sockets": 1, "cores": 2, "threads": 2}},
    "memory_with_a_unit": lambda _: {"memory": "65536KiB"},
    "firmware_with_nvram": lambda _: {"firmware": "uefi", "machine": "q35"},
    "vnc_on_a_free_port": lambda _: {"graphics": {"type": "vnc"}},
    "vnc_on_an_address": lambda _: {"graphics": {"type": "vnc", "listen": "127.0.0.1"}},
    "spice": lambda _: {"graphics": {"type": "spice"}},
    "no_console_at_all": lambda _: {"graphics": {"type": "none"}, "serialConsole": False},
    "cards_without_a_mac": lambda world: {
        "interfaces": [
            {"network": world.lan},
            {"network": world.other, "model": "e1000"},
            {"network": world.lan, "name": "second"},
        ]
    },
    "cards_with_everything": lambda world: {
        "interfaces": [{"network": world.lan, "mac": "52:54:00:AA:BB:0C", "link": "down", "bootOrder": 1}]
    },
    "disks_on_every_bus": lambda world: {
        "disks": [
            {"name": name, "size": "16MiB", "pool": world.pool, "bus": bus, "format": image}
            for name, bus, image in (
                ("c", "sata", "raw"),
                ("a", "virtio", "qcow2"),
                ("b", "scsi", "qcow2"),
                ("d", "virtio", "raw"),
            )
        ]
    },
    "disks_with_chosen_targets": lambda world: {
        "disks": [
            {"name": "b", "size": "16MiB", "pool": world.pool, "target": "vdc", "bootOrder": 2},
            {"name": "a", "size": "16MiB", "pool": world.pool, "target": "vda", "bootOrder": 1},
        ]
    },
    "an_empty_drive": lambda _: {"cdroms": [{"name": "installer"}]},
    "cloud_init": lambda world: {"cloudInit": {"userData": "#cloud-config\nhostname: x\n", "pool": world.pool}},
    "texts": lambda _: {"title": "a <b> & 'c' \"d\"", "description": "first\nsecond\n\n  third\n"},
}


def _shuffled(root: Any) -> None:
    """The same machine as another tool would write it: other places, other units, nothing that libvirt had added."""
    order = random.Random(7)
    for parent in (root, root.find("devices")):
        children = list(parent)
        order.shuffle(children)
        # Items of one list keep their order among themselves, as does everything that has no address of its own.
        parent[:] = sorted(children, key=lambda child: order.random() if child.tag not in _ORDERED else 0.5)
    for element in (root.find("memory"), root.find("currentMemory")):
        if element is not None:
            element.text, unit = str(int(element.text) * 1024), "b"
            element.set("unit", unit)
    for alias in root.findall("devices/*/alias"):
        alias.getparent().remove(alias)


_ORDERED = {"controller", "serial", "console"}


def _with_unknown_parts(root: Any) -> None:
    """What onggi has no word for: another tool's metadata, a watchdog, a security label, a second source of entropy."""
    devices = root.find("devices")
    for text in (
        "<watchdog model='i6300esb' action='none'/>",
        "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
    ):
        devices.append(etree.fromstring(text))
    root.append(etree.fromstring("<seclabel type='none'/>"))
    metadata = root.find("metadata")
    metadata.append(etree.fromstring("<t:note xmlns:t='https://example.org/tool'>kept</t:note>"))


@pytest.mark.parametrize("name", MACHINES)
def test_nothing_that_libvirt_fills_in_expands_or_reorders_is_drift(name: str, world: World) -> None:
    ref = world.apply(MACHINES[name](world))
    world.is_at_rest("defined")
    for round_ in ("first", "second"):
        world.start_paused(ref)
        world.is_at_rest(f"started, {round_} time")
        if round_ == "first":
            world.redefine(ref, _shuffled)
            world.is_at_rest("written in another way while it runs")
        world.domain(ref).destroy()
        world.is_at_rest(f"stopped, {round_} time")
    world.redefine(ref, _with_unknown_parts)
    world.is_at_rest("with parts that onggi doesn't know")
    definition = world.domain(ref).XMLDesc(PERSISTENT)
    assert "i6300esb" in definition
    assert "https://example.org/tool" in definition


# kubevirt/kubevirt#17610, #16719, #16329, #13222, harvester/harvester#9309: RestartRequired because of what a
# controller filled in, or after a hot-plug that had worked
def test_a_hot_plug_that_worked_leaves_nothing_that_waits_for_a_restart(world: World) -> None:
    disk = {"name": "a", "size": "16MiB", "pool": world.pool}
    ref = world.apply({"disks": [disk]})
    world.declare_networks(active=True)
    world.start_paused(ref)
    world.apply({"disks": [disk, {**disk, "name": "b"}], "interfaces": [{"network": world.lan}]})
    world.is_at_rest("a disk and a card were plugged into the running machine")
    live = etree.fromstring(world.domain(ref).XMLDesc())
    assert (len(live.findall("devices/disk")), len(live.findall("devices/interface"))) == (2, 1)
    world.domain(ref).destroy()
    world.is_at_rest("stopped again")


# No false negative


@dataclass(frozen=True)
class Hand:
    """One declared field, and a hand that changes it: in the definition, and where libvirt can in the running one."""

    pointer: str  # `*` stands for the label of a list's only item
    config: Callable[[Any, World], object] | None
    live: Callable[[libvirt.virDomain, World], object] | None = None


def _text(path: str, value: str) -> Callable[[Any, World], object]:
    def change(root: Any, _: World) -> None:
        element = root.find(path)
        element.text = value

    return change


def _attribute(path: str, name: str, value: str | None) -> Callable[[Any, World], object]:
    def change(root: Any, world: World) -> None:
        element = root.find(path)
        if value is None:
            del element.attrib[name]
        else:
            element.set(name, value.replace("{other}", world.other))

    return change


def _all(*changes: Callable[[Any, World], object]) -> Callable[[Any, World], object]:
    def change(root: Any, world: World) -> None:
        for each in changes:
            each(root, world)

    return change


def _removed(*paths: str) -> Callable[[Any, World], object]:
    def change(root: Any, _: World) -> None:
        for path in paths:
            for element in root.findall(path):
                element.getparent().remove(element)

    return change


def _added(path: str, xml: str) -> Callable[[Any, World], object]:
    return lambda root, _: root.find(path).append(etree.fromstring(xml))


def _metadata(kind: int) -> Callable[[libvirt.virDomain, World], object]:
    return lambda domain, _: domain.setMetadata(kind, "theirs", None, None, libvirt.VIR_DOMAIN_AFFECT_LIVE)


def _device(path: str, change: Callable[[Any, World], object]) -> Callable[[libvirt.virDomain, World], object]:
    def update(domain: libvirt.virDomain, world: World) -> None:
        root = etree.fromstring(domain.XMLDesc())
        change(root, world)
        domain.updateDeviceFlags(etree.tostring(root.find(path), encoding="unicode"), libvirt.VIR_DOMAIN_AFFECT_LIVE)

    return update


def _detached(path: str) -> Callable[[libvirt.virDomain, World], object]:
    def detach(domain: libvirt.virDomain, _: World) -> None:
        element = etree.fromstring(domain.XMLDesc()).find(path)
        domain.detachDeviceFlags(etree.tostring(element, encoding="unicode"), libvirt.VIR_DOMAIN_AFFECT_LIVE)

    return detach


_NIC, _DISK = "devices/interface", "devices/disk[@device='disk']"
_LINK = _all(_removed(f"{_NIC}/link"), _added(_NIC, "<link state='down'/>"))
_NETWORK = _attribute(f"{_NIC}/source", "network", "{other}")

HANDS: dict[str, Hand] = {
    "title": Hand("/title", _text("title", "theirs"), _metadata(libvirt.VIR_DOMAIN_METADATA_TITLE)),
    "description": Hand(
        "/description", _text("description", "theirs"), _metadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION)
    ),
    "memory": Hand("/memory", _all(_text("memory", "98304"), _text("currentMemory", "98304"))),
    "less_memory_of_the_same_room": Hand("/memory", _text("currentMemory", "32768")),
    "cpus": Hand("/cpus", _text("vcpu", "3")),
    "cpu_mode": Hand("/cpuMode", _removed("cpu")),
    "machine": Hand("/machine", _attribute("os/type", "machine", "pc-i440fx-7.1")),
    "firmware": Hand("/firmware", _attribute("os", "firmware", "efi")),
    "boot_menu": Hand("/bootMenu", _added("os", "<bootmenu enable='yes'/>")),
    "serial_console": Hand("/serialConsole", _removed("devices/serial", "devices/console")),
    "console_type": Hand("/graphics/type", _attribute("devices/graphics", "type", "spice")),
    "console_address": Hand(
        "/graphics/listen",
        _all(_removed("devices/graphics/listen"), _attribute("devices/graphics", "listen", "127.0.0.2")),
    ),
    "disk_bus": Hand(
        "/disks/*/bus",
        _all(_removed(f"{_DISK}/address"), _attribute(f"{_DISK}/target", "bus", "sata"),
             _attribute(f"{_DISK}/target", "dev", "sdz")),
    ),
    "disk_read_only": Hand("/disks/*/readOnly", _added(_DISK, "<readonly/>")),
    "disk_boot_order": Hand("/disks/*/bootOrder", _attribute(f"{_DISK}/boot", "order", "7")),
    "disk_removed": Hand("/disks/*", _removed(_DISK), _detached(_DISK)),
    "card_network": Hand("/interfaces/*/network", _NETWORK, _device(_NIC, _NETWORK)),
    "card_link": Hand("/interfaces/*/link", _LINK, _device(_NIC, _LINK)),
    "card_model": Hand("/interfaces/*/model", _attribute(f"{_NIC}/model", "type", "e1000")),
    "card_removed": Hand("/interfaces/*", _removed(_NIC)),  # a running one only lets go with its guest's help
    "drive_removed": Hand("/cdroms/*", _removed("devices/disk[@device='cdrom']")),
}  # fmt: skip


def everything(world: World) -> Spec:
    """A machine of which every field is declared."""
    return {
        "title": "ours",
        "description": "ours",
        "memory": 64,
        "cpus": 2,
        "cpuMode": "maximum",
        "machine": "pc-i440fx-7.2",
        "firmware": "bios",
        "bootMenu": False,
        "serialConsole": True,
        "graphics": {"type": "vnc", "listen": "127.0.0.1"},
        "disks": [
            {"name": "a", "size": "16MiB", "pool": world.pool, "bus": "scsi", "format": "qcow2", "readOnly": False,
             "bootOrder": 1}
        ],
        "cdroms": [{"name": "installer", "bus": "ide"}],
        "interfaces": [{"network": world.lan, "model": "virtio", "mac": "52:54:00:00:00:0a", "link": "up"}],
        "autostart": False,
    }  # fmt: skip


def expected(pointer: str, world: World, ref: Ref) -> str:
    """The pointer with its item's label."""
    labels = {"disks": f"{world.pool}/{ref.name}-a.qcow2", "interfaces": "52:54:00:00:00:0a", "cdroms": "installer"}
    return pointer.replace("*", labels.get(pointer.split("/")[1], ""))


def told(world: World) -> list[tuple[DriftKind, str, str]]:
    """Each deviation's kind, field, and which definition is wrong."""
    _, found = world.look()
    return [
        (item.kind, each.field, each.where)
        for item in found
        if item.kind is not DriftKind.EXTRA
        for each in item.fields
    ]


CASES = [
    pytest.param(HANDS[name], how, id=f"{name}-{how}")
    for name in HANDS
    for how in ("config", "live", "both")
    if how == "config" or HANDS[name].live is not None
]


@pytest.mark.parametrize(("hand", "how"), CASES)
def test_a_field_that_a_hand_changes_is_told_exactly_and_put_back(hand: Hand, how: str, world: World) -> None:
    spec = everything(world)
    if how != "config" and hand.pointer == "/disks/*":
        del spec["disks"][0]["bootOrder"]  # which a disk that is plugged in only gets with the next boot
    ref = world.apply(spec)
    if how != "config":
        world.start_paused(ref)
        assert hand.live is not None
        hand.live(world.domain(ref), world)
    if how != "live":
        world.redefine(ref, lambda root: hand.config(root, world))  # type: ignore[misc]
    assert told(world) == [(DriftKind.CHANGED, expected(hand.pointer, world, ref), how)]
    assert world.line.converge().succeeded
    world.is_at_rest("healed")
    if how != "config":
        world.domain(ref).destroy()


def test_whether_it_starts_with_the_host_is_compared_too(world: World) -> None:
    ref = world.apply(everything(world))
    world.domain(ref).setAutostart(1)
    assert told(world) == [(DriftKind.CHANGED, "/autostart", "config")]


def test_several_changes_are_told_each(world: World) -> None:
    ref = world.apply(everything(world))
    hands = [HANDS[name] for name in ("title", "memory", "card_model", "disk_boot_order")]
    world.redefine(ref, lambda root: [hand.config(root, world) for hand in hands])  # type: ignore[misc]
    assert {field for _, field, _ in told(world)} == {expected(hand.pointer, world, ref) for hand in hands}


# dmacvicar/terraform-provider-libvirt#1356 and its PR #1361, ansible-collections/community.libvirt#46 and #107
# (ansible/ansible#64898): a DNS host or a lease went into only one of a network's two definitions, and a comparison
# with the other one alone hid it
@pytest.mark.parametrize("how", ["config", "live"])
def test_a_networks_two_definitions_are_both_compared(how: str, world: World) -> None:
    subnet = next(iter(world.subnet.subnets(1)))
    name, ref = world.lan, Ref("Network", world.lan)
    first, last, fixed = (str(subnet[number]) for number in (10, 20, 5))
    spec = {
        "mode": "isolated",
        "subnet": str(subnet),
        "dhcp": {"start": first, "end": last, "hosts": [{"mac": "52:54:00:00:00:0b", "ip": fixed}]},
    }
    world.repository.commit({f"{name}.yaml": document("Network", name, spec)})
    assert world.line.converge().succeeded
    world.is_at_rest("applied")
    where = libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG if how == "config" else libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE
    world.connection.networkLookupByName(name).update(
        libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE,
        libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST,
        -1,
        f"<host mac='52:54:00:00:00:0b' ip='{fixed}'/>",
        where,
    )
    [(kind, field, wrong)] = told(world)
    assert (kind, wrong) == (DriftKind.CHANGED, how)
    assert field.startswith("/dhcp/hosts")
    assert world.line.converge().succeeded
    world.is_at_rest("healed")
    seen = world.line.observe().objects[ref]
    assert seen.config["dhcp"]["hosts"] == (seen.live or {})["dhcp"]["hosts"]


# What nobody declared


_EXTRA_CARD = "<interface type='network'><source network='{lan}'/><model type='virtio'/></interface>"


def test_undeclared_extras_are_reported_apart_and_stay(world: World) -> None:
    ref = world.apply({"interfaces": [{"network": world.lan, "mac": "52:54:00:00:00:0a"}]})
    world.redefine(ref, lambda root: _added("devices", _EXTRA_CARD.format(lan=world.other))(root, world))
    plan, found = world.look()
    assert plan.empty
    [extra] = found
    assert (extra.kind, len(extra.fields)) == (DriftKind.EXTRA, 1)
    assert world.line.converge().succeeded
    assert world.domain(ref).XMLDesc().count("<interface") == 2


def test_in_a_list_that_is_declared_complete_an_undeclared_item_is_drift_and_is_detached(
    world: World, dir_pool_folder: Path
) -> None:
    disk = {"name": "a", "size": "16MiB", "pool": world.pool, "bus": "scsi"}
    spec = {"disks": [disk], "interfaces": [{"network": world.lan}]}
    ref = world.apply(spec, annotations={"onggi/complete": "disks, interfaces"})
    stranger = dir_pool_folder / "stranger.img"
    stranger.write_bytes(b"kept" * 1024)
    world.start_paused(ref)
    domain = world.domain(ref)
    domain.attachDeviceFlags(_EXTRA_CARD.format(lan=world.other), libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    domain.attachDeviceFlags(
        f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{stranger}'/>"
        "<target dev='sdz' bus='scsi'/></disk>",
        libvirt.VIR_DOMAIN_AFFECT_CONFIG | libvirt.VIR_DOMAIN_AFFECT_LIVE,
    )
    fields = [(kind, field.split("/")[1], where) for kind, field, where in told(world)]
    assert fields == [(DriftKind.CHANGED, "disks", "both"), (DriftKind.CHANGED, "interfaces", "config")]
    assert world.line.converge().succeeded
    world.is_at_rest("healed")
    for flags in (PERSISTENT, 0):
        definition = domain.XMLDesc(flags)
        assert (definition.count("<interface "), definition.count("<disk ")) == (1, 1)
    assert stranger.read_bytes() == b"kept" * 1024
    domain.destroy()


def test_a_list_that_is_not_declared_at_all_is_never_complete(world: World) -> None:
    ref = world.apply({}, annotations={"onggi/complete": "interfaces"})
    world.redefine(ref, lambda root: _added("devices", _EXTRA_CARD.format(lan=world.other))(root, world))
    world.is_at_rest("with a card of somebody else's")
    assert world.domain(ref).XMLDesc().count("<interface") == 1
