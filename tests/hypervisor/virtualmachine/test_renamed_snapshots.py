"""The snapshots of a machine that was renamed: what they name follows, through any number of kills."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import libvirt
import pytest

from reconciler import faults
from reconciler.errors import Conflict, Refused, Terminal
from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.virtualmachine import snapshot_definitions
from reconciler.hypervisor.virtualmachine.snapshot_images import SnapshotImages
from reconciler.planning.one_off import CreateSnapshot, DeleteSnapshot, RevertSnapshot
from reconciler.planning.operations import Rename, RenameSnapshots, Start
from specs.binding import Element, parse, serialise
from specs.reference import Ref
from tests.hypervisor.conftest import Made, empty_volume, machine
from tests.hypervisor.virtualmachine.test_one_off_snapshots import DISK, USB, holds, write
from tests.lab.libvirtd import HostObjects

MARK = """<metadata><onggi:origin xmlns:onggi="https://onggi.dev/xmlns/origin/1" repository="r" name="{name}"/>
  <other:kept xmlns:other="urn:other"/></metadata>"""
SECURE = libvirt.VIR_DOMAIN_XML_SECURE | libvirt.VIR_DOMAIN_XML_INACTIVE
CONSOLE = "<graphics type='vnc' passwd='geheim'/>"


class Killed(BaseException):
    """Passes through whatever would mend or tell."""


@pytest.fixture
def kill_at() -> Iterator[Callable[[int], None]]:
    """Ends the work of this process at the boundary of this number."""

    def arm(number: int) -> None:
        left = [number]

        def hook(_name: str) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        faults.install(hook)

    yield arm
    faults.install(None)


def chain(host: Hypervisor, made: Made) -> None:
    """a → b → c and a → side, which is current."""
    for name in ("a", "b", "c"):
        host.perform(CreateSnapshot(made.ref, name))
    host.perform(RevertSnapshot(made.ref, "a"))
    host.perform(CreateSnapshot(made.ref, "side"))


def told(host: Hypervisor, ref: Ref) -> dict[str, tuple[str, bool]]:
    return {each.name: (each.parent, each.current) for each in host.snapshots(ref)}


CHAIN = {"a": ("", False), "b": ("a", False), "c": ("b", False), "side": ("a", True)}


def definitions(connection: libvirt.virConnect, name: str) -> list[str]:
    flags = libvirt.VIR_DOMAIN_SNAPSHOT_XML_SECURE
    return [each.getXMLDesc(flags) for each in connection.lookupByName(name).listAllSnapshots()]


def own_name(xml: str) -> str:
    """A snapshot's name, or that of which it is a copy for now."""
    root = parse(xml)
    note = root.find("domain/metadata/{https://onggi.dev/xmlns/snapshot/1}copy")
    return note.get("name", "") if note is not None else root.findtext("name") or ""


@pytest.fixture
def shared() -> Iterator[tuple[Hypervisor, libvirt.virConnect]]:
    """The test driver's shared host, and somebody at virsh."""
    connection = libvirt.open("test:///default")
    hypervisor = Hypervisor.open("test:///default")
    yield hypervisor, connection
    hypervisor.close()
    for domain in connection.listAllDomains():
        if domain.name() != "test":
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    connection.close()


def renamed(host: Hypervisor) -> RenameSnapshots:
    """A machine with snapshots from before its present name, and what makes them follow."""
    disk = "<disk type='file'><driver type='qcow2'/><source file='/images/web-root'/><target dev='vda'/></disk>"
    made = machine("web", kind="test", devices=disk, top=MARK.format(name="web"))
    host.perform(made.define)
    chain(host, made)
    shop = Ref("VirtualMachine", "shop")
    host.perform(Rename(made.ref, shop, made.uid))
    return RenameSnapshots(shop, made.uid, (("/images/web-root", "/images/shop-root"),))


