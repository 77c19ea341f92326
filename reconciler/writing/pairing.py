"""Which item of a list is which after a change: by what it says, else by what names it, else by its place.

So a disk that was added is an added disk, and not a change of the one that stood there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

# What names an item of a list, the most telling first.
_NAMING: Final = ("name", "mac", "volume", "path", "url", "target", "network", "bridge", "device", "host", "ip", "id")
_MANY: Final = 40_000  # pairs to compare; beyond that only what is the same at both ends is looked for


def same(one: Any, other: Any) -> bool:
    """Equal as YAML has it: `true` isn't 1."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)


def pairs(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[int, int]]:
    """(index in `old`, index in `new`) of what is the same item, in order; pairs never cross."""
    anchors = _anchors(old, new)
    found: list[tuple[int, int]] = []
    before_old = before_new = 0
    for end_old, end_new in [*anchors, (len(old), len(new))]:
        # Between two sure pairs the order alone tells, for items that may have been changed.
        gap = zip(range(before_old, end_old), range(before_new, end_new), strict=False)
        found += [(i, j) for i, j in gap if _akin(old[i], new[j])]
        if end_old < len(old) and end_new < len(new):
            found.append((end_old, end_new))
        before_old, before_new = end_old + 1, end_new + 1
    return found


def name_of(item: Any) -> str:
    """What names an item among its neighbours: the first of its telling fields, or the whole of a plain value."""
    if isinstance(item, Mapping):
        return next((f"{key}={item[key]}" for key in _NAMING if isinstance(item.get(key), str)), "")
    return "" if isinstance(item, list | tuple) else f"{type(item).__name__}={item}"


def _anchors(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[int, int]]:
    """The pairs that are sure, as many as can be had in order."""
    start = 0
    while start < min(len(old), len(new)) and same(old[start], new[start]):
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and same(old[-1 - end], new[-1 - end]):
        end += 1
    head = [(i, i) for i in range(start)]
    tail = [(len(old) - i, len(new) - i) for i in range(end, 0, -1)]
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    if len(middle_old) * len(middle_new) > _MANY:
        return head + tail
    return head + [(i + start, j + start) for i, j in _longest(middle_old, middle_new)] + tail


def _longest(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[int, int]]:
    """The common subsequence that weighs most."""
    best = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    weights = [[_weight(a, b) for b in new] for a in old]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            paired = best[i + 1][j + 1] + weights[i][j] if weights[i][j] else 0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    found = []
    i = j = 0
    while i < len(old) and j < len(new):
        if weights[i][j] and best[i][j] == best[i + 1][j + 1] + weights[i][j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def _weight(one: Any, other: Any) -> int:
    if same(one, other):
        return 3
    name = name_of(one)
    return 2 if name and name == name_of(other) else 0


def _akin(one: Any, other: Any) -> bool:
    """True when one may be the other after a change: not two things with names of their own and little in common."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        names = name_of(one), name_of(other)
        shared = sum(1 for key in one if key in other and same(one[key], other[key]))
        return not all(names) or 2 * shared >= max(len(one), len(other))
    return not isinstance(one, Mapping | list | tuple) and not isinstance(other, Mapping | list | tuple)
