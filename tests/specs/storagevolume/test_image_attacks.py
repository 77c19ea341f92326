"""Every image that makes QEMU open a file of the host: QEMU does, and we never let it."""

from __future__ import annotations

from pathlib import Path

import pytest

from specs.storagevolume.header import HEADER_BYTES, foreign_problem, image_header, mistaken, unsafe_header
from tests.lab.hostile_images import ATTACKS, made, qemu_opens
from tests.lab.opened import canary

EACH = pytest.mark.parametrize("attack", ATTACKS, ids=[name.replace(" ", "-") for name in ATTACKS])


@EACH
def test_qemu_would_open_the_file_and_the_image_is_taken_from_nobody(tmp_path: Path, attack: str) -> None:
    image_format, make = ATTACKS[attack]
    with canary(tmp_path / "x") as secret:
        image = tmp_path / "image"
        image.write_bytes(make(tmp_path, secret.path))
        secret.was_opened()
        qemu_opens(image, image_format)
        assert secret.was_opened(), "this is no attack: QEMU doesn't fall for it"
    header = image_header(image.read_bytes()[:HEADER_BYTES])
    assert foreign_problem(header, image_format) is not None, "as what it is"
    assert foreign_problem(header, "raw") is not None or header.format == "raw", "nor as something else"
    below = str(tmp_path / "below.qcow2")
    assert (mistaken(header, image_format) or unsafe_header(header, lambda path: path == below)) is not None, (
        "nor is it opened when it is in a pool, where only known volumes may be referred to"
    )


@pytest.mark.parametrize("words", [["-o", "subformat=streamOptimized"], []], ids=["stream", "sparse"])
def test_not_even_a_vmdk_without_a_parent_is_taken_from_outside(tmp_path: Path, words: list[str]) -> None:
    header = image_header(made(tmp_path, "-f", "vmdk", *words, "1048576")[:HEADER_BYTES])
    assert "qemu-img convert" in (foreign_problem(header, "vmdk") or "")
    assert unsafe_header(header) is None, "one that somebody made in a pool is opened"
    assert mistaken(header, "vmdk") is None


@pytest.mark.parametrize("declared", ["qcow2", "vmdk", "qed", "vdi", "vpc", "cloop", "dmg"])
def test_plain_bytes_are_opened_as_nothing_else(declared: str) -> None:
    header = image_header(b"version=3\n".rjust(5000, b"#"))
    assert foreign_problem(header, declared) is not None
    assert mistaken(header, declared) is not None


@pytest.mark.parametrize("declared", ["raw", "iso", None, "linux-swap", "none"])
def test_a_guests_bytes_may_look_like_anything_where_nothing_heeds_them(declared: str | None) -> None:
    header = image_header(b"QFI\xfb\0\0\0\3".ljust(512, b"\0"))
    assert mistaken(header, declared) is None
