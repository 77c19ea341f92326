"""A snapshot says what libvirt has, is the same one while nothing changes, and one bad object hides no other."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from reconciler.hypervisor import Hypervisor
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.operations import Pause, Resume, SetAutostart, Start, Stop, Undefine
from specs.host import Feature, VolumeSource
from specs.mark import NAMESPACE, Mark
from specs.reference import NETWORK, STORAGE_POOL, VIRTUAL_MACHINE, Ref
from tests.hypervisor.conftest import empty_volume, folder_pool, machine
from tests.lab.libvirtd import HostObjects

NETWORK_XML = """<network><name>{name}</name><uuid>{uid}</uuid>
  <ip address='10.77.0.1' netmask='255.255.255.0'/></network>"""


def test_an_empty_host_gives_an_empty_snapshot(test_host: Hypervisor) -> None:
    snapshot = test_host.observe(None, None)
    assert snapshot.objects == {}
    assert snapshot.skipped == ()
    assert snapshot.connected


def test_a_machine_is_read_with_its_state_and_mark(test_host: Hypervisor) -> None:
    mark = f"<metadata><o:origin xmlns:o='{NAMESPACE}' repository='home' name='web'/></metadata>"
    web = machine("web", kind="test", top=mark)
    test_host.perform(web.define)
    seen = test_host.observe(None, None).objects[web.ref]
    assert (seen.uid, seen.state, seen.autostart, seen.persistent) == (web.uid, "shutoff", False, True)
    assert seen.mark == Mark("home", "web")
    assert not seen.active
    assert seen.live_xml is None


def test_state_words_follow_the_machine(test_host: Hypervisor) -> None:
    web = machine("web", kind="test")
    test_host.perform(web.define)

    def state() -> tuple[str, str]:
        seen = test_host.observe(None, None).objects[web.ref]
        return seen.state, seen.reason

    test_host.perform(Start(web.ref))
    assert state() == ("running", "booted")
    test_host.perform(Pause(web.ref))
    assert state() == ("paused", "user")
    test_host.perform(Resume(web.ref))
    assert state() == ("running", "unpaused")
    test_host.perform(Stop(web.ref))
    assert state() == ("shutoff", "shutdown")


def test_an_unchanged_host_gives_the_same_snapshot_object(test_host: Hypervisor) -> None:
    web = machine("web", kind="test")
    test_host.perform(web.define)
    first = test_host.observe(None, None)
    assert test_host.observe(first, None) is first
    assert test_host.observe(first, frozenset({web.ref})) is first
    assert test_host.observe(first, frozenset()) is first


def test_a_change_makes_a_new_snapshot_that_keeps_the_other_objects(test_host: Hypervisor) -> None:
    web, db = machine("web", kind="test"), machine("db", kind="test")
    test_host.perform(web.define)
    test_host.perform(db.define)
    first = test_host.observe(None, None)
    test_host.perform(SetAutostart(web.ref, on=True))
    second = test_host.observe(first, None)
    assert second.serial > first.serial
    assert second.objects[web.ref].autostart
    assert second.objects[db.ref] is first.objects[db.ref]


def test_only_what_is_marked_is_read_again(test_host: Hypervisor) -> None:
    web, db = machine("web", kind="test"), machine("db", kind="test")
    test_host.perform(web.define)
    test_host.perform(db.define)
    first = test_host.observe(None, None)
    test_host.perform(Start(web.ref))
    test_host.perform(Start(db.ref))
    second = test_host.observe(first, frozenset({web.ref}))
    assert second.objects[web.ref].state == "running"
    assert second.objects[db.ref] is first.objects[db.ref]


def test_what_is_gone_leaves_the_snapshot(test_host: Hypervisor) -> None:
    web = machine("web", kind="test")
    test_host.perform(web.define)
    first = test_host.observe(None, None)
    test_host.perform(Undefine(web.ref, web.uid))
    assert web.ref not in test_host.observe(first, frozenset({web.ref})).objects
    assert web.ref not in test_host.observe(first, None).objects


def test_many_marked_machines_are_read_like_few(test_host: Hypervisor) -> None:
    machines = [machine(f"vm-{number}", kind="test") for number in range(60)]
    for each in machines:
        test_host.perform(each.define)
    first = test_host.observe(None, None)
    for each in machines[:50]:
        test_host.perform(SetAutostart(each.ref, on=True))
    second = test_host.observe(first, frozenset(each.ref for each in machines[:50]))
    assert [ref.name for ref, seen in second.objects.items() if seen.autostart] == sorted(
        each.ref.name for each in machines[:50]
    )
    assert second.objects[machines[59].ref] is first.objects[machines[59].ref]


def test_pools_networks_and_volumes_are_read(test_host: Hypervisor, tmp_path: Path) -> None:
    images = folder_pool("images", tmp_path)
    test_host.perform(images.define)
    test_host.perform(Start(images.ref, build=True))
    test_host.perform(empty_volume("images", "root.qcow2"))
    snapshot = test_host.observe(None, None)
    assert snapshot.objects[images.ref].state == "active"
    volume = Ref.volume("images", "root.qcow2")
    path = f"{tmp_path}/root.qcow2"
    details = snapshot.objects[volume].details
    assert (details["path"], details["capacity"], details["format"]) == (path, 1 << 30, "qcow2")
    assert snapshot.host.volumes[volume] == VolumeSource(path, "file", "qcow2")
    assert snapshot.host.pool_paths == {"images": str(tmp_path)}


def test_a_marked_pool_shows_its_new_and_hides_its_gone_volumes(test_host: Hypervisor, tmp_path: Path) -> None:
    images = folder_pool("images", tmp_path)
    test_host.perform(images.define)
    test_host.perform(Start(images.ref))
    test_host.perform(empty_volume("images", "a"))
    first = test_host.observe(None, None)
    test_host.perform(empty_volume("images", "b"))
    second = test_host.observe(first, frozenset({images.ref}))
    assert Ref.volume("images", "b") in second.objects
    assert second.objects[Ref.volume("images", "a")] is first.objects[Ref.volume("images", "a")]
    test_host.perform(Stop(images.ref))
    third = test_host.observe(second, frozenset({images.ref}))
    assert not [ref for ref in third.objects if ref.pool]
    assert third.objects[images.ref].state == "inactive"


def test_a_marked_volume_is_read_alone(test_host: Hypervisor, tmp_path: Path) -> None:
    images = folder_pool("images", tmp_path)
    test_host.perform(images.define)
    test_host.perform(Start(images.ref))
    first = test_host.observe(None, None)
    refs = frozenset(Ref.volume("images", f"v{number}") for number in range(6))
    for ref in refs:
        test_host.perform(empty_volume("images", ref.short_name))
    second = test_host.observe(first, refs)
    assert refs <= second.objects.keys()
    third = test_host.observe(second, frozenset({Ref.volume("images", "v1"), Ref.volume("nowhere", "x")}))
    assert third.objects.keys() == second.objects.keys()


def test_used_subnets_hold_those_of_networks_and_of_the_host(qemu_system: str, private_test_uri: str) -> None:
    connection = libvirt.open(private_test_uri)
    connection.close()
    hypervisor = Hypervisor.open("test:///default")
    subnets = hypervisor.observe(None, None).host.used_subnets
    hypervisor.close()
    assert "192.168.122.0/24" in subnets
    assert "127.0.0.0/8" not in subnets


def test_the_default_test_host_is_read_completely() -> None:
    hypervisor = Hypervisor.open("test:///default")
    snapshot = hypervisor.observe(None, None)
    assert snapshot.skipped == ()
    assert {Ref(VIRTUAL_MACHINE, "test"), Ref(NETWORK, "default"), Ref(STORAGE_POOL, "default-pool")} <= set(
        snapshot.objects
    )
    assert snapshot.host.domain_types == ("test",)
    hypervisor.close()


def test_features_are_what_the_connection_can_do(test_host: Hypervisor, qemu_host: Hypervisor) -> None:
    on_test, on_qemu = test_host.host(), qemu_host.host()
    for feature in (Feature.DEVICE_HOTPLUG, Feature.VOLUME_UPLOAD, Feature.VOLUME_RESIZE, Feature.GUEST_STATISTICS):
        assert not on_test.can(feature)
        assert on_qemu.can(feature)
    assert on_test.can(Feature.HOST_INTERFACES)
    assert "qemu" in on_qemu.domain_types
    assert on_qemu.arch == "x86_64"
    assert {"pc", "q35"} <= set(on_qemu.machines)
    assert all(device.kind in ("pci", "usb", "scsi") and device.address for device in on_qemu.node_devices.values())


def test_allowed_folders_are_among_the_facts(private_test_uri: str) -> None:
    hypervisor = Hypervisor.open(private_test_uri, allowed_folders=("/isos",))
    assert hypervisor.host().allowed_folders == ("/isos",)
    hypervisor.close()


def test_a_paused_and_a_transient_machine_on_the_real_host(
    qemu_host: Hypervisor, host_objects: HostObjects, qemu_connection: libvirt.virConnect
) -> None:
    lasting, passing = machine(host_objects.name("lasting")), machine(host_objects.name("passing"))
    qemu_host.perform(lasting.define)
    qemu_host.perform(Start(lasting.ref, paused=True))
    qemu_connection.createXML(passing.xml, libvirt.VIR_DOMAIN_START_PAUSED)
    full = qemu_host.observe(None, None)
    alone = qemu_host.observe(Snapshot(0, full.host, {}), frozenset({lasting.ref, passing.ref}))
    # A previous snapshot of this very connection: only what is marked is read.
    assert set(alone.objects) == {lasting.ref, passing.ref}
    for snapshot in (full, alone):
        assert snapshot.objects[lasting.ref].state == "paused"
        assert snapshot.objects[lasting.ref].persistent
        assert snapshot.objects[lasting.ref].live_xml is not None
        assert not snapshot.objects[passing.ref].persistent
        assert snapshot.objects[passing.ref].state == "paused"


def test_a_network_is_read_with_both_definitions(
    qemu_host: Hypervisor, host_objects: HostObjects, qemu_connection: libvirt.virConnect
) -> None:
    uid = str(uuid.uuid4())
    name = host_objects.name("net")
    qemu_connection.networkDefineXML(NETWORK_XML.format(name=name, uid=uid))
    snapshot = qemu_host.observe(None, None)
    seen = snapshot.objects[Ref(NETWORK, name)]
    assert (seen.uid, seen.state, seen.live_xml) == (uid, "inactive", None)
    assert "10.77.0.0/24" in snapshot.host.used_subnets


def test_a_file_put_into_a_pool_by_hand_is_found_when_the_pool_is_due(
    pool: str, qemu_system: str, dir_pool_folder: Path
) -> None:
    (dir_pool_folder / "by-hand.img").write_bytes(b"\0" * 4096)
    hypervisor = Hypervisor(qemu_system, volume_reread_s=0.0)
    assert Ref.volume(pool, "by-hand.img") in hypervisor.observe(None, None).objects
    (dir_pool_folder / "later.img").write_bytes(b"\0" * 4096)
    assert Ref.volume(pool, "later.img") in hypervisor.observe(None, None).objects
    hypervisor.close()


def test_the_file_of_a_snapshot_is_known_with_the_machine_that_has_it(
    qemu_host: Hypervisor,
    pool: str,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    qemu_connection: libvirt.virConnect,
) -> None:
    qemu_host.perform(empty_volume(pool, "root.qcow2"))
    source = f"<driver type='qcow2'/><source file='{dir_pool_folder}/root.qcow2'/>"
    disk = f"<disk type='file'>{source}<target dev='vda'/></disk>"
    off = machine(host_objects.name("off"), devices=disk)
    qemu_host.perform(off.define)
    before = qemu_host.observe(None, None)
    domain = qemu_connection.lookupByName(off.ref.name)
    only_disks = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
    domain.snapshotCreateXML("<domainsnapshot><name>one</name></domainsnapshot>", only_disks)
    seen = qemu_host.observe(before, frozenset({off.ref})).objects
    assert "backingStore" not in seen[off.ref].xml
    assert seen[Ref.volume(pool, "root.one")].details["backing"] == f"{dir_pool_folder}/root.qcow2"


def test_a_pool_that_lost_its_folder_becomes_a_sentence_and_hides_nothing(
    qemu_host: Hypervisor, pool: str, host_objects: HostObjects, qemu_system: str, dir_pool_folder: Path
) -> None:
    web = machine(host_objects.name("web"))
    qemu_host.perform(web.define)
    dir_pool_folder.rename(dir_pool_folder.with_suffix(".away"))
    hypervisor = Hypervisor(qemu_system, volume_reread_s=0.0)
    try:
        snapshot = hypervisor.observe(None, None)
    finally:
        hypervisor.close()
        dir_pool_folder.with_suffix(".away").rename(dir_pool_folder)
    assert web.ref in snapshot.objects
    assert any(pool in sentence for sentence in snapshot.skipped)


@pytest.fixture
def many(qemu_connection: libvirt.virConnect, host_objects: HostObjects) -> Iterator[list[Ref]]:
    machines = [machine(host_objects.name(f"many-{number}")) for number in range(400)]
    for each in machines:
        qemu_connection.defineXML(each.xml)
    yield [each.ref for each in machines]


def test_a_full_pass_over_many_machines_carries_unchanged_ones_over(many: list[Ref], qemu_host: Hypervisor) -> None:
    first = qemu_host.observe(None, None)
    again = qemu_host.observe(first, None)
    assert all(again.objects[ref] is first.objects[ref] for ref in many)
    marked = qemu_host.observe(again, frozenset({many[0]}))
    assert marked.objects[many[0]] is first.objects[many[0]]
