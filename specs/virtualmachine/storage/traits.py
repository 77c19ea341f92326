"""The binds of what a path says about a drive: in its XML a switch is `on` or `off`, or an element that is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree

from specs.binding import Element, Field
from specs.codecs import ON_OFF
from specs.declared import Declared, place, placed
from specs.declared_binds import binder


def traits(spec: Declared, binds: Iterable[Field]) -> tuple[Field, ...]:
    """These binds of a drive's fields before those of its other ones: what kind of drive it is comes first."""
    given = tuple(binds)
    known, bind = {each.name for each in given}, binder(spec)
    return (*given, *(bind(name, **_switch(field)) for name, field in placed(spec) if name not in known))


def _switch(field: Declared) -> dict[str, Any]:
    """How a switch is read and written, in the words of `Field`; nothing for what is none."""
    if field.keywords.get("type") != "boolean":
        return {}
    tag = place(field)
    if "@" in tag:
        return {"codec": ON_OFF}

    def get(drive: Element) -> bool:
        return drive.find(tag) is not None

    def put(drive: Element, value: bool) -> None:
        for old in drive.findall(tag):
            drive.remove(old)
        if value:
            etree.SubElement(drive, tag)

    return {"get": get, "put": put}
