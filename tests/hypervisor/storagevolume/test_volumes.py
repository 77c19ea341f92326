"""Volumes are made whole or not at all, never over another, and what a header refers to is looked at first."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from reconciler.errors import Conflict, NotFound, OnggiError, Terminal
from reconciler.hypervisor import Hypervisor
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import CreateVolume, DeleteVolume, GrowVolume, Start, Stop
from specs.reference import STORAGE_POOL, Ref
from tests.hypervisor.conftest import empty_volume, folder_pool, machine
from tests.lab.libvirtd import HostObjects

USB = "<controller type='usb' model='qemu-xhci'/>"


@pytest.fixture(params=[True, False], ids=["written here", "uploaded"])
def qemu_host(request: pytest.FixtureRequest, qemu_system: str) -> Iterator[Hypervisor]:
    """The real host, with both ways of putting ready-made images into a pool."""
    hypervisor = Hypervisor(qemu_system, write_here=request.param)
    yield hypervisor
    hypervisor.close()


def image_info(path: Path) -> dict[str, object]:
    done = subprocess.run(["qemu-img", "info", "-U", "--output=json", path], capture_output=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def seen(hypervisor: Hypervisor, ref: Ref) -> Observed:
    return hypervisor.observe(None, None).objects[ref]


def backed_by(path: Path, form: str = "qcow2") -> str:
    return f"<backingStore><path>{path}</path><format type='{form}'/></backingStore>"


def qcow2(path: Path, *, base: str = "", options: str = "") -> None:
    more = ["-b", base, "-F", "raw", "-u"] if base else []
    size = [] if options else ["64M"]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *more, *options.split(), path, *size], check=True)


def test_the_second_empty_image_equals_the_first_that_libvirt_made(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path
) -> None:
    for name in ("first", "second", "third"):
        qemu_host.perform(empty_volume(pool, name, gib=3))
    qemu_host.settle()
    first, second = dir_pool_folder / "first", dir_pool_folder / "second"
    assert second.read_bytes() == first.read_bytes()
    for name in ("second", "third"):
        path = dir_pool_folder / name
        subprocess.run(["qemu-img", "check", "-q", path], check=True)
        found, model = path.stat(), first.stat()
        assert (found.st_uid, found.st_gid, found.st_mode) == (model.st_uid, model.st_gid, model.st_mode)
    snapshot = qemu_host.observe(None, None)
    details = [dict(snapshot.objects[Ref.volume(pool, name)].details) for name in ("first", "second", "third")]
    for each in details:
        each.pop("path"), each.pop("allocation")
    assert details[0] == details[1] == details[2]
    assert details[0]["format"] == "qcow2"
    assert details[0]["capacity"] == 3 << 30


def test_a_ready_made_image_shows_only_as_what_it_is(qemu_host: Hypervisor, pool: str) -> None:
    for name in ("first", "second"):
        qemu_host.perform(empty_volume(pool, name))
    # No settling in between: observing does it, and until then such a volume would look raw and tiny.
    details = seen(qemu_host, Ref.volume(pool, "second")).details
    assert (details["format"], details["capacity"]) == ("qcow2", 1 << 30)


def test_owner_and_mode_are_as_declared(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    permissions = "<permissions><mode>0640</mode><owner>64055</owner><group>107</group></permissions>"
    qemu_host.perform(empty_volume(pool, "prototype"))
    operation = empty_volume(pool, "ready-made")
    xml = operation.xml.replace("<format type='qcow2'/>", f"<format type='qcow2'/>{permissions}")
    qemu_host.perform(CreateVolume(operation.ref, xml))
    found = (dir_pool_folder / "ready-made").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (64055, 107, 0o640)


@pytest.mark.parametrize("form", ["qcow2", "raw"])
def test_a_volume_that_exists_is_never_overwritten(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, form: str
) -> None:
    (dir_pool_folder / "unseen").write_bytes(b"theirs")  # libvirt doesn't know of it
    qemu_host.perform(CreateVolume(Ref.volume(pool, "known"), "<volume><name>known</name></volume>", content=b"ours"))
    qemu_host.perform(empty_volume(pool, "prototype"))
    with pytest.raises(Conflict, match="exists already"):
        qemu_host.perform(empty_volume(pool, "known", form=form))
    with pytest.raises(Conflict):
        qemu_host.perform(CreateVolume(Ref.volume(pool, "known"), "<volume><name>known</name></volume>", content=b"x"))
    with pytest.raises(OnggiError):
        qemu_host.perform(empty_volume(pool, "unseen", form=form))
    assert (dir_pool_folder / "known").read_bytes() == b"ours"
    assert (dir_pool_folder / "unseen").read_bytes() == b"theirs"


def test_a_file_that_was_deleted_behind_the_pool_is_made_again(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path
) -> None:
    qemu_host.perform(empty_volume(pool, "prototype"))
    made = [
        CreateVolume(Ref.volume(pool, "bytes"), "<volume><name>bytes</name></volume>", content=b"ours"),
        empty_volume(pool, "image"),
        empty_volume(pool, "plain", form="raw"),
    ]
    for each in made:
        qemu_host.perform(each)
    qemu_host.settle()
    for each in made:
        (dir_pool_folder / each.ref.short_name).unlink()
        qemu_host.perform(each)
    assert (dir_pool_folder / "bytes").read_bytes() == b"ours"
    (dir_pool_folder / "plain").unlink()
    qemu_host.perform(DeleteVolume(Ref.volume(pool, "plain")))
    assert qemu_host.observe(None, None).objects.keys() >= {each.ref for each in made[:2]}


@pytest.mark.parametrize("form", ["qcow2", "raw"])
def test_a_file_that_appeared_is_told_and_then_seen(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, form: str
) -> None:
    qemu_host.perform(empty_volume(pool, "prototype"))
    (dir_pool_folder / "theirs").write_bytes(bytes(1024))
    with pytest.raises(Conflict, match="exists already"):
        qemu_host.perform(empty_volume(pool, "theirs", form=form))
    assert (dir_pool_folder / "theirs").read_bytes() == bytes(1024)
    assert Ref.volume(pool, "theirs") in qemu_host.observe(None, None).objects


def test_given_bytes_become_a_volume(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    content = os.urandom(700_001)
    ref = Ref.volume(pool, "seed.iso")
    qemu_host.perform(CreateVolume(ref, empty_volume(pool, "seed.iso", form="raw").xml, content=content))
    assert (dir_pool_folder / "seed.iso").read_bytes() == content
    assert seen(qemu_host, ref).details["capacity"] == len(content)


def test_given_bytes_without_upload_leave_a_volume_of_their_size(test_host: Hypervisor, tmp_path: Path) -> None:
    images = folder_pool("images", tmp_path)
    test_host.perform(images.define)
    test_host.perform(Start(images.ref))
    ref = Ref.volume("images", "seed.iso")
    test_host.perform(CreateVolume(ref, empty_volume("images", "seed.iso", form="raw").xml, content=b"x" * 4096))
    assert seen(test_host, ref).details["capacity"] == 4096


def test_many_volumes_at_once_in_one_pool(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    names = [f"vol-{number}" for number in range(24)]
    problems: list[BaseException] = []

    def make(name: str) -> None:
        try:
            qemu_host.perform(empty_volume(pool, name))
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=make, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    objects = qemu_host.observe(None, None).objects
    assert {objects[Ref.volume(pool, name)].details["format"] for name in names} == {"qcow2"}
    assert {each.name for each in dir_pool_folder.iterdir()} == set(names)


def test_a_volume_grows_and_never_shrinks(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    ref = Ref.volume(pool, "data")
    qemu_host.perform(empty_volume(pool, "data"))
    for _ in range(2):
        qemu_host.perform(GrowVolume(ref, 2 << 30))
    assert image_info(dir_pool_folder / "data")["virtual-size"] == 2 << 30
    with pytest.raises(Terminal, match="isn't shrunk"):
        qemu_host.perform(GrowVolume(ref, 1 << 30))
    assert seen(qemu_host, ref).details["capacity"] == 2 << 30


def test_a_volume_grows_in_the_machine_that_runs_with_it(
    qemu_host: Hypervisor,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    pool: str,
    dir_pool_folder: Path,
) -> None:
    ref = Ref.volume(pool, "data")
    qemu_host.perform(empty_volume(pool, "data"))
    disk = f"""<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
      <source file='{dir_pool_folder}/data'/><target dev='vda' bus='virtio'/></disk>"""
    web = machine(host_objects.name("web"), devices=disk)
    qemu_host.perform(web.define)
    qemu_host.perform(Start(web.ref, paused=True))
    for _ in range(2):
        qemu_host.perform(GrowVolume(ref, 2 << 30, in_use_by=web.ref, target="vda"))
    assert qemu_connection.lookupByName(web.ref.name).blockInfo("vda")[0] == 2 << 30
    assert seen(qemu_host, ref).details["capacity"] == 2 << 30
    qemu_host.perform(Stop(web.ref, force=True))
    qemu_host.perform(GrowVolume(ref, 3 << 30, in_use_by=web.ref, target="vda"))  # it went off meanwhile
    assert image_info(dir_pool_folder / "data")["virtual-size"] == 3 << 30


def test_deleting_is_done_once_and_is_fine_twice(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    ref = Ref.volume(pool, "data")
    qemu_host.perform(empty_volume(pool, "data"))
    for _ in range(2):
        qemu_host.perform(DeleteVolume(ref))
    qemu_host.perform(DeleteVolume(Ref.volume("no-such-pool", "data")))
    assert list(dir_pool_folder.iterdir()) == []


def test_a_pool_that_is_missing_or_off_is_told(qemu_host: Hypervisor, pool: str, host_objects: HostObjects) -> None:
    with pytest.raises(NotFound, match="StoragePool/no-such-pool"):
        qemu_host.perform(empty_volume("no-such-pool", "data"))
    qemu_host.perform(Stop(Ref(STORAGE_POOL, pool)))
    with pytest.raises(Terminal, match="not active"):
        qemu_host.perform(empty_volume(pool, "data"))


def test_a_volume_on_a_good_base_image(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    qemu_host.perform(empty_volume(pool, "base"))
    qemu_host.perform(empty_volume(pool, "middle", base=backed_by(dir_pool_folder / "base")))
    qemu_host.perform(empty_volume(pool, "top", base=backed_by(dir_pool_folder / "middle")))
    assert seen(qemu_host, Ref.volume(pool, "top")).details["backing"] == str(dir_pool_folder / "middle")


def test_a_base_image_that_reads_another_file_of_the_host_is_refused(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path
) -> None:
    qcow2(dir_pool_folder / "evil", base="/etc/passwd")
    qcow2(dir_pool_folder / "deep", base=str(dir_pool_folder / "evil"))
    subprocess.run(
        [
            "qemu-img",
            "rebase",
            "-u",
            "-f",
            "qcow2",
            "-F",
            "qcow2",
            "-b",
            dir_pool_folder / "evil",
            dir_pool_folder / "deep",
        ],
        check=True,
    )
    qemu_host.perform(CreateVolume(Ref.volume(pool, "x"), "<volume><name>x</name></volume>", content=b"x"))
    (dir_pool_folder / "plain").write_bytes(b"\0" * 65536)
    refresh(qemu_host, pool)
    for base in ("evil", "deep"):
        with pytest.raises(Terminal, match=r"evil isn't used: .*/etc/passwd"):
            qemu_host.perform(empty_volume(pool, "top", base=backed_by(dir_pool_folder / base)))
    assert not (dir_pool_folder / "top").exists()


def refresh(hypervisor: Hypervisor, pool: str) -> None:
    connection = libvirt.open(hypervisor.uri)
    connection.storagePoolLookupByName(pool).refresh()
    connection.close()


def test_a_base_image_with_its_data_elsewhere_is_refused(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path
) -> None:
    secret = dir_pool_folder / "elsewhere"
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={secret}", dir_pool_folder / "evil", "64M"]
    subprocess.run(command, check=True)
    refresh(qemu_host, pool)
    with pytest.raises(Terminal, match="keeps its data in another file"):
        qemu_host.perform(empty_volume(pool, "top", base=backed_by(dir_pool_folder / "evil")))


def test_a_base_image_outside_every_pool_is_refused(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    for form in ("qcow2", "raw"):
        with pytest.raises(Terminal, match="no volume of an active pool"):
            qemu_host.perform(empty_volume(pool, "top", base=backed_by(Path("/etc/passwd"), form)))
    assert not (dir_pool_folder / "top").exists()


def test_a_raw_base_may_hold_anything(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    qcow2(dir_pool_folder / "looks-like-qcow2", base="/etc/passwd")
    refresh(qemu_host, pool)
    qemu_host.perform(empty_volume(pool, "top", base=backed_by(dir_pool_folder / "looks-like-qcow2", "raw")))
    assert image_info(dir_pool_folder / "top")["backing-filename-format"] == "raw"


def test_what_a_killed_run_left_is_removed_unless_somebody_refers_to_it(
    qemu_host: Hypervisor, host_objects: HostObjects, pool: str, dir_pool_folder: Path
) -> None:
    for name in ("half", "by-path", "by-name", "base"):
        qemu_host.perform(empty_volume(pool, name))
    qemu_host.perform(empty_volume(pool, "top", base=backed_by(dir_pool_folder / "base")))
    disks = f"""<disk type='file' device='disk'><source file='{dir_pool_folder}/by-path'/><target dev='vda'/></disk>
      <disk type='volume' device='disk'><source pool='{pool}' volume='by-name'/><target dev='vdb'/></disk>"""
    qemu_host.perform(machine(host_objects.name("web"), devices=disks).define)
    assert qemu_host.discard_unfinished(Ref.volume(pool, "half"))
    assert not qemu_host.discard_unfinished(Ref.volume(pool, "half"))
    for name in ("by-path", "by-name", "base"):
        assert not qemu_host.discard_unfinished(Ref.volume(pool, name))
    assert {each.name for each in dir_pool_folder.iterdir()} == {"by-path", "by-name", "base", "top"}
