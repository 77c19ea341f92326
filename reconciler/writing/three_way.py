"""Two changes of one document that began at the same text: do they concern the same field, and what do both make of it?

Fields are told apart as far down as they go; items of a list by what names them. So two disks that were added by two
people are two disks, and two values for one field are a conflict.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.writing.pairing import name_of, same

Way = tuple[str, ...]
_ABSENT: Final = object()


def clash(base: Mapping[str, Any] | None, ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None) -> str:
    """The JSON pointer of a field that both changed, to different values; None of them is a document that isn't there.

    `/` when a document as a whole is meant (one removed what the other changed); empty when nothing clashes.
    """
    if _same(base, theirs) or _same(ours, theirs) or _same(base, ours):
        return ""
    if base is None or ours is None or theirs is None:
        return "/"
    way = _clash(base, ours, theirs, ())
    return "" if way is None else "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in way)


def merged(base: Mapping[str, Any] | None, ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None) -> Any:
    """What both changes make of it, where nothing clashes; None for a document that is gone."""
    if _same(base, theirs) or _same(ours, theirs):
        return copy.deepcopy(ours)
    if _same(base, ours):
        return copy.deepcopy(theirs)
    return _merged(base, ours, theirs)


def _same(one: Any, other: Any) -> bool:
    return one is other or (one is not _ABSENT and other is not _ABSENT and same(one, other))


def _clash(base: Any, ours: Any, theirs: Any, way: Way) -> Way | None:
    if _same(base, ours) or _same(base, theirs) or _same(ours, theirs):
        return None
    parts = _parts(base, ours, theirs)
    if parts is None:
        return way
    before, mine, other = parts
    for key in dict.fromkeys((*before, *mine, *other)):
        deeper = (*way, key.partition("=")[2] or key)
        found = _clash(before.get(key, _ABSENT), mine.get(key, _ABSENT), other.get(key, _ABSENT), deeper)
        if found is not None:
            return found
    return None


def _merged(base: Any, ours: Any, theirs: Any) -> Any:
    if _same(base, theirs) or _same(ours, theirs):
        return copy.deepcopy(ours)
    if _same(base, ours):
        return copy.deepcopy(theirs)
    parts = _parts(base, ours, theirs)
    if parts is None:
        raise ValueError("these changes clash")
    before, mine, other = parts
    result: dict[str, Any] = {}
    for key in dict.fromkeys((*other, *mine)):  # theirs is there already: what we add comes behind
        value = _merged(before.get(key, _ABSENT), mine.get(key, _ABSENT), other.get(key, _ABSENT))
        if value is not _ABSENT:
            result[key] = value
    return list(result.values()) if isinstance(theirs, list) else result


def _parts(base: Any, ours: Any, theirs: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]] | None:
    """The three taken apart alike; None when they can't be, and are compared as they are.

    Where nothing was before, there was an empty one: two people may fill it.
    """
    if base is _ABSENT and isinstance(ours, dict | list):
        base = type(ours)()
    if isinstance(base, Mapping) and isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return dict(base), dict(ours), dict(theirs)
    if isinstance(base, list) and isinstance(ours, list) and isinstance(theirs, list):
        before, mine, other = _by_name(base), _by_name(ours), _by_name(theirs)
        return None if before is None or mine is None or other is None else (before, mine, other)
    return None


def _by_name(items: Sequence[Any]) -> dict[str, Any] | None:
    """Items by what names them; None when that doesn't tell them apart."""
    named = {name_of(item): item for item in items}
    return named if len(named) == len(items) and "" not in named else None
