"""Puts secrets into XML at the last moment, and keeps a console's password where the new XML doesn't bring one.

What is read here goes to libvirt alone: no error below holds a value, and callers get the values only to hide them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.errors import Terminal
from reconciler.hypervisor.secret_reading import named, read_secret
from reconciler.hypervisor.virtualmachine.definitions import MASK
from reconciler.planning.operations import SecretSlot
from specs.binding import Element
from specs.reach import Reach

_VNC_LENGTH = 8  # all that the protocol takes; libvirt refuses more


def fill(root: Element, slots: Iterable[SecretSlot], reach: Reach | None = None) -> tuple[str, ...]:
    """Write each slot's secret into its place; the values, so that errors can be kept free of them. Raises Terminal."""
    values: list[str] = []
    for slot in slots:
        element = root.find(slot.path)
        if element is None:
            raise Terminal(f"there is no {slot.path} in the XML to put the secret of {named(slot.source)} in.")
        value = read_secret(slot.source, reach)
        for_vnc = slot.attribute == "passwd" and element.get("type") == "vnc"
        used = _first_bytes(value, _VNC_LENGTH) if for_vnc else value
        element.set(slot.attribute, used)
        values += dict.fromkeys((value, used))
    return tuple(values)


def _first_bytes(text: str, count: int) -> str:
    return text.encode()[:count].decode(errors="ignore")


def lacks_password(root: Element) -> bool:
    """True when a console has no password in this XML, or only libvirt's mask for one."""
    return any(True for _ in _without(root))


def keep_passwords(root: Element, existing: Element | None) -> None:
    """Give each console that brings no password the one that it has in `existing`; the mask is never taken for one."""
    consoles = existing.findall("devices/graphics") if existing is not None else []
    for position, console in list(_without(root)):
        console.attrib.pop("passwd", "")
        same_type = [each for each in consoles if each.get("type") == console.get("type")]
        own = same_type[:1] or consoles[position : position + 1]
        if own and (password := own[0].get("passwd")):
            console.set("passwd", password)


def _without(root: Element) -> Iterator[tuple[int, Element]]:
    consoles = [root] if root.tag == "graphics" else root.findall("devices/graphics")
    for position, console in enumerate(consoles):
        if console.get("type") in ("vnc", "spice") and console.get("passwd") in (None, MASK):
            yield position, console
