"""A device's address as the text that documents have, and as libvirt's attributes; several spellings of one are one.

Pure and total: what isn't an address that documents know is None, or stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from specs.virtualmachine.devices.address_fields import ADDRESS

Attributes = Mapping[str, str]  # as libvirt writes them, those of `<zpci>` among them

_ADDRESS = re.compile(ADDRESS.keywords["pattern"])
OF_ZPCI: Final = {"uid": 4, "fid": 8}  # the digits of each


class _Form(NamedTuple):
    """How a type says its place: its attributes in order, each with the digits that libvirt writes (0: decimal), what
    parts them in our notation, and how many of them may be missing at the end.
    """

    digits: Mapping[str, int]
    parted: str = ":"
    optional: int = 0
    prefix: str = ""  # before a hexadecimal number that stands alone
    options: Mapping[str, int] = {}


_FORMS: Final[Mapping[str, _Form]] = {
    "pci": _Form({"domain": 4, "bus": 2, "slot": 2, "function": 1}, "::.", options=OF_ZPCI),
    "drive": _Form({"controller": 0, "bus": 0, "target": 0, "unit": 0}),
    "usb": _Form({"bus": 0, "port": 0}, optional=1),
    "virtio-serial": _Form({"controller": 0, "bus": 0, "port": 0}, optional=1),
    "ccid": _Form({"controller": 0, "slot": 0}, optional=1),
    "spapr-vio": _Form({"reg": 8}, prefix="0x"),
    "ccw": _Form({"cssid": 2, "ssid": 1, "devno": 4}, "."),
    "isa": _Form({"iobase": 1}, prefix="0x", options={"irq": 1}),
    "dimm": _Form({"slot": 0}, options={"base": 1}),
    "virtio-mmio": _Form({}),
    "unassigned": _Form({}),
}


def canonical_address(text: str) -> str:
    """The one spelling of an address; a text that isn't one stays as it is."""
    said = attributes(text)
    return (shown(said) if said else None) or text


def same_address(declared: str, observed: str | None) -> bool:
    """Whether a device is where a document says; a kind of address without a place is any place of that kind."""
    if observed is None:
        return False
    wanted, found = canonical_address(declared), canonical_address(observed)
    return wanted == found or (" " not in wanted and found.partition(" ")[0] == wanted)


@lru_cache(maxsize=4096)
def attributes(text: str) -> Attributes:
    """What `<address>` says of an address that is written so; nothing for a text that isn't one."""
    if not _ADDRESS.fullmatch(text):
        return {}
    kind, *words = text.split(" ")
    form, said = _FORMS[kind], {"type": kind}
    for word in words:
        name, is_option, value = word.partition("=")
        if name == "multifunction":
            said["multifunction"] = value or "on"
        elif is_option:
            said[name] = _number(int(value, 16), form.options[name])
        else:
            said |= _place(form, word)
    return said


def _place(form: _Form, word: str) -> dict[str, str]:
    if "port" in form.digits and len(form.digits) == 2:  # a USB port behind hubs has dots in it
        numbers = word.split(":")
        return dict(zip(form.digits, [str(int(numbers[0])), *map(_port, numbers[1:])], strict=False))
    parts = re.split(f"[{re.escape(form.parted)}]", word)
    if len(parts) < len(form.digits) - form.optional:  # `05:00.0` is in the first PCI domain
        parts.insert(0, "0")
    return {
        name: _number(int(part, 16 if digits else 10), digits)
        for (name, digits), part in zip(form.digits.items(), parts, strict=False)
    }


def _port(text: str) -> str:
    return ".".join(str(int(part)) for part in text.split("."))


def _number(value: int, digits: int) -> str:
    return f"0x{value:0{digits}x}" if digits else str(value)


def shown(said: Attributes) -> str | None:
    """The one spelling of what an `<address>` says; None for one that nobody knows."""
    return _shown(tuple(sorted(said.items())))


@lru_cache(maxsize=4096)
def _shown(said: tuple[tuple[str, str], ...]) -> str | None:
    of = dict(said)
    form = _FORMS.get(kind := of.get("type", ""))
    if form is None:
        return None
    try:
        place = _shown_place(form, of)
        options = [f"{name}={_number(int(of[name], 0), 1)}" for name in form.options if name in of]
    except ValueError:
        return None
    several = {"on": ["multifunction"], "off": ["multifunction=off"]}.get(of.get("multifunction", ""), [])
    return " ".join([kind, *([place] if place else []), *several, *options])


def _shown_place(form: _Form, of: Mapping[str, str]) -> str:
    named = [name for name in form.digits if name in of]
    if not named:
        return ""
    names = list(form.digits)
    last = max(len(names) - form.optional, names.index(named[-1]) + 1)
    place = ""
    for index, name in enumerate(names[:last]):
        digits = form.digits[name]
        if index:
            place += form.parted[min(index, len(form.parted)) - 1]
        if name == "port" and len(names) == 2:
            place += _port(of[name])
        else:
            value = int(of.get(name, "0"), 0)
            place += f"{form.prefix}{value:0{1 if form.prefix else digits}x}" if digits else str(value)
    return place
