"""Which snapshots a qcow2 image holds, by its own table of them: what libvirt remembers may say otherwise.

The bytes are a guest's or a stranger's: every reading is bounded, and what makes no sense is None, "unknown". Pure;
fetching the bytes is left to the caller.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

_MAGIC: Final = b"QFI\xfb"
_HEADER: Final = struct.Struct(">60xIQ")  # how many there are, and where their table is
_ENTRY: Final = struct.Struct(">QIHHIIQII")
_MOST: Final = 65536  # QEMU's own limit
_MOST_BYTES: Final = 16 << 20  # of a table; an entry has about a hundred
_FARTHEST: Final = 1 << 56  # QEMU's own limit for where anything in an image is
_LONGEST_ENTRY: Final = _ENTRY.size + 1024 + 2 * 65536  # QEMU takes at most 1024 bytes of extra data
_ALIGNED: Final = 8

Read = Callable[[int, int], bytes]
"""Gives the bytes of an image from an offset on: so many, or fewer where it ends."""


def snapshot_names(read: Read) -> frozenset[str] | None:
    """The names of all snapshots inside an image; empty for what can hold none, None when the table can't be read."""
    header = read(0, _HEADER.size)
    if not header.startswith(_MAGIC):
        return frozenset()
    if len(header) < _HEADER.size:
        return None
    number, offset = _HEADER.unpack(header)
    if number > _MOST or offset > _FARTHEST:
        return None
    found: set[str] = set()
    table, end = b"", offset + _MOST_BYTES
    position = offset
    for _ in range(number):
        if position >= end:
            return None
        table = table if len(table) >= _LONGEST_ENTRY else read(position, 4 * _LONGEST_ENTRY)
        if len(table) < _ENTRY.size:
            return None
        _, _, id_bytes, name_bytes, _, _, _, _, extra = _ENTRY.unpack_from(table)
        name_at = _ENTRY.size + extra + id_bytes
        name = table[name_at : name_at + name_bytes]
        if len(name) < name_bytes:
            return None
        found.add(name.decode(errors="replace"))
        length = -(-(name_at + name_bytes) // _ALIGNED) * _ALIGNED
        position += length
        table = table[length:]
    return frozenset(found)
