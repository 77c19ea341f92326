"""What the first bytes of a disk image say: its format, its size, and which other files it would make the host open.

QEMU opens whatever an image's header names, with QEMU's rights, so an image from outside is looked at before it is
used. The bytes are hostile: every reading here is bounded by what was handed in, and nothing raises. A reference that
is there but can't be read counts as there (`backing_file` is empty then), because QEMU may well read it.

Pure: fetching the bytes, and knowing which files are known volumes, is left to the caller.
"""

from __future__ import annotations

import posixpath
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

HEADER_BYTES = 64 * 1024  # how much of an image is worth handing in
PLAIN = frozenset({"raw", "iso"})  # without a header that QEMU would follow

_LONGEST_NAME = 1023  # QEMU's limit for a backing file's name
_MOST_EXTENSIONS = 64
_SECTOR = 512
_COMPRESSED = frozenset({"gzip", "xz", "zip", "bzip2", "zstd"})
_WITH_HEADER = frozenset(
    {
        "qcow2",
        "qcow",
        "qed",
        "vmdk",
        "vdi",
        "vpc",
        "vhd",
        "vhdx",
        "luks",
        "cow",
        "cloop",
        "dmg",
        "bochs",
        "parallels",
        "ploop",
    }
)  # what QEMU has a driver for; libvirt calls a volume by other words too, such as a partition's type
_PROTOCOL = re.compile(r"[^/:]*:")  # as QEMU decides: a colon before any slash


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What an image is. `format` in libvirt's words (qcow2, vmdk, vpc, ...), `gzip` and the like for a compressed file,
    `iso` for a CD image, `raw` for whatever has no header that is known.

    `virtual_size` is in bytes; 0: the header doesn't tell. `backing_file` is None without one, empty when unreadable.
    """

    format: str
    virtual_size: int = 0
    backing_file: str | None = None
    backing_format: str | None = None
    external_data: bool = False  # its data is in another file
    encrypted: bool = False


def image_header(first_bytes: bytes) -> ImageHeader:
    """Read an image's header from its first bytes, `HEADER_BYTES` or all of a smaller image. Never raises."""
    view = _Bytes(first_bytes)
    for magic, reader in _READERS.items():
        if first_bytes.startswith(magic):
            return reader(view)
    for magic, name in _ARCHIVES.items():
        if first_bytes.startswith(magic):
            return ImageHeader(name)
    if view.number("<I", 64) == 0xBEDA107F:
        return ImageHeader("vdi", view.number("<Q", 368))
    if first_bytes[32769:32774] == b"CD001":
        return ImageHeader("iso", view.number("<I", 32768 + 80) * view.number("<H", 32768 + 128))
    if _is_descriptor(first_bytes):
        return ImageHeader("vmdk", external_data=True)
    return ImageHeader("raw")


def foreign_problem(header: ImageHeader, declared: str | None = None) -> str | None:
    """One sentence why an image from outside isn't taken, with the remedy; None for one that refers to nothing, and
    that is what it is `declared` to be (libvirt's word) if somebody has said so.

    A vmdk never is: QEMU finds its parent by searching text for words, wherever the header says that the text is.
    """
    if header.format == "vmdk":
        return "a vmdk image isn't taken from outside, it can name files of the host; " + _CONVERT
    if (reason := unsafe_header(header)) is not None:
        return reason
    if declared is None:
        return None
    if header.format in _COMPRESSED:
        return f"it is compressed ({header.format}); unpack it and offer the image itself."
    if header.format != declared and not {header.format, declared} <= PLAIN:
        return f"it is a {header.format} image, not {declared}; declare `format: {header.format}`."
    return None


def mistaken(header: ImageHeader, declared: str | None) -> str | None:
    """One sentence why an image that is on the host isn't opened as `declared`; None when it may be.

    Whatever is opened as raw may look like anything: its bytes are a guest's business.
    """
    if declared not in _WITH_HEADER or declared == header.format:
        return None
    return f"it is opened as {declared}, and it is a {header.format} image; name its format as it is."


def unsafe_header(header: ImageHeader, allowed: Callable[[str], bool] = lambda _path: False) -> str | None:
    """One sentence why an image is refused, with the remedy; None for one that is safe to open.

    `allowed(path)` tells whether a backing file may be used. It gets the path as the header has it, without `.` and
    doubled slashes: absolute, or relative to the image's own folder. One with `..` is refused without asking.
    """
    if header.external_data:
        return f"the image keeps its data in another file; {_CONVERT}"
    name = header.backing_file
    if name is None:
        return None
    if not name:
        return f"the image has a backing file whose name can't be read; {_CONVERT}"
    if (protocol := _PROTOCOL.match(name)) is not None:
        return f"the image is backed by something else than a file ({_shown(protocol[0])}…); {_CONVERT}"
    if ".." in name.split("/") or not allowed(posixpath.normpath(name)):
        return f"the image reads from another file of the host, {_shown(name)}; {_CONVERT}"
    return None


_CONVERT = "make an independent image with `qemu-img convert -O qcow2`."


