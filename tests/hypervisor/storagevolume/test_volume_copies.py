"""A copy of a volume is whole and independent, or it isn't there."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

import libvirt
import pytest

from reconciler.applying.executor import Executor
from reconciler.errors import Cancelled, Conflict, NotFound, Refused, Terminal
from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.storagevolume.commands import VolumeCommands
from reconciler.ledger.ledger import Ledger
from reconciler.planning.one_off import CloneVolume
from reconciler.planning.operations import Start, Stop
from reconciler.planning.plan import Action, Plan, one_off_step
from reconciler.status.outcome import Result
from specs.reference import Ref
from tests.hypervisor.conftest import empty_volume, folder_pool, machine
from tests.lab.libvirtd import HostObjects
from tests.lab.waiting import until

USB = "<controller type='usb' model='qemu-xhci'/>"
DISK = "<disk type='file'><driver name='qemu' type='qcow2'/><source file='{}'/><target dev='sda' bus='usb'/></disk>"


def info(path: Path) -> dict[str, object]:
    done = subprocess.run(["qemu-img", "info", "-U", "--output=json", path], capture_output=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def write(path: Path, form: str, where: str = "1M 2M") -> None:
    command = ["qemu-io", "-f", form, "-c", f"write -P 9 {where}", path]
    subprocess.run(command, check=True, capture_output=True)


def same(one: Path, other: Path, *forms: str) -> bool:
    command = ["qemu-img", "compare", "-q", "-f", forms[0], "-F", forms[-1], one, other]
    return subprocess.run(command).returncode == 0


@pytest.mark.qemu
@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_a_copy_holds_the_same_in_the_same_format(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, form: str
) -> None:
    qemu_host.perform(empty_volume(pool, "a", form=form))
    write(dir_pool_folder / "a", form)
    told: list[tuple[int, int | None]] = []
    qemu_host.perform(
        CloneVolume(Ref.volume(pool, "b"), Ref.volume(pool, "a")), progress=lambda *each: told.append(each)
    )
    assert same(dir_pool_folder / "a", dir_pool_folder / "b", form)
    details = qemu_host.observe(None, None).objects[Ref.volume(pool, "b")].details
    assert (details["format"], details["capacity"], details["backing"]) == (form, 1 << 30, "")
    assert told and told[-1][0] == told[-1][1]


@pytest.mark.qemu
def test_a_copy_may_be_larger_and_in_another_pool(
    qemu_host: Hypervisor, host_objects: HostObjects, pool: str, dir_pool_folder: Path
) -> None:
    folder = dir_pool_folder / "other"
    folder.mkdir()
    other = folder_pool(host_objects.name("other"), folder)
    qemu_host.perform(other.define)
    qemu_host.perform(Start(other.ref))
    qemu_host.perform(empty_volume(pool, "a"))
    write(dir_pool_folder / "a", "qcow2")
    qemu_host.perform(CloneVolume(Ref.volume(other.ref.name, "a"), Ref.volume(pool, "a"), 2 << 30))
    assert info(folder / "a")["virtual-size"] == 2 << 30
    assert same(dir_pool_folder / "a", folder / "a", "qcow2")
    host_objects.remove_all()


@pytest.mark.qemu
def test_a_copy_needs_no_backing_file(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    qemu_host.perform(empty_volume(pool, "base"))
    write(dir_pool_folder / "base", "qcow2")
    base = f"<backingStore><path>{dir_pool_folder / 'base'}</path><format type='qcow2'/></backingStore>"
    qemu_host.perform(empty_volume(pool, "overlay", base=base))
    write(dir_pool_folder / "overlay", "qcow2", "5M 1M")
    qemu_host.perform(CloneVolume(Ref.volume(pool, "copy"), Ref.volume(pool, "overlay")))
    assert "backing-filename" not in info(dir_pool_folder / "copy")
    assert same(dir_pool_folder / "overlay", dir_pool_folder / "copy", "qcow2")


@pytest.mark.qemu
def test_an_image_that_names_a_file_of_the_host_is_not_copied(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, pool: str, dir_pool_folder: Path
) -> None:
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", "/etc/shadow", "-F", "raw", "-u"]
    subprocess.run([*command, dir_pool_folder / "evil", "64M"], check=True)
    qemu_connection.storagePoolLookupByName(pool).refresh()
    with pytest.raises(Terminal, match="/etc/shadow"):
        qemu_host.perform(CloneVolume(Ref.volume(pool, "loot"), Ref.volume(pool, "evil")))
    assert not (dir_pool_folder / "loot").exists()


@pytest.mark.qemu
def test_what_a_running_machine_writes_to_is_not_copied(
    qemu_host: Hypervisor, host_objects: HostObjects, pool: str, dir_pool_folder: Path
) -> None:
    qemu_host.perform(empty_volume(pool, "root"))
    made = machine(host_objects.name("web"), devices=USB + DISK.format(dir_pool_folder / "root"))
    qemu_host.perform(made.define)
    qemu_host.perform(Start(made.ref, paused=True))
    copy = CloneVolume(Ref.volume(pool, "copy"), Ref.volume(pool, "root"))
    with pytest.raises(Refused, match=made.ref.name) as refused:
        qemu_host.perform(copy)
    assert refused.value.reason == "VolumeInUse"
    qemu_host.perform(Stop(made.ref, timeout_s=0, force=True))
    qemu_host.perform(copy)
    assert (dir_pool_folder / "copy").exists()


@pytest.mark.qemu
def test_a_smaller_copy_is_refused(qemu_host: Hypervisor, pool: str) -> None:
    qemu_host.perform(empty_volume(pool, "a"))
    with pytest.raises(Refused) as refused:
        qemu_host.perform(CloneVolume(Ref.volume(pool, "b"), Ref.volume(pool, "a"), 1000))
    assert refused.value.reason == "ShrinkRefused"


@pytest.mark.qemu
def test_volumes_made_beside_a_copy_show_at_once(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    qemu_host.perform(empty_volume(pool, "prototype"))
    qemu_host.perform(empty_volume(pool, "big", form="raw"))
    with (dir_pool_folder / "big").open("r+b") as file:
        for _ in range(1024):
            file.write(b"x" * (1 << 20))
    copying = threading.Thread(
        target=lambda: qemu_host.perform(CloneVolume(Ref.volume(pool, "copy"), Ref.volume(pool, "big")))
    )
    copying.start()
    until(lambda: (dir_pool_folder / "copy").exists(), 60, "the copy begins", every_s=0.01)
    qemu_host.perform(empty_volume(pool, "beside"))
    seen = qemu_host.observe(None, None).objects
    if copying.is_alive():
        assert Ref.volume(pool, "copy") not in seen  # not before it is whole
    details = seen[Ref.volume(pool, "beside")].details
    assert (details["format"], details["capacity"]) == ("qcow2", 1 << 30)
    copying.join()
    assert Ref.volume(pool, "copy") in qemu_host.observe(None, None).objects


@pytest.mark.qemu
def test_a_copy_that_nobody_waits_for_any_more_is_removed(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path
) -> None:
    qemu_host.perform(empty_volume(pool, "big", form="raw"))
    with (dir_pool_folder / "big").open("r+b") as file:
        for _ in range(1024):
            file.write(b"x" * (1 << 20))
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        qemu_host.perform(CloneVolume(Ref.volume(pool, "copy"), Ref.volume(pool, "big")), stop=stop)
    until(
        lambda: (
            not qemu_host._commands().of(VolumeCommands).volumes._copies[pool]
            and not (dir_pool_folder / "copy").exists()
        ),
        60,
        "it is removed",
    )


@pytest.mark.qemu
def test_a_copy_goes_through_the_executor_and_leaves_no_intent(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, tmp_path: Path
) -> None:
    ledger = Ledger.open(tmp_path)
    executor = Executor(qemu_host, ledger)
    qemu_host.perform(empty_volume(pool, "a"))
    ref = Ref.volume(pool, "b")
    step = one_off_step(ref, "a copy was asked for", CloneVolume(ref, Ref.volume(pool, "a")), action=Action.CREATE)

    def apply() -> Result:
        return executor.apply(Plan("", (step,)), stop=threading.Event())[0].result

    assert apply() is Result.CREATED
    assert apply() is Result.FAILED
    assert ledger.intents.unfinished() == ()
    assert (dir_pool_folder / "b").exists()
    ledger.close()


def test_a_name_that_is_taken_or_a_source_that_is_gone_is_told(test_host: Hypervisor, tmp_path: Path) -> None:
    made = folder_pool("images", tmp_path)
    test_host.perform(made.define)
    test_host.perform(Start(made.ref))
    source = Ref.volume("images", "a")
    test_host.perform(empty_volume("images", "a"))
    test_host.perform(CloneVolume(Ref.volume("images", "b"), source, 2 << 30))
    assert test_host.observe(None, None).objects[Ref.volume("images", "b")].details["capacity"] >= 1 << 30
    with pytest.raises(Conflict, match="exists already"):
        test_host.perform(CloneVolume(Ref.volume("images", "b"), source))
    with pytest.raises(NotFound):
        test_host.perform(CloneVolume(Ref.volume("images", "c"), Ref.volume("images", "gone")))
    with pytest.raises(NotFound):
        test_host.perform(CloneVolume(Ref.volume("nowhere", "c"), source))