def check_all_followed(host: Hypervisor, connection: libvirt.virConnect) -> None:
    assert told(host, Ref("VirtualMachine", "shop")) == CHAIN
    found = definitions(connection, "shop")
    assert len(found) == len(CHAIN), "no copy is left"
    for xml in found:
        root = parse(xml)
        assert root.findtext("domain/name") == "shop"
        [source] = root.iterfind("domain/devices/disk/source")
        assert source.get("file") == "/images/shop-root"
        assert [each.get("name") for each in root.iterfind("domain/metadata/*")] == ["shop", None], "and others' words"


def test_snapshots_follow_the_name_and_the_disks(shared: tuple[Hypervisor, libvirt.virConnect]) -> None:
    host, connection = shared
    operation = renamed(host)
    host.perform(operation)
    check_all_followed(host, connection)
    before = definitions(connection, "shop")
    host.perform(operation)
    assert definitions(connection, "shop") == before


def test_a_kill_anywhere_loses_no_snapshot_and_is_made_good(
    shared: tuple[Hypervisor, libvirt.virConnect], kill_at: Callable[[int], None]
) -> None:
    host, connection = shared
    kills = 0
    for number in range(1, 100):
        operation = renamed(host)
        kill_at(number)
        try:
            host.perform(operation)
        except Killed:
            kills += 1
            kill_at(1 + number % 5)  # and the next start as well
            with suppress(Killed):
                host.perform(operation)
            assert {own_name(xml) for xml in definitions(connection, "shop")} == CHAIN.keys(), "none is ever lost"
            kill_at(0)
            host.perform(operation)
            check_all_followed(host, connection)
            connection.lookupByName("shop").undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
        else:
            break
    assert kills == 4 * len(CHAIN)


def test_what_a_kill_left_is_made_good_by_the_next_snapshot(
    shared: tuple[Hypervisor, libvirt.virConnect], kill_at: Callable[[int], None]
) -> None:
    host, connection = shared
    operation = renamed(host)
    kill_at(6)
    with pytest.raises(Killed):
        host.perform(operation)
    kill_at(0)
    assert told(host, operation.ref).keys() <= CHAIN.keys(), "nobody is shown a copy"
    host.perform(CreateSnapshot(operation.ref, "next"))
    assert told(host, operation.ref) == {**CHAIN, "side": ("a", False), "next": ("side", True)}
    assert len(definitions(connection, "shop")) == len(CHAIN) + 1


