"""Image headers: of real images, made by qemu-img, and of bytes that mean harm."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import subprocess
import zipfile
from pathlib import Path

import pycdlib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specs.storagevolume.header import HEADER_BYTES, ImageHeader, image_header, unsafe_header

MIB = 1 << 20
SIZE = 10 * MIB
MAGICS = [
    b"QFI\xfb",
    b"QED\0",
    b"KDMV",
    b"COWD",
    b"conectix",
    b"vhdxfile",
    b"LUKS\xba\xbe",
    b"# Disk DescriptorFile\n",
    b"",
]


def made(folder: Path, *arguments: str, name: str = "image") -> bytes:
    """The first bytes of an image that qemu-img makes: `create -f FORMAT ... <image> ...`."""
    image = folder / name
    command = ["qemu-img", "create", "-q", *(str(image) if each == "IMAGE" else each for each in arguments)]
    subprocess.run(command, check=True, capture_output=True)
    return head(image)


def head(image: Path) -> bytes:
    with image.open("rb") as file:
        return file.read(HEADER_BYTES)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    made(tmp_path, "-f", "qcow2", "IMAGE", str(SIZE), name="base.qcow2")
    return tmp_path / "base.qcow2"


def allow_all(_path: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["-f", "qcow2", "-o", "compat=0.10"], "qcow2"),
        (["-f", "qcow2", "-o", "compat=1.1"], "qcow2"),
        (["-f", "qcow2", "-o", "extended_l2=on,cluster_size=2M"], "qcow2"),
        (["-f", "qcow"], "qcow"),
        (["-f", "qed"], "qed"),
        (["-f", "vmdk"], "vmdk"),
        (["-f", "vmdk", "-o", "subformat=streamOptimized"], "vmdk"),
        (["-f", "vdi"], "vdi"),
        (["-f", "vpc", "-o", "force_size=on"], "vpc"),
    ],
)
def test_a_plain_image_is_known_and_safe(tmp_path: Path, arguments: list[str], name: str) -> None:
    header = image_header(made(tmp_path, *arguments, "IMAGE", str(SIZE)))
    assert header == ImageHeader(name, SIZE)
    assert unsafe_header(header) is None


def test_what_tells_no_size_is_known_by_its_name(tmp_path: Path) -> None:
    assert image_header(made(tmp_path, "-f", "vhdx", "IMAGE", str(SIZE))) == ImageHeader("vhdx")
    assert image_header(made(tmp_path, "-f", "raw", "IMAGE", str(SIZE))) == ImageHeader("raw")


def test_encryption_is_told(tmp_path: Path) -> None:
    options = ["--object", "secret,id=key,data=abc", "-o", "encrypt.format=aes,encrypt.key-secret=key"]
    qcow2 = image_header(made(tmp_path, *options, "-f", "qcow2", "IMAGE", str(SIZE)))
    assert qcow2 == ImageHeader("qcow2", SIZE, encrypted=True)
    assert unsafe_header(qcow2) is None
    # qemu-img measures the processor for a LUKS header, and fails on a busy machine.
    assert image_header(b"LUKS\xba\xbe\0\1aes".ljust(592, b"\0")) == ImageHeader("luks", encrypted=True)


@pytest.mark.parametrize("options", ["compat=0.10", "compat=1.1", "cluster_size=2M"])
def test_a_backing_file_is_found_and_has_to_be_allowed(tmp_path: Path, base: Path, options: str) -> None:
    header = image_header(made(tmp_path, "-f", "qcow2", "-o", options, "-F", "qcow2", "-b", str(base), "IMAGE"))
    assert header == ImageHeader("qcow2", SIZE, str(base), "qcow2")
    assert str(base) in (unsafe_header(header) or "")
    assert unsafe_header(header, lambda path: path == str(base)) is None


@pytest.mark.parametrize("image_format", ["qcow", "qed"])
def test_other_formats_have_backing_files_too(tmp_path: Path, image_format: str) -> None:
    made(tmp_path, "-f", "raw", "IMAGE", str(SIZE), name="base")
    header = image_header(made(tmp_path, "-f", image_format, "-F", "raw", "-b", str(tmp_path / "base"), "IMAGE"))
    assert header.backing_file == str(tmp_path / "base")
    assert unsafe_header(header) is not None


def test_the_parent_of_a_vmdk_is_there_and_not_read(tmp_path: Path) -> None:
    made(tmp_path, "-f", "vmdk", "IMAGE", str(SIZE), name="base")
    header = image_header(made(tmp_path, "-f", "vmdk", "-F", "vmdk", "-b", str(tmp_path / "base"), "IMAGE"))
    assert header == ImageHeader("vmdk", SIZE, backing_file="")
    assert unsafe_header(header, allow_all) is not None


def test_a_file_of_the_host_is_refused(tmp_path: Path) -> None:
    content = made(tmp_path, "-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/shadow", "IMAGE", str(SIZE))
    assert "/etc/shadow" in (unsafe_header(image_header(content), lambda path: path.startswith("/srv/")) or "")


@pytest.mark.parametrize("path", ["/srv/../etc/shadow", "../etc/shadow", "/srv/images/.."])
def test_a_way_upwards_is_refused_whatever_is_allowed(tmp_path: Path, path: str) -> None:
    content = made(tmp_path, "-u", "-f", "qcow2", "-F", "raw", "-b", path, "IMAGE", str(SIZE))
    assert unsafe_header(image_header(content), allow_all) is not None


@pytest.mark.parametrize(
    ("backing", "shown"),
    [
        ('json:{"driver":"file","filename":"/etc/shadow","password":"hush"}', "json:"),
        ("nbd://192.0.2.1/export", "nbd:"),
        ("https://example.org/image", "https:"),
        ("file:/etc/shadow", "file:"),
        ("fat:rw:/etc", "fat:"),
    ],
)
def test_a_pseudo_protocol_is_refused_and_not_repeated(tmp_path: Path, backing: str, shown: str) -> None:
    content = made(tmp_path, "-u", "-f", "qcow2", "-F", "raw", "-b", backing, "IMAGE", str(SIZE))
    sentence = unsafe_header(image_header(content), allow_all)
    assert sentence is not None
    assert f"({shown}…)" in sentence
    assert "hush" not in sentence


def test_data_in_another_file_is_refused(tmp_path: Path) -> None:
    content = made(tmp_path, "-f", "qcow2", "-o", f"data_file={tmp_path}/data", "IMAGE", str(SIZE))
    header = image_header(content)
    assert header.external_data
    assert "another file" in (unsafe_header(header, allow_all) or "")


@pytest.mark.parametrize("subformat", ["monolithicFlat", "twoGbMaxExtentSparse"])
def test_a_vmdk_of_several_files_is_refused(tmp_path: Path, subformat: str) -> None:
    header = image_header(
        made(tmp_path, "-f", "vmdk", "-o", f"subformat={subformat}", "IMAGE", str(SIZE), name="a.vmdk")
    )
    assert header == ImageHeader("vmdk", external_data=True)
    assert unsafe_header(header, allow_all) is not None


def test_a_vmdk_descriptor_needs_no_title() -> None:
    descriptor = b'#\n\n version = 1\nparentFileNameHint="/etc/shadow"\nRW 20 FLAT "/etc/shadow" 0\n'
    assert image_header(descriptor) == ImageHeader("vmdk", external_data=True)


def test_a_vmdk_header_that_hands_over_to_its_descriptor_is_refused(tmp_path: Path) -> None:
    content = bytearray(made(tmp_path, "-f", "vmdk", "IMAGE", str(SIZE)))
    content[12:20] = bytes(8)  # no capacity: QEMU opens what the descriptor names
    assert image_header(bytes(content)).external_data


def test_a_parent_below_a_descriptor_that_claims_to_be_empty_is_found(tmp_path: Path) -> None:
    made(tmp_path, "-f", "vmdk", "IMAGE", str(SIZE), name="base")
    content = bytearray(made(tmp_path, "-f", "vmdk", "-F", "vmdk", "-b", str(tmp_path / "base"), "IMAGE"))
    content[36:44] = bytes(8)
    assert image_header(bytes(content)).backing_file is not None


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (gzip.compress(b"x"), "gzip"),
        (lzma.compress(b"x"), "xz"),
        (bz2.compress(b"x"), "bzip2"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "zstd"),
    ],
    ids=["gzip", "xz", "bzip2", "zstd"],  # gzip's bytes hold the time
)
def test_a_compressed_file_is_named(content: bytes, name: str) -> None:
    assert image_header(content) == ImageHeader(name)


def test_a_zip_archive_is_named() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("disk.img", b"x")
    assert image_header(archive.getvalue()) == ImageHeader("zip")


def test_a_cd_image_is_known_with_its_size() -> None:
    iso, content = pycdlib.PyCdlib(), io.BytesIO()
    iso.new(vol_ident="cidata")
    iso.write_fp(content)
    iso.close()
    assert image_header(content.getvalue()[:HEADER_BYTES]) == ImageHeader("iso", len(content.getvalue()))


def qcow2(backing_offset: int, backing_length: int, rest: bytes = b"") -> bytes:
    return struct.pack(">4sIQIIQ", b"QFI\xfb", 3, backing_offset, backing_length, 16, SIZE) + rest


@pytest.mark.parametrize(("offset", "length"), [(1 << 63, 10), (32, (1 << 32) - 1), (32, 0), (60_000, 1000), (1, 1024)])
def test_a_backing_file_that_cannot_be_read_is_refused(offset: int, length: int) -> None:
    header = image_header(qcow2(offset, length, bytes(100)))
    assert header.backing_file == ""
    assert "can't be read" in (unsafe_header(header, allow_all) or "")


def test_a_name_ends_where_qemu_ends_it() -> None:
    name = b"/etc/shadow\0/srv/images/base"
    header = image_header(qcow2(32, len(name), name))
    assert header.backing_file == "/etc/shadow"


def test_a_hostile_name_is_fit_for_a_terminal() -> None:
    name = b"/a\x1b[2J\n" + b"b" * 500
    sentence = unsafe_header(image_header(qcow2(32, len(name), name))) or ""
    assert sentence.isprintable()
    assert len(sentence) < 300


@given(st.sampled_from(MAGICS), st.binary(max_size=2048), st.integers(0, 64))
def test_no_bytes_make_it_fail(magic: bytes, rest: bytes, padding: int) -> None:
    header = image_header(magic + bytes(padding) + rest)
    assert header.virtual_size >= 0
    assert header.backing_file is None or len(header.backing_file) <= 4096
    sentence = unsafe_header(header)
    assert sentence is None or sentence.isprintable()
    assert (sentence is None) == (header.backing_file is None and not header.external_data)


def test_a_header_with_endless_extensions_ends() -> None:
    extensions = struct.pack(">II", 7, 0) * (HEADER_BYTES // 8)
    content = qcow2(0, 0).ljust(72, b"\0") + struct.pack(">QQQII", 0, 0, 0, 4, 104) + extensions
    assert image_header(content) == ImageHeader("qcow2", SIZE)
