"""A disk runs full, under a pool or under the state: said, nothing half-made is left, and room is all that it takes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash import world
from tests.crash.fork_server import BALLAST
from tests.crash.life import CHAPTERS
from tests.crash.lives import Lives, spread


@pytest.fixture(scope="module")
def pools_folder(pools_folder: Path) -> Iterator[Path]:
    """On a file system of its own, whose size can be changed."""
    user = "uid=libvirt-qemu,gid=kvm,mode=0755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=64m,{user}", "tmpfs", pools_folder], check=True)
    yield pools_folder
    subprocess.run(["umount", pools_folder], check=True)


@pytest.fixture
def small_state(qemu_lives: Lives) -> Iterator[Path]:
    qemu_lives.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", qemu_lives.state], check=True)
    yield qemu_lives.state
    subprocess.run(["umount", qemu_lives.state], check=True)


def resize(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


@pytest.mark.parametrize("kib", [64, 260, 500, 1000, 2000, 4000])
def test_a_full_pool_leaves_only_whole_objects_and_goes_on_with_more_room(
    qemu_lives: Lives, pools_folder: Path, kib: int
) -> None:
    resize(pools_folder, f"{kib}k")
    try:
        told = qemu_lives.run("create")
        assert not told.succeeded
        assert told.failed
        expected = qemu_lives.chapters[0].world
        # Nobody has written into the disks yet.
        written = {f"file {path.relative_to(pools_folder)}" for path in qemu_lives.written()}
        found = qemu_lives.look()
        unlike = [name for name in found if name not in written and found[name] != expected.get(name)]
        assert not unlike, f"half-made in {kib} KiB: {unlike}"
    finally:
        resize(pools_folder, "64m")
    qemu_lives.finish(0, f"with {kib} KiB at first")
    qemu_lives.check(0, None, f"with {kib} KiB at first")


@pytest.mark.timeout(600)
def test_a_state_that_fills_up_at_any_boundary_costs_nothing_but_a_second_start(
    qemu_lives: Lives, small_state: Path
) -> None:
    lives = qemu_lives
    for life in range(6):
        for file in small_state.iterdir():
            file.unlink()
        for place, name in enumerate(CHAPTERS):
            before = lives.history(place)
            at = spread(lives.boundaries[place], 6, life)
            what = f"{name}, the state full from boundary {at} on"
            lives.run(name, at=at, fill=str(small_state))
            (small_state / BALLAST).unlink(missing_ok=True)
            lives.finish(place, what)
            lives.check(place, before, what)
        world.clear(lives.connection, lives.folder)
        lives.chosen = {}