def test_a_snapshot_that_libvirt_does_not_take_holds_up_nothing_and_loses_nothing(
    shared: tuple[Hypervisor, libvirt.virConnect],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    host, connection = shared
    operation = renamed(host)
    before = definitions(connection, "shop")
    define = snapshot_definitions._define

    def refuse(domain: libvirt.virDomain, root: Element, *, current: bool) -> None:
        if root.findtext("domain/name") == "shop" and own_name(serialise(root)) == "c":
            domain.snapshotCreateXML("<nonsense/>")
        define(domain, root, current=current)

    monkeypatch.setattr(snapshot_definitions, "_define", refuse)
    host.perform(operation)
    assert sorted(definitions(connection, "shop")) == sorted(before)
    assert told(host, operation.ref) == CHAIN
    assert "keep its former name" in caplog.text
    monkeypatch.undo()
    host.perform(operation)
    check_all_followed(host, connection)


@pytest.fixture
def with_disk(qemu_host: Hypervisor, host_objects: HostObjects, pool: str, dir_pool_folder: Path) -> Made:
    """A machine that is off, with one qcow2 disk and a console with a password."""
    qemu_host.perform(empty_volume(pool, "root"))
    devices = USB + DISK.format(form="qcow2", path=dir_pool_folder / "root") + CONSOLE
    made = machine(host_objects.name("web"), devices=devices)
    qemu_host.perform(made.define)
    return made


def in_image(path: Path) -> list[str]:
    done = subprocess.run(["qemu-img", "snapshot", "-l", path], check=True, capture_output=True, text=True)
    return [line.split()[1] for line in done.stdout.splitlines()[2:]]


@pytest.mark.qemu
def test_snapshots_follow_a_disk_that_was_moved_by_hand(
    qemu_host: Hypervisor, with_disk: Made, dir_pool_folder: Path, qemu_connection: libvirt.virConnect
) -> None:
    disk, moved = dir_pool_folder / "root", dir_pool_folder / "elsewhere"
    for pattern, name in enumerate(("a", "b", "c"), 1):
        write(disk, pattern)
        qemu_host.perform(CreateSnapshot(with_disk.ref, name))
    disk.rename(moved)
    qemu_connection.defineXML(
        qemu_connection.lookupByName(with_disk.ref.name).XMLDesc(SECURE).replace(str(disk), str(moved))
    )
    qemu_host.perform(DeleteSnapshot(with_disk.ref, "b"))
    assert in_image(moved) == ["a", "c"]
    qemu_host.perform(RevertSnapshot(with_disk.ref, "a"))
    assert holds(moved, 1)
    assert all("geheim" in xml for xml in definitions(qemu_connection, with_disk.ref.name)), "passwords stay"


@pytest.mark.qemu
def test_a_snapshot_that_stays_in_the_image_is_not_called_deleted(
    qemu_host: Hypervisor, with_disk: Made, dir_pool_folder: Path
) -> None:
    disk = dir_pool_folder / "root"
    for name in ("a", "b"):
        qemu_host.perform(CreateSnapshot(with_disk.ref, name))
    with subprocess.Popen(["qemu-io", disk], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write("length\n")
        holder.stdin.flush()
        holder.stdout.read(len("qemu-io> "))  # it has the image open by now
        with pytest.raises(Terminal, match=f"couldn't be taken out of {disk}"):
            qemu_host.perform(DeleteSnapshot(with_disk.ref, "b"))
        holder.stdin.close()
    assert in_image(disk) == ["a", "b"]
    assert told(qemu_host, with_disk.ref) == {"a": ("", False), "b": ("a", True)}, "it can be tried again"
    qemu_host.perform(DeleteSnapshot(with_disk.ref, "b"))
    assert in_image(disk) == ["a"]


@pytest.mark.qemu
def test_a_machine_is_not_put_back_half_way(qemu_host: Hypervisor, with_disk: Made, dir_pool_folder: Path) -> None:
    disk = dir_pool_folder / "root"
    write(disk, 1)
    qemu_host.perform(CreateSnapshot(with_disk.ref, "a"))
    write(disk, 2)
    subprocess.run(["qemu-img", "snapshot", "-d", "a", disk], check=True)
    with pytest.raises(Refused, match="holds no such snapshot") as refused:
        qemu_host.perform(RevertSnapshot(with_disk.ref, "a"))
    assert refused.value.reason == "SnapshotNotInImage"
    assert holds(disk, 2)
    qemu_host.perform(DeleteSnapshot(with_disk.ref, "a"))
    assert qemu_host.snapshots(with_disk.ref) == ()


@pytest.mark.qemu
def test_snapshots_are_not_renamed_below_a_machine_that_runs(qemu_host: Hypervisor, with_disk: Made) -> None:
    qemu_host.perform(Start(with_disk.ref, paused=True))
    with pytest.raises(Conflict, match="was started meanwhile"):
        qemu_host.perform(RenameSnapshots(with_disk.ref, with_disk.uid))


@pytest.mark.qemu
def test_the_images_of_another_machine_are_asked_through_libvirt(
    qemu_host: Hypervisor, with_disk: Made, dir_pool_folder: Path, qemu_connection: libvirt.virConnect
) -> None:
    qemu_host.perform(CreateSnapshot(with_disk.ref, "a"))
    images = SnapshotImages(qemu_connection, "qemu+ssh://elsewhere/system")
    disk = str(dir_pool_folder / "root")
    assert images.names(disk) == {"a"}
    assert images.holding([disk, "/nowhere"], "a") == [disk]
    assert images.lacking([disk, "/nowhere"], "b") == [disk], "what nobody can look into lacks nothing"
