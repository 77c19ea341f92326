"""Each operation on a volume that another user has exchanged for a link, a second name or a FIFO: root's file stays
unread and unchanged, and nobody waits.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import pytest

from reconciler.errors import Conflict, NotFound, OnggiError, Refused
from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.opened import Opened
from reconciler.hypervisor.virtualmachine.exchanged_disks import check_exchanged
from reconciler.planning import one_off, operations
from reconciler.planning.one_off import (
    CloneVolume,
    CreateSnapshot,
    DeleteSnapshot,
    RefreshPool,
    RevertSnapshot,
    WipeVolume,
)
from reconciler.planning.operations import (
    CreateVolume,
    Define,
    DeleteVolume,
    EditLive,
    GrowVolume,
    Operation,
    RenameVolume,
    Start,
)
from specs.reference import STORAGE_POOL, VIRTUAL_MACHINE, Ref
from tests.hypervisor.conftest import Made, empty_volume, machine, pool, qemu_host
from tests.lab.libvirtd import HostObjects

__all__ = ["pool", "qemu_host"]

NOBODY = 65534
USB = "<controller type='usb' model='qemu-xhci'/>"
DISK = "<disk type='file'><driver name='qemu' type='qcow2'/><source file='{}'/><target dev='sda' bus='usb'/></disk>"


@dataclass(frozen=True)
class World:
    """A pool in a folder of another user, a machine with the disk `x` in it, and a file of root's."""

    host: Hypervisor
    pool: str
    folder: Path
    machine: Made
    secret: Path

    @property
    def volume(self) -> Ref:
        return Ref.volume(self.pool, "x")

    @property
    def path(self) -> Path:
        return self.folder / "x"

    def put(self, what: Callable[[Path, Path], None]) -> None:
        """Exchange the volume, and let libvirt look."""
        self.path.unlink(missing_ok=True)
        what(self.path, self.secret)
        self.host.perform(RefreshPool(Ref(STORAGE_POOL, self.pool)))


@pytest.fixture
def world(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, host_objects: HostObjects, tmp_path: Path
) -> Iterator[World]:
    os.chown(dir_pool_folder, NOBODY, NOBODY)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", dir_pool_folder / "x", "1M"], check=True)
    made = machine(host_objects.name("user"), devices=USB + DISK.format(dir_pool_folder / "x"))
    qemu_host.perform(made.define)
    content = (dir_pool_folder / "x").read_bytes()
    secret = dir_pool_folder.with_name(f"{dir_pool_folder.name}.secret")
    secret.write_bytes(content)
    yield World(qemu_host, pool, dir_pool_folder, made, secret)
    secret.unlink()


def link(path: Path, secret: Path) -> None:
    path.symlink_to(secret)
    os.lchown(path, NOBODY, NOBODY)


def second_name(path: Path, secret: Path) -> None:
    os.link(secret, path)


def fifo(path: Path, _secret: Path) -> None:
    os.mkfifo(path)


TRAPS = {"a-link": link, "a-second-name": second_name, "a-FIFO": fifo}


def overlay(world: World) -> CreateVolume:
    base = f"<backingStore><path>{world.path}</path><format type='qcow2'/></backingStore>"
    return empty_volume(world.pool, "over", base=base)


def another(world: World) -> Define:
    made = machine(f"{world.machine.ref.name}-2", devices=USB + DISK.format(world.path))
    return made.define


# By the type of the operation: how it would open `x`.
OPENING: dict[type, Callable[[World], Operation]] = {
    WipeVolume: lambda world: WipeVolume(world.volume),
    GrowVolume: lambda world: GrowVolume(world.volume, 1 << 30),
    CloneVolume: lambda world: CloneVolume(Ref.volume(world.pool, "copy"), world.volume),
    CreateVolume: overlay,
    Define: another,
    EditLive: lambda world: EditLive(world.machine.ref, "attach", DISK.format(world.path)),
    Start: lambda world: Start(world.machine.ref, paused=True),
    CreateSnapshot: lambda world: CreateSnapshot(world.machine.ref, "s"),
    RevertSnapshot: lambda world: RevertSnapshot(world.machine.ref, "s"),
    DeleteSnapshot: lambda world: DeleteSnapshot(world.machine.ref, "s"),
}
# They are about a name, a definition or what runs already, and open no file of a pool.
OPENING_NOTHING = {
    "DefineSecret", "SetSecretValue", "DefineInterface", "ExtendVolumeGroup", "WriteMark", "Undefine", "SetAutostart",
    "Stop", "Pause", "Resume", "UpdateNetwork", "ReconnectInterfaces", "TrashVolume", "RenameVolume", "Rename",
    "RenameSnapshots", "DeleteVolume", "Reset", "PowerOff", "RefreshPool",
}  # fmt: skip


