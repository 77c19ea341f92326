"""The table of snapshots inside a qcow2 image, and bytes that only look like one."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from specs.storagevolume.snapshot_table import snapshot_names


def names(image: bytes) -> frozenset[str] | None:
    return snapshot_names(lambda offset, length: image[offset : offset + length])


def image(number: int, table: bytes, *, at: int = 128) -> bytes:
    return struct.pack(">4s56xIQ", b"QFI\xfb", number, at).ljust(128, b"\0") + table


def entry(name: bytes, identity: bytes = b"1", extra: int = 16) -> bytes:
    head = struct.pack(">QIHHIIQII", 0, 0, len(identity), len(name), 0, 0, 0, 0, extra)
    return (whole := head + bytes(extra) + identity + name) + bytes(-len(whole) % 8)


def test_every_snapshot_of_an_image_is_found(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1M"], check=True)
    assert names(disk.read_bytes()) == frozenset()
    for name in ("a", "zweiter Stand ü", "n" * 200):
        subprocess.run(["qemu-img", "snapshot", "-c", name, disk], check=True)
    assert names(disk.read_bytes()) == {"a", "zweiter Stand ü", "n" * 200}


def test_a_long_table_is_read_to_its_end() -> None:
    many = [f"{number}-{'x' * (number % 190)}" for number in range(5000)]
    assert names(image(len(many), b"".join(entry(name.encode()) for name in many))) == frozenset(many)


def test_what_holds_no_snapshots_has_none() -> None:
    assert names(b"") == names(b"raw" * 100) == frozenset()


def test_a_table_that_makes_no_sense_is_unknown() -> None:
    assert names(image(70_000, b"")) is None
    assert names(image(1, b"", at=1 << 63)) is None
    assert names(image(2, entry(b"a"))) is None
    assert names(b"QFI\xfb") is None


@given(st.integers(0, 2**32 - 1), st.binary(max_size=400), st.integers(0, 2**64 - 1))
def test_hostile_bytes_end_in_an_answer(number: int, table: bytes, at: int) -> None:
    names(image(number, table, at=at))
    names(image(number, table))
