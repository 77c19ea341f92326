"""What a declared spec becomes where its declaration says it all: the part of lowering that needs no code.

A size is a number of bytes then, and of several items of a list that nothing tells apart each has its number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from specs.codecs import bytes_of, unit_of
from specs.declared import BESIDE, GONE, Declared, place
from specs.plain import NewSpec, Spec
from specs.problem import Unrenderable

NTH = "nth"  # of an item that is as another one before it: which of them it is, from 2


def carried(spec: Declared, written: Spec) -> Any:
    """Of a declared spec whatever the definition is to have as it is written: what is to become a lowered one, without
    the fields of which lowering makes other ones. Raises Unrenderable for what isn't a size.
    """
    known, other = spec.fields, spec.lowered.fields if spec.lowered is not None else {}
    return {
        name: _carried(name, known[name], value)
        for name, value in written.items()
        if name in known and known[name].at != BESIDE and other.get(name) is not GONE
    }


def numbered(identity: Sequence[str], found: Iterable[NewSpec]) -> list[NewSpec]:
    """Items of a list, which tells those apart that have the same identity: changed in place."""
    seen: Counter[tuple[Any, ...]] = Counter()
    made = list(found)
    for item in made:
        key = tuple(str(item.get(name)) for name in identity)
        seen[key] += 1
        if seen[key] > 1:
            item[NTH] = seen[key]
    return made


def _carried(name: str, field: Declared, value: Any) -> Any:
    whole = field.base or field
    if whole.item is not None:
        if not place(field):
            return value
        if not whole.item.fields:
            return [_carried(name, whole.item, each) for each in value]
        return numbered(field.identity, (carried(whole.item, each) for each in value))
    if whole.fields:
        return carried(whole, value) if field.at == "" or place(field) else value
    return _size(name, field, value) if place(field) else value


def _size(name: str, field: Declared, value: Any) -> Any:
    """A size in bytes, in as many whole units as the definition counts in; what is no size stays as it is."""
    unit = field.keywords.get("x-unit") or (field.base.keywords.get("x-unit") if field.base is not None else None)
    if unit is None:
        return value
    count = bytes_of(value, unit)
    if count is None:
        raise Unrenderable(f"{name}: {value!r} isn't a size; write a number with a unit such as 2GiB.")
    step = bytes_of(1, unit_of(field.codec)) or 1
    return -(-count // step) * step
