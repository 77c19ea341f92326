"""What an object has that no document can say: half-sentences for the comment in its file.

Everything stays in libvirt, but a document that was silent about it would promise a machine that it can't make again.
What libvirt and the usual tools give to every machine anyway isn't worth a line; whatever is neither that nor known to
documents is told, under its element's name if need be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from specs.binding import Element

_QEMU: Final = "{http://libvirt.org/schemas/domain/qemu/1.0}"

_WORDS: Final = {
    "genid": "its generation id",
    "sysinfo": "its SMBIOS texts",
    "blkiotune": "its weights in block I/O",
    "launchSecurity": "its encrypted memory",
    f"{_QEMU}commandline": "its own arguments for QEMU",
    "route": "its route",
    "bandwidth": "its bandwidth",
    "mtu": "its MTU",
    "virtualport": "its virtual port",
    "portgroup": "its port group",
    "encryption": "its encryption",
}


def elements(parent: Element) -> Iterator[Element]:
    """What is directly below: neither comments nor instructions."""
    return (each for each in parent if isinstance(each.tag, str))


def word(found: Element) -> str:
    """What an element is called; several of a kind are told apart by name."""
    tag = str(found.tag)
    word = _WORDS.get(tag) or f"its {etree.QName(tag).localname}"
    name = found.get("name") or found.get("address")
    return f"{word} {name}" if name else word
