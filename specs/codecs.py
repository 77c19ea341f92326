"""Text ↔ value, one codec per notation that libvirt's XML uses. Pure and total: unreadable text gives None."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from specs import canonical


@dataclass(frozen=True, slots=True)
class Codec:
    """A pair of functions. `decode` gets the text of an element or attribute, `encode` makes it from a value."""

    decode: Callable[[str], Any]
    encode: Callable[[Any], str]


def _integer(text: str) -> int | None:
    try:
        return int(text.strip(), 0)
    except ValueError:
        return None


def _digits(count: int) -> Codec:
    """Hexadecimal of so many digits, as text."""

    def decode(text: str) -> str | None:
        value = _integer(text)
        return None if value is None else f"0x{value:0{count}x}"

    return Codec(decode, lambda value: decode(value) or str(value))


TEXT = Codec(decode=lambda text: text, encode=str)
INTEGER = Codec(decode=_integer, encode=str)
YES_NO = Codec(decode=lambda text: text == "yes", encode=lambda value: "yes" if value else "no")
ON_OFF = Codec(decode=lambda text: text == "on", encode=lambda value: "on" if value else "off")
ENABLED = Codec(decode=lambda text: text == "enabled", encode=lambda value: "enabled" if value else "disabled")
HEXADECIMAL = Codec(decode=_integer, encode=hex)
ADDRESS = Codec(decode=canonical.address, encode=canonical.address)
PATH = Codec(decode=canonical.path, encode=str)
MAC = Codec(decode=canonical.mac, encode=canonical.mac)

# The notations that a declared field can name; sizes have their units instead, and `present` is no text at all.
NOTATIONS = {
    "yes/no": YES_NO,
    "on/off": ON_OFF,
    "enabled/disabled": ENABLED,
    "hex": HEXADECIMAL,
    "hex2": _digits(2),
    "hex4": _digits(4),
    "address": ADDRESS,
    "path": PATH,
    "mac": MAC,
}
SEVERAL_SPELLINGS = frozenset({"hex2", "hex4", "address", "path", "mac"})  # of one value, which are compared as one
PRESENT = "present"
_UNIT_BESIDE = "@unit"

_UNITS = {
    "": 1, "b": 1, "byte": 1, "bytes": 1,
    "k": 1 << 10, "kib": 1 << 10, "m": 1 << 20, "mib": 1 << 20, "g": 1 << 30, "gib": 1 << 30,
    "t": 1 << 40, "tib": 1 << 40, "p": 1 << 50, "pib": 1 << 50,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


def bytes_of(size: int | str, unit: str = "") -> int | None:
    """Bytes of `10GiB`, `512M` or a bare number in `unit` (libvirt's unit names); None when it isn't a size."""
    match = _SIZE.fullmatch(str(size).strip())
    if not match:
        return None
    factor = _UNITS.get((match[2] or unit).lower())
    if factor is None:
        return None
    return int(match[1]) * factor if match[1].isdigit() else round(float(match[1]) * factor)


def size_text(count: int) -> str:
    """The shortest exact notation of a number of bytes: 10737418240 → `10GiB`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if count and count % _UNITS[unit.lower()] == 0:
            return f"{count // _UNITS[unit.lower()]}{unit}"
    return f"{count}B"


def unit_of(notation: str) -> str:
    """The unit in which the XML counts a size that has the notation `KiB` or `KiB@unit`."""
    return notation.removesuffix(_UNIT_BESIDE)


def says_unit(notation: str) -> bool:
    """Whether an attribute `unit` tells beside the number what it counts."""
    return notation.endswith(_UNIT_BESIDE)
