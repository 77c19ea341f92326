"""How fast a disk may be read and written, in libvirt's XML (`iotune`). One value: what it doesn't say is unlimited.

Bursts, groups and sizes are values of their own: those that nobody declares stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lxml import etree

from specs.binding import Element, Field, child_at
from specs.codecs import INTEGER
from specs.declared import place, placed
from specs.effect import Effect
from specs.virtualmachine.storage.fields import DISK

# A document's word for each limit, and libvirt's: the element in the XML, and the parameter of a call.
WORDS: Mapping[str, str] = {
    "bytesPerSecond": "total_bytes_sec",
    "readBytesPerSecond": "read_bytes_sec",
    "writeBytesPerSecond": "write_bytes_sec",
    "iops": "total_iops_sec",
    "readIops": "read_iops_sec",
    "writeIops": "write_iops_sec",
}


def read_limits(disk: Element) -> dict[str, int]:
    """The limits that there are, by a document's words; empty for a disk without any."""
    tune = disk.find("iotune")
    if tune is None:
        return {}
    found = {word: INTEGER.decode(tune.findtext(tag) or "") for word, tag in WORDS.items()}
    return {word: limit for word, limit in found.items() if limit}


def _put_limits(disk: Element, limits: Mapping[str, int]) -> None:
    tune = child_at(disk, "iotune")
    for tag in WORDS.values():
        for old in tune.findall(tag):
            tune.remove(old)
    for word, limit in limits.items():
        etree.SubElement(tune, WORDS[word]).text = str(limit)
    if len(tune) == 0:
        disk.remove(tune)


IO_LIMITS = Field("ioLimits", get=read_limits, put=_put_limits, effect=Effect.LIVE)

BESIDE_LIMITS: Final = frozenset(name for name, field in placed(DISK) if place(field).startswith("iotune/"))


def beside_limits(disk: Element) -> dict[str, int | str]:
    """What of a disk's limits is neither of the six: by libvirt's words, as a call takes them."""
    limits = frozenset(WORDS.values())
    found = {str(each.tag): each.text or "" for each in disk.iterfind("iotune/*") if each.tag not in limits}
    return {tag: text if tag == "group_name" else int(text) for tag, text in found.items()}
