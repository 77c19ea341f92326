"""What goes with the fields that change: a VLAN tag with its bridge, SPICE's channels with SPICE."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from specs.binding import Bind, Element, Field, value_at
from specs.plain import Spec


def going_along(binds: Iterable[Bind], root: Element, declared: Spec) -> dict[str, tuple[str, ...]]:
    """What `write` would take out beside each field that it changes: names of elements and attributes, by pointer."""
    found: dict[str, tuple[str, ...]] = {}
    for bind in binds:
        wanted = value_at(declared, bind.name)
        if wanted is None:
            continue
        if isinstance(bind, Field):
            found[f"/{bind.name}"] = _leaving(bind, root, wanted)
            continue
        elements = list(bind.elements(root))
        indexes = bind.matches(wanted, bind.read(root))
        for item, index in zip(wanted, indexes, strict=True):
            for field in bind.fields if index is not None else ():
                value = value_at(item, field.name)
                if index is not None and value is not None:
                    pointer = f"/{bind.name}/{bind.label(item)}/{field.name}"
                    found[pointer] = _leaving(field, elements[index], value)
    return {pointer: names for pointer, names in found.items() if names}


def _leaving(field: Field, element: Element, value: Any) -> tuple[str, ...]:
    if not field.bound or field.equal(value, field.read(element)):
        return ()
    return tuple(dict.fromkeys(name for each in field.bound for name in each.leaving(element, value)))