def test_every_operation_says_whether_it_opens_files() -> None:
    types = {*get_args(operations.Operation), *get_args(one_off.OneOff)} - {one_off.OneOff}
    assert {each.__name__ for each in types} == {each.__name__ for each in OPENING} | OPENING_NOTHING
    ref, uid = Ref(VIRTUAL_MACHINE, "vm"), "u"
    xml = f"<domain><devices>{DISK.format('/a')}<disk><source pool='p' volume='v'/></disk></devices></domain>"
    host = Hypervisor.open("test:///default")  # asked for nothing, so it doesn't connect
    opened_by = host._commands().opened_by
    assert opened_by(Given(Define(ref, uid, xml))) == Opened((Ref.volume("p", "v"),), ("/a",), already_of=ref)
    assert opened_by(Given(Define(Ref(STORAGE_POOL, "p"), uid, "<pool/>"))) == Opened()
    host.close()


@pytest.mark.qemu
@pytest.mark.parametrize("what", TRAPS.values(), ids=TRAPS)
def test_no_operation_opens_what_another_user_has_put_in_a_pool(
    world: World, what: Callable[[Path, Path], None]
) -> None:
    before = world.secret.read_bytes()
    world.put(what)
    world.secret.chmod(0o600)
    for make in OPENING.values():
        operation = make(world)
        with pytest.raises((Refused, NotFound)) as refused:
            world.host.perform(operation)
        gone = what is fifo and isinstance(refused.value, NotFound)  # libvirt lists none
        assert gone or refused.value.reason == "UnsafeFile", operation
    with pytest.raises((Refused, NotFound)):
        world.host.upload(world.volume, 0, 4, [b"evil"])
    stat = world.secret.stat()
    assert (stat.st_uid, stat.st_mode & 0o777) == (0, 0o600)
    for operation in (RenameVolume(world.volume, Ref.volume(world.pool, "y")), DeleteVolume(world.volume)):
        try:
            world.host.perform(operation)
        except OnggiError:
            continue
    assert world.secret.read_bytes() == before, "it isn't removed through its other name"


@pytest.mark.qemu
@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_no_new_volume_is_written_through_a_link_that_leads_nowhere_yet(world: World, form: str) -> None:
    evil = world.folder / "evil"
    world.put(lambda path, _secret: link(path, evil))
    volume = empty_volume(world.pool, "x", form=form)
    for operation in (
        volume,
        replace(volume, content=b"bytes"),
        CloneVolume(world.volume, Ref.volume(world.pool, "z")),
    ):
        with pytest.raises((Conflict, NotFound)):
            world.host.perform(operation)
    assert not evil.exists()


@pytest.mark.qemu
def test_a_link_of_roots_own_is_followed_as_ever(world: World) -> None:
    world.path.rename(world.folder / "real")
    world.path.symlink_to("real")
    world.host.perform(RefreshPool(Ref(STORAGE_POOL, world.pool)))
    world.host.perform(GrowVolume(world.volume, 1 << 21))
    world.host.perform(CloneVolume(Ref.volume(world.pool, "copy"), world.volume))
    world.host.perform(CreateSnapshot(world.machine.ref, "s"))


@pytest.mark.qemu
def test_what_a_machine_has_already_is_in_the_way_of_no_other_change(world: World) -> None:
    world.put(link)
    world.host.perform(replace(world.machine.define, xml=world.machine.xml.replace(">32<", ">48<")))
    with pytest.raises(Refused, match="as root"):
        world.host.perform(Start(world.machine.ref, paused=True))


@pytest.mark.qemu
def test_an_image_grows_only_where_it_keeps_its_data_itself(world: World) -> None:
    outside = world.folder.parent / f"{world.folder.name}.data"
    world.path.unlink()
    options = f"data_file={outside},data_file_raw=on"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-o", options, world.path, "1M"], check=True)
    try:
        world.host.perform(RefreshPool(Ref(STORAGE_POOL, world.pool)))
        with pytest.raises(OnggiError, match="keeps its data in another file"):
            world.host.perform(GrowVolume(world.volume, 1 << 30))
        assert outside.stat().st_size == 1 << 20
    finally:
        outside.unlink()


@pytest.mark.qemu
@pytest.mark.parametrize("base", ["/etc/shadow", 'json:{"driver":"file","filename":"/etc/shadow"}'])
def test_a_machine_isnt_started_with_an_image_that_another_user_has_exchanged(world: World, base: str) -> None:
    words = ["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw"]
    subprocess.run([*words, "-b", base, world.path, "1M"], check=True)
    with pytest.raises(Refused, match="others than root can write") as refused:
        world.host.perform(Start(world.machine.ref, paused=True))
    assert refused.value.reason == "UnsafeImage"


@pytest.mark.qemu
@pytest.mark.parametrize("where", ["a-volume", "a-file-of-theirs"])
def test_a_machine_is_started_with_what_another_user_may_refer_to(world: World, tmp_path: Path, where: str) -> None:
    base = (world.folder if where == "a-volume" else tmp_path) / "base"
    world.path.rename(base)
    os.chown(base, NOBODY, NOBODY)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, world.path], check=True)
    world.host.perform(RefreshPool(Ref(STORAGE_POOL, world.pool)))
    connections = Connections("qemu:///system", changed=lambda _ref: None, devices=lambda: None)
    try:
        check_exchanged(connections, Start(world.machine.ref))
    finally:
        connections.close()
