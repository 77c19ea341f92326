"""Reads what an ISO 9660 image says of itself in its first sectors, and whether a machine can boot from it.

The file may be anything and of anybody: it is opened only when it is a regular file, and of whatever size it is, at
most some 70 KiB of it are read, sector by sector. What the words in the header mean is for `database`.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.host.pool_files import open_plain

SECTOR: Final = 2048
_FIRST_DESCRIPTOR: Final = 16  # before it is the system area, which is anybody's
_MOST_DESCRIPTORS: Final = 16  # real images have three or four
_MAGIC: Final = b"CD001"
_BOOT_RECORD, _PRIMARY, _END = 0, 1, 255
_EL_TORITO: Final = b"EL TORITO SPECIFICATION"

_ENTRY: Final = 32  # bytes of an entry in the boot catalogue
_BOOTABLE: Final = 0x88
_MORE_SECTIONS, _LAST_SECTION = 0x90, 0x91
_EXTENSION: Final = 0x44

# How a POWER machine boots: by a file of this name, in a folder of the first of these two names.
_POWER: Final = (b"PPC", b"BOOTINFO.TXT")
_MOST_OF_A_FOLDER: Final = 8  # sectors, some 300 files; both stand near the beginning


@dataclass(frozen=True, slots=True)
class IsoHeader:
    """What the image says of itself. Texts are without the padding and empty where it says nothing; sizes are bytes."""

    volume_id: str
    system_id: str
    publisher_id: str
    application_id: str
    volume_size: int
    file_size: int
    boots: bool  # its boot catalogue is sound and names something that is in the file; or it boots as POWER does

    @property
    def complete(self) -> bool:
        """Nothing of the end is missing, as after a download that broke off."""
        return self.file_size >= self.volume_size

    @property
    def bootable(self) -> bool:
        """A machine can boot from it, and it isn't cut off."""
        return self.boots and self.complete


def read_header(path: str | Path) -> IsoHeader | None:
    """The header of the file at `path`; None when it is no ISO 9660 image or no regular file (a link, a FIFO, a
    device). Raises OSError when it isn't there or can't be read.
    """
    descriptor = open_plain(path)
    if descriptor is None:
        return None
    try:
        return _header(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _header(file: int, size: int) -> IsoHeader | None:
    primary: bytes | None = None
    boots = False
    for number in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + _MOST_DESCRIPTORS):
        sector = _read(file, number)
        if sector is None or sector[1:6] != _MAGIC or sector[0] == _END:
            break
        if sector[0] == _PRIMARY and primary is None:
            primary = sector
        elif sector[0] == _BOOT_RECORD and sector[7:39].rstrip(b"\0 ") == _EL_TORITO:
            (catalogue,) = struct.unpack_from("<I", sector, 0x47)
            boots = boots or _names_something(_read(file, catalogue), size)
    if primary is None:
        return None
    (sectors,) = struct.unpack_from("<I", primary, 80)
    (block,) = struct.unpack_from("<H", primary, 128)
    return IsoHeader(
        volume_id=_text(primary[40:72]),
        system_id=_text(primary[8:40]),
        publisher_id=_text(primary[318:446]),
        application_id=_text(primary[574:702]),
        volume_size=sectors * (block or SECTOR),
        file_size=size,
        boots=boots or _boots_on_power(file, primary[156:190]),
    )


def _read(file: int, number: int) -> bytes | None:
    """One sector; None when the file ends before its end."""
    sector = os.pread(file, SECTOR, number * SECTOR)
    return sector if len(sector) == SECTOR else None


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _names_something(catalogue: bytes | None, size: int) -> bool:
    """True when the boot catalogue checks and an entry that may be booted lies inside the file."""
    if catalogue is None or catalogue[0] != 1 or catalogue[30:32] != b"\x55\xaa":
        return False
    if sum(struct.unpack_from("<16H", catalogue)) & 0xFFFF:
        return False
    return any(
        entry[0] == _BOOTABLE and struct.unpack_from("<I", entry, 8)[0] * SECTOR < size for entry in _entries(catalogue)
    )


def _entries(catalogue: bytes) -> list[bytes]:
    """The default entry and those of all sections, as far as one sector holds them."""
    rows = [catalogue[start : start + _ENTRY] for start in range(_ENTRY, SECTOR, _ENTRY)]
    found, rest = rows[:1], rows[1:]
    while rest and rest[0][0] in (_MORE_SECTIONS, _LAST_SECTION):
        header, rest = rest[0], rest[1:]
        wanted = struct.unpack_from("<H", header, 2)[0]
        while rest and wanted:
            row, rest = rest[0], rest[1:]
            if row[0] != _EXTENSION:
                found.append(row)
                wanted -= 1
        while rest and rest[0][0] == _EXTENSION:
            rest = rest[1:]
        if header[0] == _LAST_SECTION:
            break
    return found


def _boots_on_power(file: int, root: bytes) -> bool:
    record: bytes | None = root
    for name in _POWER:
        record = _find(file, record, name) if record else None
    return record is not None


def _find(file: int, folder: bytes, name: bytes) -> bytes | None:
    """The record of a name in the folder that another record is about."""
    first, length = struct.unpack_from("<I4xI", folder, 2)
    for number in range(first, first + min(_MOST_OF_A_FOLDER, -(-length // SECTOR))):
        sector = _read(file, number)
        if sector is None:
            return None
        start = 0
        while start + 34 <= SECTOR and sector[start] >= 34:  # a record doesn't go over the end of its sector
            record = sector[start : start + sector[start]]
            if record[33 : 33 + record[32]].partition(b";")[0].upper() == name:
                return record
            start += sector[start]
    return None
