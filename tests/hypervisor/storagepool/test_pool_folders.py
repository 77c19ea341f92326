"""What tells of files in pools' folders, and what has to be asked for a look because nobody tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.hypervisor.storagepool import watched_folders as pool_folders
from reconciler.hypervisor.storagepool.watched_folders import PoolFolders
from reconciler.observed.snapshot import Observed, Snapshot
from specs.host import Host
from specs.reference import Ref
from tests.lab.waiting import until

POOL = Ref("StoragePool", "images")


class Seen:
    """A host with one pool, and what was told of it."""

    def __init__(self, folder: Path, uri: str = "qemu:///system") -> None:
        self.folder = folder
        self.known: list[str] = []
        self.told: list[Ref] = []
        self.outdated: list[str] = []
        self.folders = PoolFolders(uri, snapshot=self.snapshot, outdated=self.outdated.append, changed=self.told.append)

    def snapshot(self) -> Snapshot:
        volumes = [Ref.volume("images", name) for name in self.known]
        objects = {ref: Observed(ref, "", "<volume/>", state="active", details={"allocation": 0}) for ref in volumes}
        pool = Observed(POOL, "u", "<pool/>", state="active")
        return Snapshot(1, Host(pool_paths={"images": str(self.folder)}), {POOL: pool, **objects})


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[Seen]:
    folder = tmp_path / "images"
    folder.mkdir()
    made = Seen(folder)
    yield made
    made.folders.close()


def test_a_folder_of_this_machine_tells_by_itself(seen: Seen) -> None:
    seen.folders.follow(seen.snapshot())
    assert seen.folders.tells("images")
    (seen.folder / "new.iso").touch()
    until(lambda: seen.told == [POOL], 60, "the pool is looked at")
    assert not seen.folders.tells("another")


def test_a_folder_in_its_place_does_not(seen: Seen) -> None:
    seen.folders.follow(seen.snapshot())
    seen.folder.rename(seen.folder.with_name("before"))
    assert not seen.folders.tells("images")
    seen.folder.mkdir()
    assert not seen.folders.tells("images")


def test_nor_does_one_that_other_machines_write_to(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_folders, "is_shared", lambda _folder: True)
    seen.folders.follow(seen.snapshot())
    assert not seen.folders.tells("images")


def test_a_look_finds_what_came_and_what_went_and_what_was_written(seen: Seen) -> None:
    seen.known = ["gone.iso", "same.iso", "written.iso"]
    for name in ("same.iso", "new.iso"):
        (seen.folder / name).touch()
    (seen.folder / "written.iso").write_bytes(bytes(1 << 16))
    assert seen.folders.look("images")
    assert seen.outdated == ["images"]
    assert seen.told == [POOL, Ref.volume("images", "written.iso")]
    seen.told.clear()
    seen.outdated.clear()
    seen.known = ["same.iso", "new.iso"]
    (seen.folder / "written.iso").unlink()
    assert seen.folders.look("images")
    assert seen.told == seen.outdated == []


def test_what_cannot_be_looked_into_is_left_to_libvirt(tmp_path: Path, seen: Seen) -> None:
    assert not seen.folders.look("another")
    elsewhere = Seen(tmp_path, "qemu+ssh://elsewhere/system")
    assert not elsewhere.folders.look("images"), "a folder of the same path here is another one"
    seen.folder.rmdir()
    assert not seen.folders.look("images")
