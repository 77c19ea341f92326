"""What is in a volume: wiped, sent piece by piece, and never touched while a machine uses it."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import Cancelled, NotFound, OnggiError, Refused, Unsupported
from reconciler.hypervisor import Hypervisor
from reconciler.planning.one_off import RefreshPool, WipeVolume
from reconciler.planning.operations import GrowVolume, Start
from specs.reference import STORAGE_POOL, Ref
from tests.hypervisor.conftest import empty_volume, folder_pool, machine
from tests.lab.libvirtd import HostObjects

MIB = 1024 * 1024
USB = "<controller type='usb' model='qemu-xhci'/>"
DISK = (
    "<disk type='file'><driver name='qemu' type='{form}'/><source file='{path}'/><target dev='sda' bus='usb'/></disk>"
)


def pieces(content: bytes, size: int = 300_000) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def reason(error: pytest.ExceptionInfo[Refused]) -> str:
    return error.value.reason


@pytest.fixture
def target(qemu_host: Hypervisor, pool: str) -> Ref:
    """An empty raw volume of 1 GiB."""
    qemu_host.perform(empty_volume(pool, "upload.img", form="raw"))
    return Ref.volume(pool, "upload.img")


def used_by(host: Hypervisor, host_objects: HostObjects, path: Path, form: str) -> None:
    host.perform(machine(host_objects.name("user"), devices=USB + DISK.format(path=path, form=form)).define)


@pytest.mark.qemu
def test_pieces_of_an_upload_make_the_whole(qemu_host: Hypervisor, target: Ref, dir_pool_folder: Path) -> None:
    content = os.urandom(5 * MIB + 4321)
    for offset in range(0, len(content), 2 * MIB):
        part = content[offset : offset + 2 * MIB]
        qemu_host.upload(target, offset, len(part), pieces(part))
    with (dir_pool_folder / "upload.img").open("rb") as file:
        assert file.read(len(content)) == content
        assert not any(file.read(MIB))
        assert os.fstat(file.fileno()).st_size == 1 << 30


@pytest.mark.qemu
def test_a_piece_that_broke_off_is_sent_again(qemu_host: Hypervisor, target: Ref, dir_pool_folder: Path) -> None:
    content = os.urandom(3 * MIB)

    def breaking() -> Iterator[bytes]:
        yield content[MIB : MIB + 500_000]
        raise ConnectionError("the client is gone")

    qemu_host.upload(target, 0, MIB, pieces(content[:MIB]))
    with pytest.raises(ConnectionError):
        qemu_host.upload(target, MIB, 2 * MIB, breaking())
    qemu_host.upload(target, MIB, 2 * MIB, pieces(content[MIB:]))
    with (dir_pool_folder / "upload.img").open("rb") as file:
        assert file.read(len(content)) == content


@pytest.mark.qemu
def test_a_piece_of_zeros_and_one_over_what_was_there_are_whole_too(
    qemu_host: Hypervisor, target: Ref, dir_pool_folder: Path
) -> None:
    for content in (os.urandom(MIB), bytes(MIB), os.urandom(MIB)):
        qemu_host.upload(target, 0, MIB, [content])
        with (dir_pool_folder / "upload.img").open("rb") as file:
            assert file.read(MIB) == content


@pytest.mark.qemu
@pytest.mark.parametrize("sent", [0, MIB - 1, MIB + 1])
def test_another_size_than_announced_is_refused(qemu_host: Hypervisor, target: Ref, sent: int) -> None:
    with pytest.raises(Refused) as refused:
        qemu_host.upload(target, 0, MIB, pieces(b"x" * sent))
    assert reason(refused) == "SizeMismatch"


@pytest.mark.qemu
def test_nothing_is_written_beyond_the_capacity(qemu_host: Hypervisor, target: Ref, dir_pool_folder: Path) -> None:
    with pytest.raises(Refused) as refused:
        qemu_host.upload(target, (1 << 30) - 10, 11, [b"x" * 11])
    assert reason(refused) == "BeyondCapacity"
    with pytest.raises(Refused) as refused:
        qemu_host.upload(target, MIB, MIB, [b"x" * MIB], capacity=MIB)
    assert reason(refused) == "BeyondCapacity"
    assert (dir_pool_folder / "upload.img").stat().st_blocks == 0


@pytest.mark.qemu
@pytest.mark.parametrize("first", [10, 600, 200_000])
def test_an_image_that_names_a_file_of_the_host_is_refused_in_whatever_pieces_it_comes(
    qemu_host: Hypervisor, target: Ref, tmp_path: Path, dir_pool_folder: Path, first: int
) -> None:
    image = tmp_path / "evil.qcow2"
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", "/etc/shadow", "-F", "raw", "-u", image, "64M"], check=True
    )
    content = image.read_bytes()
    with pytest.raises(Refused, match=r"/etc/shadow|can't be read") as refused:
        for offset in (0, first):
            part = content[offset : first if not offset else None]
            if part:
                qemu_host.upload(target, offset, len(part), [part])
    assert reason(refused) == "UnsafeImage"
    assert b"/etc/shadow" not in (dir_pool_folder / "upload.img").read_bytes()[:MIB]


@pytest.mark.qemu
def test_an_honest_image_in_pieces_becomes_one(qemu_host: Hypervisor, target: Ref, tmp_path: Path) -> None:
    image = tmp_path / "good.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "3G"], check=True)
    content = image.read_bytes()
    for offset in range(0, len(content), 50_000):
        part = content[offset : offset + 50_000]
        qemu_host.upload(target, offset, len(part), [part], capacity=1 << 30)
    qemu_host.perform(RefreshPool(Ref(STORAGE_POOL, target.pool)))
    details = qemu_host.observe(None, None).objects[target].details
    assert (details["format"], details["capacity"]) == ("qcow2", 3 << 30)


@pytest.mark.qemu
def test_a_full_disk_is_told(qemu_host: Hypervisor, host_objects: HostObjects, dir_pool_folder: Path) -> None:
    small = dir_pool_folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small], check=True)
    try:
        made = folder_pool(host_objects.name("small"), small)
        qemu_host.perform(made.define)
        qemu_host.perform(Start(made.ref))
        qemu_host.perform(empty_volume(made.ref.name, "v", form="raw"))
        volume = Ref.volume(made.ref.name, "v")
        with pytest.raises(OnggiError, match=r"full|space"):
            for offset in range(0, 4 * MIB, MIB):
                qemu_host.upload(volume, offset, MIB, pieces(os.urandom(MIB)))
        host_objects.remove_all()
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.qemu
def test_two_uploads_to_one_volume_do_not_mix(qemu_host: Hypervisor, target: Ref) -> None:
    under_way, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[bytes]:
        yield b"x" * 100
        under_way.set()
        assert go_on.wait(60)
        yield b"x" * 100

    first = threading.Thread(target=lambda: qemu_host.upload(target, 0, 200, slow()))
    first.start()
    assert under_way.wait(60)
    # The first piece's header is looked at before it is written, so that nothing has arrived yet.
    with pytest.raises(Refused) as refused:
        qemu_host.upload(target, 0, 200, [b"y" * 200])
    go_on.set()
    first.join()
    assert reason(refused) == "UploadUnderWay"
    qemu_host.upload(target, 0, 200, [b"y" * 200])


@pytest.mark.qemu
def test_an_upload_ends_when_the_agent_does(qemu_host: Hypervisor, target: Ref) -> None:
    stop = threading.Event()

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * MIB
            stop.set()

    with pytest.raises(Cancelled):
        qemu_host.upload(target, 0, 1 << 30, endless(), stop)


@pytest.mark.qemu
@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_a_wiped_volume_holds_zeros_and_is_still_a_disk(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, form: str
) -> None:
    ref, path = Ref.volume(pool, "data"), dir_pool_folder / "data"
    qemu_host.perform(empty_volume(pool, "data", form=form))
    subprocess.run(["qemu-io", "-f", form, "-c", "write -P 7 1M 8M", path], check=True, capture_output=True)
    qemu_host.perform(WipeVolume(ref))
    details = qemu_host.observe(None, None).objects[ref].details
    assert (details["format"], details["capacity"]) == (form, 1 << 30)
    assert details["allocation"] < MIB
    done = subprocess.run(["qemu-io", "-f", form, "-c", "read -P 0 0 16M", path], capture_output=True, text=True)
    assert "Pattern verification failed" not in done.stdout + done.stderr
    assert b"\x07" * 512 not in path.read_bytes()[: 16 * MIB]


@pytest.mark.qemu
def test_what_a_machine_or_another_volume_uses_is_left_alone(
    qemu_host: Hypervisor, host_objects: HostObjects, pool: str, dir_pool_folder: Path
) -> None:
    for name in ("root", "base"):
        qemu_host.perform(empty_volume(pool, name))
    base = f"<backingStore><path>{dir_pool_folder / 'base'}</path><format type='qcow2'/></backingStore>"
    qemu_host.perform(empty_volume(pool, "overlay", base=base))
    used_by(qemu_host, host_objects, dir_pool_folder / "root", "qcow2")
    before = {name: (dir_pool_folder / name).read_bytes() for name in ("root", "base")}
    for name in ("root", "base"):
        with pytest.raises(Refused) as refused:
            qemu_host.perform(WipeVolume(Ref.volume(pool, name)))
        assert reason(refused) == "VolumeInUse"
        with pytest.raises(Refused) as refused:
            qemu_host.upload(Ref.volume(pool, name), 0, 5, [b"hello"])
        assert reason(refused) == "VolumeInUse"
    assert before == {name: (dir_pool_folder / name).read_bytes() for name in ("root", "base")}


@pytest.mark.qemu
def test_a_volume_is_not_shrunk(qemu_host: Hypervisor, target: Ref) -> None:
    with pytest.raises(Refused) as refused:
        qemu_host.perform(GrowVolume(target, MIB))
    assert reason(refused) == "ShrinkRefused"


@pytest.mark.qemu
def test_a_refreshed_pool_shows_what_was_put_there(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    (dir_pool_folder / "by-hand.img").write_bytes(bytes(MIB))
    qemu_host.perform(RefreshPool(Ref(STORAGE_POOL, pool)))
    assert qemu_host.present([Ref.volume(pool, "by-hand.img")])


def test_a_pool_that_is_not_active_is_not_refreshed(test_host: Hypervisor, tmp_path: Path) -> None:
    made = folder_pool("images", tmp_path)
    test_host.perform(made.define)
    with pytest.raises(Refused) as refused:
        test_host.perform(RefreshPool(made.ref))
    assert reason(refused) == "PoolInactive"
    test_host.perform(Start(made.ref))
    test_host.perform(RefreshPool(made.ref))


def test_the_test_driver_says_what_it_cannot(test_host: Hypervisor, tmp_path: Path) -> None:
    made = folder_pool("images", tmp_path)
    test_host.perform(made.define)
    test_host.perform(Start(made.ref))
    test_host.perform(empty_volume("images", "v"))
    with pytest.raises(Unsupported, match="qemu:///system"):
        test_host.upload(Ref.volume("images", "v"), 0, 1, [b"x"])
    with pytest.raises(Unsupported):
        test_host.perform(WipeVolume(Ref.volume("images", "v")))
    with pytest.raises(NotFound):
        test_host.perform(WipeVolume(Ref.volume("images", "gone")))
