"""An image is looked at once, as long as it stays the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.observed.osinfo import Database, Images, IsoFacts
from reconciler.observed.osinfo.images import NO_IMAGE, UNSEEN
from reconciler.observed.osinfo.iso_header import IsoHeader

DEBIAN = IsoFacts("debian", "11", "x86_64", bootable=True, is_iso=True)


class Watched(Database):
    """A database that counts how often it is asked."""

    asked = 0

    def detect(self, header: IsoHeader):  # type: ignore[no-untyped-def]
        self.asked += 1
        return super().detect(header)


@pytest.fixture
def watched() -> Watched:
    return Watched((Path("/usr/share/osinfo"),))


def test_an_image_is_looked_at_once_until_it_changes(make_iso: Callable[..., Path], watched: Watched) -> None:
    images, path = Images(watched), make_iso("Debian 11.6.0 amd64 n")
    assert images.facts(path) == images.facts(str(path)) == DEBIAN
    assert watched.asked == 1
    make_iso("holiday pictures", boots=False, name="other.iso").replace(path)
    assert images.facts(path) == IsoFacts(is_iso=True)
    path.unlink()
    assert images.facts(path) == NO_IMAGE


def test_an_image_that_grows_is_bootable_once_it_is_whole(make_iso: Callable[..., Path], watched: Watched) -> None:
    images, path = Images(watched), make_iso("Debian 11.6.0 amd64 n")
    content = path.read_bytes()
    growing = path.with_name("growing.iso")
    growing.write_bytes(content[: 40 * 2048])
    assert images.facts(growing) == IsoFacts("debian", "11", "x86_64", bootable=False, is_iso=True)
    growing.write_bytes(content)
    assert images.facts(growing) == DEBIAN


def test_what_is_no_image_has_no_facts_and_raises_nothing(tmp_path: Path, watched: Watched) -> None:
    images = Images(watched)
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "none", tmp_path, tmp_path / "fifo", "/dev/null", "\0", "x" * 5000, "\ud800"):
        assert images.facts(path) == NO_IMAGE


def test_a_file_of_another_machine_is_never_looked_at(make_iso: Callable[..., Path], watched: Watched) -> None:
    assert Images(watched, here=False).facts(make_iso("Debian 11.6.0 amd64 n")) == UNSEEN
    assert watched.asked == 0


def test_only_so_many_are_remembered(make_iso: Callable[..., Path], watched: Watched, tmp_path: Path) -> None:
    images, path = Images(watched, remembered=2), make_iso("Debian 11.6.0 amd64 n")
    copies = [Path(shutil.copy(path, tmp_path / f"{number}.iso")) for number in range(3)]
    for copy in copies:
        images.facts(copy)
    images.facts(copies[2])
    assert watched.asked == 3
    images.facts(copies[0])
    assert watched.asked == 4


def test_facts_follow_an_update_of_the_database(
    make_iso: Callable[..., Path], write_definition: Callable[..., Path], tmp_path: Path
) -> None:
    images, path = Images(Database((tmp_path / "osinfo",))), make_iso("ONE")
    assert images.facts(path) == IsoFacts(bootable=True, is_iso=True)
    write_definition("<distro>one</distro><media arch='all'><iso><volume-id>ONE</volume-id></iso></media>")
    assert images.facts(path) == IsoFacts("one", "unknown", "all", bootable=True, is_iso=True)
