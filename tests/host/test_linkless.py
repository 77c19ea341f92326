"""A path without links is opened in one call; every other one isn't."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from reconciler.host.linkless import open_without_links

LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "folder"
    folder.mkdir()
    (folder / "file").write_bytes(b"image")
    (folder.parent / "link").symlink_to("folder")
    (folder / "link").symlink_to("file")
    return folder


def opened(path: str) -> os.stat_result | None:
    descriptor = open_without_links(path, LOOK)
    if descriptor is None:
        return None
    try:
        assert not os.get_inheritable(descriptor)
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def test_what_is_reached_without_a_link_is_opened(folder: Path) -> None:
    for path in (folder, folder / "file"):
        found = opened(str(path))
        assert found is not None
        assert os.path.samestat(found, path.lstat())


def test_a_link_on_the_way_isnt_followed(folder: Path) -> None:
    assert opened(str(folder.parent / "link/file")) is None
    assert opened(f"/proc/self/cwd{folder}") is None


def test_a_link_at_the_end_is_opened_itself(folder: Path) -> None:
    found = opened(str(folder / "link"))
    assert found is not None
    assert stat.S_ISLNK(found.st_mode)


@pytest.mark.parametrize("path", ["", "file", "/nowhere/x", "/proc/version\0y", "/proc/version/x", "/" + "x" * 5000])
def test_what_cant_be_opened_is_for_others_to_tell(path: str) -> None:
    assert opened(path) is None
