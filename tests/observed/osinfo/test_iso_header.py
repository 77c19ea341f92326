"""The header of an image is read from its first sectors, whatever the file is and whoever made it."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.observed.osinfo.iso_header import SECTOR, IsoHeader, read_header

PRIMARY = 16 * SECTOR


def header(path: Path) -> IsoHeader:
    found = read_header(path)
    assert found is not None
    return found


def test_the_words_of_an_image_are_read_without_their_padding(make_iso: Callable[..., Path]) -> None:
    path = make_iso("Some System 1", "-sysid", "LINUX", "-publisher", "SOMEBODY", "-A", "AN APPLICATION")
    found = header(path)
    assert (found.volume_id, found.system_id) == ("Some System 1", "LINUX")
    assert (found.publisher_id, found.application_id) == ("SOMEBODY", "AN APPLICATION")
    assert found.volume_size == found.file_size == path.stat().st_size
    assert found.bootable


def test_an_image_without_a_boot_catalogue_is_not_bootable(make_iso: Callable[..., Path]) -> None:
    assert not header(make_iso("data", boots=False)).bootable


def test_an_image_for_power_boots_by_its_file(make_iso: Callable[..., Path]) -> None:
    assert header(make_iso("power", boots=False, file="ppc/bootinfo.txt")).bootable


def test_an_image_whose_end_is_missing_is_not_bootable(make_iso: Callable[..., Path]) -> None:
    path = make_iso("cut off")
    os.truncate(path, path.stat().st_size - SECTOR)
    found = header(path)
    assert (found.boots, found.complete, found.bootable) == (True, False, False)


def test_a_broken_boot_catalogue_is_not_bootable(make_iso: Callable[..., Path]) -> None:
    path = make_iso("broken")
    content = bytearray(path.read_bytes())
    (catalogue,) = struct.unpack_from("<I", content, 17 * SECTOR + 0x47)
    content[catalogue * SECTOR + 5] ^= 1
    path.write_bytes(content)
    assert not header(path).boots


def test_what_follows_an_image_does_no_harm(make_iso: Callable[..., Path]) -> None:
    path = make_iso("padded")
    with path.open("ab") as file:
        file.truncate(1 << 40)  # a sparse terabyte: only the first sectors are ever read
    assert header(path).bootable


def udf_only() -> bytes:
    return bytes(PRIMARY) + b"\0BEA01\1".ljust(SECTOR, b"\0") + b"\0NSR03\1".ljust(SECTOR, b"\0")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        bytes(64 * 1024),
        udf_only(),
        bytes(PRIMARY) + b"\1CD001",
        bytes(PRIMARY) + b"\xffCD001".ljust(SECTOR),
    ],
    ids=["empty", "short", "zeros", "udf", "cut in the header", "nothing but an end"],
)
def test_another_file_is_no_image(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert read_header(path) is None


def test_links_fifos_and_devices_are_never_opened(make_iso: Callable[..., Path], tmp_path: Path) -> None:
    link, fifo = tmp_path / "link", tmp_path / "fifo"
    link.symlink_to(make_iso("linked"))
    os.mkfifo(fifo)
    found: list[object] = []

    def look() -> None:
        found.extend(read_header(path) for path in (link, fifo, "/dev/zero", "/dev/tty", tmp_path))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    looking.join(60)
    assert found == [None] * 5


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_header(tmp_path / "none")


@given(
    descriptors=st.lists(
        st.tuples(st.sampled_from([0, 1, 2, 3, 254]), st.binary(max_size=SECTOR - 6)), min_size=1, max_size=4
    ),
    rest=st.binary(max_size=3 * SECTOR),
)
def test_no_content_does_anything_but_answer(
    tmp_path_factory: pytest.TempPathFactory, descriptors: list[tuple[int, bytes]], rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.iso"
    sectors = b"".join((bytes([kind]) + b"CD001" + body).ljust(SECTOR, b"\0") for kind, body in descriptors)
    path.write_bytes(bytes(PRIMARY) + sectors + rest)
    found = read_header(path)
    assert (found is None) == (1 not in [kind for kind, _ in descriptors])


@given(where=st.integers(min_value=0, max_value=4 * SECTOR - 1), value=st.integers(min_value=0, max_value=255))
def test_no_single_wrong_byte_is_too_much(hostile: Path, image: bytes, where: int, value: int) -> None:
    content = bytearray(image)
    content[PRIMARY + where] = value
    hostile.write_bytes(content)
    read_header(hostile)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "image.iso"


@pytest.fixture(scope="module")
def image() -> bytes:
    """An image of a few sectors that points to folders and catalogues."""
    primary = bytearray(b"\1CD001\1".ljust(SECTOR, b"\0"))
    primary[156:190] = struct.pack("<BxI4xI4x", 34, 18, 4 * SECTOR).ljust(34, b"\0")
    boot = bytearray(b"\0CD001\1EL TORITO SPECIFICATION".ljust(SECTOR, b"\0"))
    struct.pack_into("<I", boot, 0x47, 19)
    folder = struct.pack("<BxI4xI14xB", 36, 18, SECTOR, 3).ljust(33, b"\0")[:33] + b"PPC"
    return bytes(PRIMARY) + bytes(primary) + bytes(boot) + folder.ljust(SECTOR, b"\0") + bytes(SECTOR)