class _Bytes:
    """The bytes at hand, read by offset: what lies outside is zero or empty."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def number(self, layout: str, offset: int) -> int:
        size = struct.calcsize(layout)
        part = self.content[offset : offset + size]
        return int(struct.unpack(layout, part)[0]) if len(part) == size else 0

    def text(self, offset: int, length: int) -> str:
        """A name of a header; empty when it isn't all there. It ends at a NUL, as it does for QEMU."""
        part = self.content[offset : offset + length]
        if not 0 < length <= _LONGEST_NAME or len(part) != length:
            return ""
        return part.partition(b"\0")[0].decode("utf-8", "replace")


def _qcow1(view: _Bytes) -> ImageHeader:
    offset, length = view.number(">Q", 8), view.number(">I", 16)
    return ImageHeader(
        "qcow",
        view.number(">Q", 24),
        backing_file=view.text(offset, length) if offset else None,
        encrypted=view.number(">I", 36) != 0,
    )


def _qcow(view: _Bytes) -> ImageHeader:
    version = view.number(">I", 4)
    if version < 2:
        return _qcow1(view)
    backing, length = view.number(">Q", 8), view.number(">I", 16)
    incompatible = view.number(">Q", 72) if version > 2 else 0
    extensions = _qcow2_extensions(view, view.number(">I", 100) if version > 2 else 72, backing)
    name = view.text(backing, length) if backing else None
    form = (extensions or {}).get(0xE2792ACA)
    return ImageHeader(
        "qcow2",
        view.number(">Q", 24),
        backing_file=name if extensions is not None or name is None else "",
        backing_format=form.decode("ascii", "replace") if form else None,
        external_data=bool(incompatible & 4) or 0x44415441 in (extensions or {}),
        encrypted=view.number(">I", 32) != 0,
    )


def _qcow2_extensions(view: _Bytes, offset: int, end: int) -> dict[int, bytes] | None:
    """The header extensions by their type, each cut at the longest name. `end` is where a backing file's name begins,
    0 without one. None where they can't be told for sure: of two that are alike QEMU heeds the last.
    """
    found: dict[int, bytes] = {}
    for _ in range(_MOST_EXTENSIONS):
        if end and offset >= end:
            return found
        kind, length = view.number(">I", offset), view.number(">I", offset + 4)
        if kind == 0 and offset + 4 <= len(view.content):
            return found
        if kind in found or offset + 8 > len(view.content):
            return None
        found[kind] = view.content[offset + 8 : offset + 8 + min(length, _LONGEST_NAME)]
        offset += 8 + (length + 7) // 8 * 8
    return None


def _qed(view: _Bytes) -> ImageHeader:
    features, offset, length = view.number("<Q", 16), view.number("<I", 56), view.number("<I", 60)
    return ImageHeader(
        "qed",
        view.number("<Q", 48),
        backing_file=view.text(offset, length) if features & 1 else None,
        backing_format="raw" if features & 1 and features & 4 else None,
    )


_PARENT = b"parentFileNameHint"  # QEMU takes what stands two characters behind it, whatever is between


def _vmdk_sparse(view: _Bytes) -> ImageHeader:
    capacity = view.number("<Q", 12) * _SECTOR
    # Without a capacity QEMU goes by the descriptor, and opens the files that it names.
    return ImageHeader("vmdk", capacity, backing_file=_vmdk_parent(view), external_data=capacity == 0)


def _vmdk_cow(view: _Bytes) -> ImageHeader:
    return ImageHeader("vmdk", view.number("<I", 12) * _SECTOR, backing_file=_vmdk_parent(view))


def _vmdk_parent(view: _Bytes) -> str | None:
    """Wherever the descriptor is said to be: QEMU looks for it at its own places, all of them within these bytes."""
    return "" if _PARENT in view.content else None


def _is_descriptor(content: bytes) -> bool:
    """As QEMU finds out: comments and empty lines, and then a version."""
    for line in content[:4096].splitlines():
        stripped = line.strip()
        if stripped.startswith(b"# Disk DescriptorFile"):
            return True
        if stripped and not stripped.startswith(b"#"):
            return re.match(rb"version\s*=\s*[123]\b", stripped) is not None
    return False


def _vhd(view: _Bytes) -> ImageHeader:
    differs = view.number(">I", 60) == 4
    return ImageHeader("vpc", view.number(">Q", 48), backing_file="" if differs else None)


def _vhdx(_view: _Bytes) -> ImageHeader:
    return ImageHeader("vhdx")  # size and parent are a megabyte further on; QEMU refuses one with a parent


def _luks(_view: _Bytes) -> ImageHeader:
    return ImageHeader("luks", encrypted=True)


_READERS: dict[bytes, Callable[[_Bytes], ImageHeader]] = {
    b"QFI\xfb": _qcow,
    b"QED\0": _qed,
    b"KDMV": _vmdk_sparse,
    b"COWD": _vmdk_cow,
    b"conectix": _vhd,
    b"vhdxfile": _vhdx,
    b"LUKS\xba\xbe": _luks,
}
_ARCHIVES = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\0": "xz",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
}


def _shown(name: str) -> str:
    """A hostile name, fit for a terminal: no control characters, and not long."""
    text = "".join(character if character.isprintable() else "?" for character in name[:120])
    return text if len(name) <= 120 else f"{text}…"
