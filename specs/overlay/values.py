"""Whether two texts in libvirt's XML say the same: libvirt writes in its own spelling what it reads in many."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from lxml import etree

from specs import canonical
from specs.codecs import bytes_of
from specs.overlay.tables import Table, binds_of

Element = etree._Element

_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,16}")
_DIGITS = re.compile(r"[0-9]{1,19}")
_MAC = re.compile(r"[0-9a-fA-F]{1,2}(?:[:-][0-9a-fA-F]{1,2}){5}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_CPUS = frozenset({"cpuset", "nodeset", "cpus", "vcpus"})
_ADDRESSES = frozenset({"address", "ip", "listen", "start", "end", "gateway", "addr"})
_NUMBERS = frozenset({"domain", "bus", "slot", "function", "iobase", "irq", "reg", "cssid", "ssid", "devno", "id"})
_AMOUNTS = ("memory", "size", "bandwidth")  # attributes that an attribute `unit` is about
_SPAN = re.compile(r"(\^?)([0-9]{1,5})(?:-([0-9]{1,5}))?")


def same(table: Table, path: str, stated: str, found: str | None) -> bool:
    """Whether what is found at a path of tags is what was stated there."""
    if found is None or stated == found:
        return stated == found
    field = _fields(table.kind).get(path)
    if field is not None and (value := field.codec.decode(stated)) is not None:
        return bool(field.equal(value, field.codec.decode(found)))
    name = path.rpartition("/")[2].removeprefix("@")
    return spelt(name, stated) == spelt(name, found)


def same_amount(table: Table, stated: Element, found: Element) -> frozenset[str]:
    """The facts about an amount with a unit that two elements agree on: `@unit`, and that which it is about."""
    if "unit" not in stated.attrib and "unit" not in found.attrib:
        return frozenset()
    plain = "KiB" if table.root == "domain" else "bytes"
    for name in ("", *_AMOUNTS):
        one = stated.get(name) if name else (stated.text or "").strip()
        other = found.get(name) if name else (found.text or "").strip()
        if one and other:
            wanted = bytes_of(one, stated.get("unit", plain))
            if wanted is not None and wanted == bytes_of(other, found.get("unit", plain)):
                return frozenset({"@unit", f"@{name}" if name else "text()"})
    return frozenset()


@cache
def _fields(kind: str) -> Mapping[str, Any]:
    """The fields that are at one path, whose own comparison knows best."""
    return {bind.path: bind for bind in binds_of(kind) if getattr(bind, "path", "") and bind.get is None}


def spelt(name: str, text: str) -> object:
    """One spelling of what a name's value may be written as."""
    if _HEX.fullmatch(text) or (name in _NUMBERS and _DIGITS.fullmatch(text)):
        return int(text, 16 if text[:2] in ("0x", "0X") else 10)
    if _MAC.fullmatch(text):
        return canonical.mac(text)
    if _UUID.fullmatch(text):
        return text.lower().replace("-", "")
    if name in _CPUS:
        return _cpus(text)
    if name in _ADDRESSES:
        return canonical.address(text)
    if text.startswith("/"):
        return canonical.path(text)
    return text


def _cpus(text: str) -> object:
    """The CPUs of a text such as `0-3,^2`."""
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        span = _SPAN.fullmatch(part)
        if span is None:
            return text
        each = range(int(span[2]), int(span[3] or span[2]) + 1)
        found = found.difference(each) if span[1] else found.union(each)
    return frozenset(found)
