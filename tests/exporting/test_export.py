"""What an export looks like, what it leaves out, and what it never does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.desired.identity import object_uid
from reconciler.exporting.export import Export, export
from reconciler.exporting.foreign import Known
from reconciler.hypervisor import Hypervisor
from reconciler.network.addresses import Networks
from reconciler.planning.operations import Define, Start, Undefine
from reconciler.planning.ownership import Owned
from specs.binding import parse, serialise
from specs.host import Feature, Host
from specs.mark import Mark, write_mark
from specs.network import KIND as NETWORK_KIND
from specs.reference import Ref
from specs.storagepool import KIND as POOL_KIND
from specs.virtualmachine import KIND as MACHINE_KIND
from tests.corpus.host import REPOSITORY_ID, define, line_of, make_volumes, write
from tests.specs.network import generated as networks
from tests.specs.rendering import new_xml
from tests.specs.storagepool import generated as pools
from tests.specs.virtualmachine import machines
from tests.specs.virtualmachine.world import TEST_DRIVER


@pytest.fixture
def hypervisor(private_test_uri: str) -> Iterator[Hypervisor]:
    opened = Hypervisor.open(
        private_test_uri, networks=Networks.of(["fd00::/8"])
    )  # where generated machines have media
    yield opened
    opened.close()


def exported(hypervisor: Hypervisor, **options: Any) -> Export:
    """What fields say; see `test_whole` for all else."""
    return export(hypervisor.observe(), REPOSITORY_ID, minimal=True, **options)


def texts(found: Export) -> dict[str, str]:
    return {document.path: document.text for document in found.documents}


def vm(hypervisor: Hypervisor, name: str, devices: str = "", more: str = "") -> Ref:
    ref = Ref("VirtualMachine", name)
    xml = (
        f"<domain type='test'><name>{name}</name><memory unit='MiB'>64</memory><os><type>hvm</type></os>"
        f"{more}<devices>{devices}</devices></domain>"
    )
    hypervisor.perform(Define(ref, str(uuid.uuid4()), xml))
    return ref


def drive(path: str, target: str, more: str = "") -> str:
    return f"<disk type='file'><source file='{path}'/><target dev='{target}' bus='virtio'/>{more}</disk>"


def test_a_document_is_written_as_a_person_would(hypervisor: Hypervisor, tmp_path: Path) -> None:
    make_volumes(hypervisor, Ref("StoragePool", "images"), tmp_path / "images", ["web.qcow2"])
    ref = vm(
        hypervisor,
        "web",
        drive(f"{tmp_path}/images/web.qcow2", "vda")
        + "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/>"
        "<model type='virtio'/></interface><graphics type='vnc' autoport='yes' listen='127.0.0.1'/>",
        "<description>Two\nlines</description>",
    )
    uid = hypervisor.observe().objects[ref].uid
    assert texts(exported(hypervisor))["vms/web.yaml"] == (
        "apiVersion: onggi/v1\n"
        "kind: VirtualMachine\n"
        "metadata:\n"
        "  name: web\n"
        f"  uid: {uid}\n"
        "  annotations:\n"
        '    onggi/adopt: "true"\n'
        "spec:\n"
        "  description: |-\n"
        "    Two\n"
        "    lines\n"
        "  cpus: 1\n"
        "  memory: 64MiB\n"
        "  disks:\n"
        "    - volume: images/web.qcow2\n"
        "  interfaces:\n"
        "    - network: lan\n"
        '      mac: "52:54:00:00:00:01"\n'
        "      targetDev: testnet0\n"
        "  graphics:\n"
        "    type: vnc\n"
        "  serialConsole: false\n"
        "  videos:\n"
        "    - model: cirrus\n"
        "      heads: 1\n"
        "      vram: 16MiB\n"
        "  runStrategy: Manual\n"
    )


def test_volumes_that_machines_write_to_are_declared_and_images_only_referred_to(
    hypervisor: Hypervisor, tmp_path: Path
) -> None:
    images = tmp_path / "images"
    make_volumes(hypervisor, Ref("StoragePool", "images"), images, ["web.qcow2", "unused.qcow2", "install.iso"])
    cdrom = (
        f"<disk type='file' device='cdrom'><source file='{images}/install.iso'/><target dev='sda' bus='sata'/></disk>"
    )
    vm(hypervisor, "web", drive(f"{images}/web.qcow2", "vda") + cdrom)
    found = texts(exported(hypervisor))
    assert sorted(found) == ["pools/images.yaml", "vms/web.yaml", "volumes/images/web.qcow2.yaml"]
    assert "volume: images/install.iso" in found["vms/web.yaml"]
    every = texts(exported(hypervisor, all_volumes=True))
    assert sorted(every.keys() - found.keys()) == ["volumes/images/unused.qcow2.yaml"]


# AshleyYakeley/NixVirt#5: transient domains crash the tool.
def test_a_transient_machine_crashes_nothing_and_hides_no_neighbour(private_test_uri: str) -> None:
    hypervisor = Hypervisor.open(private_test_uri)
    try:
        vm(hypervisor, "web")
        with hypervisor._connections.lend("make a transient machine") as connection:
            connection.createXML(
                "<domain type='test'><name>passing</name><memory>65536</memory><os><type>hvm</type></os></domain>", 0
            )
        found = exported(hypervisor)
        assert list(texts(found)) == ["vms/web.yaml"]
        assert [note for note in found.notes if "passing" in note] == [
            "VirtualMachine/passing is transient, gone as soon as it stops, and gets no document; "
            "define it persistently first"
        ]
    finally:
        hypervisor.close()


@pytest.mark.parametrize("name", [".hidden", "-dash", "a&amp;b", "trailing ", "x" * 129])
def test_a_name_that_no_document_can_have_is_told_and_hides_no_neighbour(hypervisor: Hypervisor, name: str) -> None:
    vm(hypervisor, "web")
    odd = Ref("VirtualMachine", name.replace("&amp;", "&"))
    xml = f"<domain type='test'><name>{name}</name><memory>65536</memory><os><type>hvm</type></os></domain>"
    hypervisor.perform(Define(odd, str(uuid.uuid4()), xml))
    found = exported(hypervisor)
    assert list(texts(found)) == ["vms/web.yaml"]
    assert len(found.notes) == 1
    assert "gets no document" in found.notes[0]


def test_the_name_of_a_volume_cannot_end_the_comment_that_tells_of_it(hypervisor: Hypervisor) -> None:
    vm(hypervisor, "web", drive("/srv/a&#10;kind: Evil&#x2028;b.img", "vda"))
    text = texts(exported(hypervisor))["vms/web.yaml"]
    assert yaml.safe_load(text)["kind"] == "VirtualMachine"
    assert len([line for line in text.splitlines() if line.startswith("#")]) == 2


def test_a_disk_that_two_machines_write_to_is_left_to_both(hypervisor: Hypervisor, tmp_path: Path) -> None:
    images = tmp_path / "images"
    make_volumes(hypervisor, Ref("StoragePool", "images"), images, ["shared.img"])
    for name in ("left", "right"):
        vm(hypervisor, name, drive(f"{images}/shared.img", "vda"))
    found = exported(hypervisor)
    assert sorted(texts(found)) == [
        "pools/images.yaml",
        "vms/left.yaml",
        "vms/right.yaml",
        "volumes/images/shared.img.yaml",
    ]
    left = {str(document.ref): document.left for document in found.documents}
    assert left["VirtualMachine/left"] == ("the disk images/shared.img, which VirtualMachine/right has too",)


def test_a_disk_that_is_said_to_be_shared_is_in_the_documents_of_both(hypervisor: Hypervisor, tmp_path: Path) -> None:
    images = tmp_path / "images"
    make_volumes(hypervisor, Ref("StoragePool", "images"), images, ["shared.img"])
    for name in ("left", "right"):
        vm(hypervisor, name, drive(f"{images}/shared.img", "vda", "<shareable/>"))
    found = texts(exported(hypervisor))
    for name in ("left", "right"):
        (disk,) = yaml.safe_load(found[f"vms/{name}.yaml"])["spec"]["disks"]
        assert (disk["volume"], disk["shareable"]) == ("images/shared.img", True)


def test_what_is_left_out_of_a_machine_has_a_name_of_its_own(hypervisor: Hypervisor) -> None:
    drives = (
        f"<disk type='file' device='cdrom'><source file='/srv/{n}.iso'/><target dev='sd{n}' bus='sata'/></disk>"
        for n in "ab"
    )
    vm(hypervisor, "web", "".join(drives))
    (document,) = exported(hypervisor).documents
    assert [left.partition(" (")[0] for left in document.left] == ["the CD-ROM drive sda", "the CD-ROM drive sdb"]


def test_interfaces_on_one_network_get_names_that_nothing_else_has(hypervisor: Hypervisor) -> None:
    networks = ("lan", "lan", "lan-2", "lan")
    vm(
        hypervisor,
        "web",
        "".join(f"<interface type='network'><source network='{name}'/></interface>" for name in networks),
    )
    (document,) = exported(hypervisor).documents
    found = yaml.safe_load(document.text)["spec"]["interfaces"]
    assert [item.get("name", item["network"]) for item in found] == ["lan", "lan-3", "lan-2", "lan-4"]
    assert document.left == ()


def test_whatever_a_document_has_no_word_for_is_told_in_its_comment(hypervisor: Hypervisor) -> None:
    more = "<blkiotune><weight>500</weight></blkiotune><clock offset='localtime'/>"
    devices = (
        "<disk type='file' device='floppy'><source file='/srv/a.img'/><target dev='fda' bus='fdc'/></disk>"
        "<filesystem><source dir='/srv/share'/><target dir='share'/></filesystem>"
        "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm><watchdog model='i6300esb'/>"
        "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/><mtu size='9000'/>"
        "</interface>"
    )
    vm(hypervisor, "web", devices, more)
    (document,) = exported(hypervisor).documents
    assert set(document.left) == {
        "its weights in block I/O",
        "its clock (localtime)",
        "the floppy drive fda (target: fda, address: drive 0:0:0:0, path: /srv/a.img): The path '/srv/a.img' isn't in "
        "an allowed folder (none is configured); choose one there, or allow its folder by allowed-folder in onggi's "
        "settings",
        "filesystems share (target: share, source: /srv/share): The path '/srv/share' isn't in an allowed folder (none "
        "is configured); choose one there, or allow its folder by allowed-folder in onggi's settings",
        "of the interface 52:54:00:00:00:01: mtu",
    }
    assert all(f"# - {left}\n" in document.text for left in document.left)
    assert "watchdog:\n    model: i6300esb\n" in document.text
    assert "tpm:\n    model: tpm-crb\n    backend: emulator\n" in document.text


def test_a_plain_machine_has_no_comment(hypervisor: Hypervisor) -> None:
    host = hypervisor.host()
    spec = MACHINE_KIND.xml.lower({"memory": 64}, name="web", uid=str(uuid.uuid4()), host=host)
    hypervisor.perform(
        Define(Ref("VirtualMachine", "web"), str(uuid.uuid4()), new_xml(MACHINE_KIND, spec, name="web", host=host))
    )
    assert [document.left for document in exported(hypervisor).documents] == [()]


def test_only_what_is_named_and_what_it_needs_is_exported(hypervisor: Hypervisor, tmp_path: Path) -> None:
    for pool in ("images", "others"):
        make_volumes(hypervisor, Ref("StoragePool", pool), tmp_path / pool, ["web.qcow2"])
    network = "<network><name>%s</name><bridge name='%s'/></network>"
    for name in ("lan", "wan"):
        hypervisor.perform(Define(Ref("Network", name), str(uuid.uuid4()), network % (name, name)))
    web = vm(
        hypervisor,
        "web",
        drive(f"{tmp_path}/images/web.qcow2", "vda") + "<interface type='network'><source network='lan'/></interface>",
    )
    vm(hypervisor, "db", drive(f"{tmp_path}/others/web.qcow2", "vda"))
    found = exported(hypervisor, wanted=[web])
    assert sorted(texts(found)) == [
        "networks/lan.yaml",
        "pools/images.yaml",
        "vms/web.yaml",
        "volumes/images/web.qcow2.yaml",
    ]
    assert found.notes == ()
    volume = exported(hypervisor, wanted=[Ref("StorageVolume", "others/web.qcow2")])
    assert sorted(texts(volume)) == ["pools/others.yaml", "volumes/others/web.qcow2.yaml"]
    assert "isn't on this host" in exported(hypervisor, wanted=[Ref("VirtualMachine", "none")]).notes[0]


def marked(hypervisor: Hypervisor, ref: Ref, repository_id: str) -> None:
    seen = hypervisor.observe().objects[ref]
    root = parse(seen.xml)
    write_mark(root, Mark(repository_id, ref.name))
    hypervisor.perform(Define(ref, seen.uid, serialise(root)))


def test_networks_and_pools_of_another_repository_are_told_and_left_to_it(
    hypervisor: Hypervisor, tmp_path: Path
) -> None:
    other = "7d1c9c52-0000-4000-8000-000000000001"
    marked(hypervisor, vm(hypervisor, "web"), other)
    lan, ours = Ref("Network", "lan"), Ref("Network", "ours")
    for ref, repository_id in ((lan, other), (ours, REPOSITORY_ID)):
        hypervisor.perform(
            Define(ref, object_uid(repository_id, ref, ""), f"<network><name>{ref.name}</name></network>")
        )
    found = exported(hypervisor)
    assert list(texts(found)) == ["networks/ours.yaml"]
    assert [note for note in found.notes if note.startswith("Network/lan")] == [
        f"Network/lan belongs to the repository {other}; it is left to it (--foreign exports it too)"
    ]
    every = exported(hypervisor, foreign=True)
    assert sorted(texts(every)) == ["networks/lan.yaml", "networks/ours.yaml", "vms/web.yaml"]
    assert texts(every)["networks/lan.yaml"].startswith(f"# This belongs to the repository {other}; applying")


def test_what_the_agent_of_this_host_keeps_is_told_and_left_to_it(hypervisor: Hypervisor) -> None:
    ref = Ref("Network", "lan")
    hypervisor.perform(Define(ref, uid := str(uuid.uuid4()), "<network><name>lan</name></network>"))
    known = Known(REPOSITORY_ID, {ref: Owned(ref, uid)}, "/var/lib/onggi")
    found = exported(hypervisor, known=known)
    assert found.documents == ()
    assert "is kept by the agent whose state is in /var/lib/onggi" in found.notes[0]


def test_what_belongs_to_another_repository_is_left_to_it(hypervisor: Hypervisor) -> None:
    marked(hypervisor, vm(hypervisor, "web"), "7d1c9c52-0000-4000-8000-000000000001")
    found = exported(hypervisor)
    assert found.documents == ()
    assert "belongs to the repository 7d1c9c52-0000-4000-8000-000000000001" in found.notes[0]


def test_no_password_is_ever_read_out(hypervisor: Hypervisor) -> None:
    vm(hypervisor, "web", "<graphics type='vnc' passwd='hunter2x' autoport='yes'/>")
    found = exported(hypervisor)
    assert "hunter2x" not in repr(found)
    assert any("graphics.passwordFrom" in left for left in found.documents[0].left)


def test_a_running_and_a_stopped_machine_both_stay_as_they_are(
    hypervisor: Hypervisor, private_test_uri: str, tmp_path: Path
) -> None:
    running, stopped = vm(hypervisor, "running"), vm(hypervisor, "stopped")
    hypervisor.perform(Start(running))
    folder = write(exported(hypervisor), tmp_path / "documents")
    with line_of(folder, private_test_uri, tmp_path / "state") as line:
        plan = line.compare(line.desired(), hypervisor.observe()).plan
        assert plan.empty
        assert not plan.blocked
    states = {ref: hypervisor.observe().objects[ref].state for ref in (running, stopped)}
    assert states == {running: "running", stopped: "shutoff"}


def test_a_pool_that_is_off_stays_off(hypervisor: Hypervisor, tmp_path: Path) -> None:
    ref = define(hypervisor, "pool/dir", tmp_path, str)
    assert "active: false" in texts(exported(hypervisor))[f"pools/{ref.name}.yaml"]


# The laws: whatever can be declared can be exported, and then nothing is left to do.

several = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
FEATURES = Host(features=frozenset(Feature), used_subnets=("192.168.123.0/24",), domain_types=("test",))


def assert_law(hypervisor: Hypervisor, kind: str, xml: str) -> None:
    """Define, export (which fits every document until its plan is empty), and remove again."""
    ref = Ref(kind, "law")
    hypervisor.perform(Define(ref, uid := str(uuid.uuid4()), xml))
    try:
        found = exported(hypervisor)
        assert [document.ref for document in found.documents] == [ref], found.notes
        spec = yaml.safe_load(found.documents[0].text)["spec"]
        assert spec, "a document says something"
    finally:
        hypervisor.perform(Undefine(ref, uid))


@settings(several, max_examples=100)
@given(spec=networks.networks())
def test_any_network_is_exported_with_an_empty_plan(hypervisor: Hypervisor, spec: dict[str, Any]) -> None:
    concrete = NETWORK_KIND.xml.lower(spec, name="law", uid="", host=FEATURES)
    assert_law(hypervisor, "Network", new_xml(NETWORK_KIND, concrete, name="law", host=FEATURES))


@settings(several, max_examples=100)
@given(data=st.data(), type_=st.sampled_from(sorted(pools.BY_TYPE)))
def test_any_pool_is_exported_with_an_empty_plan(hypervisor: Hypervisor, data: st.DataObject, type_: str) -> None:
    spec = data.draw(pools.BY_TYPE[type_])
    concrete = POOL_KIND.xml.lower(spec, name="law", uid="", host=FEATURES)
    assert_law(hypervisor, "StoragePool", new_xml(POOL_KIND, concrete, name="law", host=FEATURES))


@pytest.fixture
def with_images(hypervisor: Hypervisor, tmp_path: Path) -> Hypervisor:
    """A host that has some of the volumes which the generated machines use."""
    make_volumes(hypervisor, Ref("StoragePool", "default"), tmp_path / "default", ["root.qcow2", "data.img", "old"])
    return hypervisor


@settings(several, max_examples=150)
@given(spec=machines.specs())
def test_any_machine_is_exported_with_an_empty_plan(with_images: Hypervisor, spec: dict[str, Any]) -> None:
    ref, uid = Ref("VirtualMachine", "law"), str(uuid.uuid4())
    host = replace(with_images.host(), node_devices=TEST_DRIVER.node_devices)
    concrete = MACHINE_KIND.xml.lower(spec, name="law", uid=uid, host=host)
    with_images.perform(Define(ref, uid, new_xml(MACHINE_KIND, concrete, name="law", host=host, uid=uid)))
    try:
        found = exported(with_images)
        document = next(document for document in found.documents if document.ref == ref)
        written = yaml.safe_load(document.text)["spec"]
        lost = {volume for volume in ("root.qcow2", "data.img", "old") if f"default/{volume}" in str(spec.get("disks"))}
        assert all(f"default/{volume}" in str(written.get("disks")) for volume in lost)
        assert len(written.get("interfaces", ())) == len(spec.get("interfaces", ()))
    finally:
        with_images.perform(Undefine(ref, uid))


def test_what_a_machine_boots_from_is_exported_where_it_is_unusual(hypervisor: Hypervisor) -> None:
    domain = "<domain type='test'><name>{}</name><memory unit='MiB'>64</memory><os><type>hvm</type>{}</os></domain>"
    with hypervisor._connections.lend("make machines") as connection:
        connection.defineXML(domain.format("usual", "<boot dev='hd'/>"))
        connection.defineXML(domain.format("pxe", "<boot dev='network'/><boot dev='hd'/><bootmenu enable='yes'/>"))
    found = texts(exported(hypervisor))
    assert "bootDevices:\n    - network\n    - hd\n  bootMenu: true\n" in found["vms/pxe.yaml"]
    assert "boot" not in found["vms/usual.yaml"]
