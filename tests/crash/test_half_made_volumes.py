"""What users of other tools met again and again: volumes that are half-made, busy pools, disks that QEMU can't open."""

from __future__ import annotations

import pwd
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import libvirt
import pytest

from tests.crash.fork_server import KILLED, ForkServer, Run
from tests.crash.lives import Lives
from tests.crash.world import clear
from tests.hostile.documents import pool, vm
from tests.hostile.private_libvirtd import PrivateLibvirtd
from tests.lab.repositories import Repository

HOG = (
    "<volume><name>hog</name><capacity unit='MiB'>48</capacity><allocation unit='MiB'>48</allocation>"
    "<target><format type='raw'/></target></volume>"
)


# dmacvicar/terraform-provider-libvirt#324: after a failure half-created volumes stay, and the next run trips over them.
@pytest.mark.parametrize(
    "boundary",
    [
        "between plan and apply",
        "after making a volume",
        "after making a volume, before its bytes",
        "after a piece of an upload",
        "after an upload",
        "before new volumes are shown",
    ],
)
def test_a_volume_whose_making_was_cut_off_is_made_again_whole(qemu_lives: Lives, boundary: str) -> None:
    assert qemu_lives.run("create", at_name=boundary).end == KILLED
    qemu_lives.finish(0, boundary)
    qemu_lives.check(0, None, boundary)


@pytest.mark.parametrize("boundary", ["after filling an image's file", "after naming an image's file"])
def test_an_image_that_is_written_past_libvirt_is_there_whole_or_not_at_all(
    libvirtd: PrivateLibvirtd,
    fork_server: ForkServer,
    pools_folder: Path,
    repository: Repository,
    tmp_path: Path,
    boundary: str,
) -> None:
    # libvirt makes the first image of a size; the others in that pool are copies of it.
    folder, names = pools_folder / "only", [f"vm{number}" for number in range(4)]
    disks = "[{name: root, size: 16MiB, pool: only}]"
    repository.commit({"pool.yaml": pool("only", folder)} | {f"{name}.yaml": vm(name, disks=disks) for name in names})
    where = (str(repository.path), "main", libvirtd.uri, str(tmp_path / "state"))
    connection = libvirt.open(libvirtd.uri)
    clear(connection, pools_folder)
    try:
        assert fork_server.run(Run(*where, at_name=boundary)).end == KILLED
        assert len({path.read_bytes() for path in folder.iterdir()}) == 1, "each that is there is whole"
        assert fork_server.run(Run(*where)).succeeded
        assert {path.name for path in folder.iterdir()} == {f"{name}-root.qcow2" for name in names}
        assert len({path.read_bytes() for path in folder.iterdir()}) == 1
        assert sorted(domain.name() for domain in connection.listAllDomains()) == names
    finally:
        clear(connection, pools_folder)
        connection.close()


@pytest.mark.parametrize(
    "boundary",
    ["before discarding a half-made volume", "after discarding a half-made volume", "before a recovery is noted"],
)
def test_a_recovery_that_was_cut_off_too_is_taken_up_again(qemu_lives: Lives, boundary: str) -> None:
    assert qemu_lives.run("create", at_name="after a piece of an upload").end == KILLED
    assert qemu_lives.run("create", at_name=boundary).end == KILLED
    qemu_lives.finish(0, boundary)
    qemu_lives.check(0, None, boundary)


# dmacvicar/terraform-provider-libvirt#16, virt-manager/virt-manager#104 and #498, Mirantis/virtlet#677:
# "pool has asynchronous jobs running" when several volumes are made at once.
def test_a_pool_in_which_somebody_else_makes_volumes_holds_nobody_up(qemu_lives: Lives, pools_folder: Path) -> None:
    qemu_lives.finish(0, "alone")
    with _jobs_in(qemu_lives.connect, "fast"), _jobs_in(qemu_lives.connect, "slow"):
        told = qemu_lives.run("edit")
    assert told.succeeded, told
    assert told.failed == ()
    qemu_lives.check(1, None, "beside somebody else's volumes")


@contextmanager
def _jobs_in(uri: str, pool: str) -> Iterator[None]:
    """Somebody who writes a large volume full, again and again, each a job of some time; in the end nothing stays."""
    over, began = threading.Event(), threading.Event()

    def work() -> None:
        connection = libvirt.open(uri)
        folder = connection.storagePoolLookupByName(pool)
        while not over.is_set():
            with suppress(libvirt.libvirtError):  # the other one may be the first
                began.set()
                folder.createXML(HOG).delete()
        with suppress(libvirt.libvirtError):
            folder.storageVolLookupByName("hog").delete()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert began.wait(60)
        yield
    finally:
        over.set()
        thread.join(60)


# dmacvicar/terraform-provider-libvirt#978, #1163, #658 and #546: volumes of root:root, which QEMU can't open.
def test_every_volume_belongs_to_who_qemu_runs_as_however_it_was_made(qemu_lives: Lives, pools_folder: Path) -> None:
    qemu_lives.finish(0, "undisturbed")
    files = [path for path in pools_folder.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert {pwd.getpwuid(path.stat().st_uid).pw_name for path in files} == {"libvirt-qemu"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
