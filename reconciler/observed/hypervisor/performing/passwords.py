"""Puts secrets into XML at the last moment, and keeps a console's password where the new XML doesn't bring one.

What is read here goes to libvirt alone: no error below holds a value, and callers get the values only to hide them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

from reconciler.errors import Terminal
from reconciler.observed.hypervisor.reading.definitions import MASK
from reconciler.planning.operations import SecretSlot, SecretSource
from specs.binding import Element

_MAX_BYTES = 64 * 1024
_VNC_LENGTH = 8  # all that the protocol takes; libvirt refuses more


def fill(root: Element, slots: Iterable[SecretSlot]) -> tuple[str, ...]:
    """Write each slot's secret into its place; the values, so that errors can be kept free of them. Raises Terminal."""
    values: list[str] = []
    for slot in slots:
        element = root.find(slot.path)
        if element is None:
            raise Terminal(f"there is no {slot.path} in the XML to put the secret of {_named(slot.source)} in.")
        value = read_secret(slot.source)
        for_vnc = slot.attribute == "passwd" and element.get("type") == "vnc"
        used = _first_bytes(value, _VNC_LENGTH) if for_vnc else value
        element.set(slot.attribute, used)
        values += dict.fromkeys((value, used))
    return tuple(values)


def read_secret(source: SecretSource) -> str:
    """The first line of a file, or the value of a variable. Raises Terminal with a sentence that holds no part of
    it.
    """
    value = _first_line(source.file) if source.file else os.environ.get(source.env)
    if value is None:
        raise Terminal(f"the variable {source.env} isn't set for onggi; set it where the agent is started.")
    if not value:
        raise Terminal(f"{_named(source)} is empty; put the secret into its first line.")
    return value


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


def _first_line(path: str) -> str:
    try:
        # Not blocking: a named pipe without a writer must not hang the agent before it is refused.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise Terminal(f"the secret's file {path} can't be read: {error.strerror}.") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Terminal(f"the secret's file {path} isn't a regular file.")
        if found.st_size > _MAX_BYTES:
            raise Terminal(f"the secret's file {path} has over {_MAX_BYTES // 1024} KiB; that can't be a password.")
        line = os.read(descriptor, _MAX_BYTES).partition(b"\n")[0].rstrip(b"\r")
    finally:
        os.close(descriptor)
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise Terminal(f"the secret's file {path} isn't UTF-8 text.") from None


def _named(source: SecretSource) -> str:
    return source.file or f"the variable {source.env}"
