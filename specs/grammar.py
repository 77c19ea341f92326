"""How a kind's documents stand to libvirt's grammar, where its declared fields don't tell that by their places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache


@dataclass(frozen=True, slots=True)
class Grammar:
    """Patterns of places such as `devices/disk/driver/@cache`, below the root element: `*` is any name, `**` all that
    is below. What nothing here and no field names can be said by an overlay.

    `by_code` tells which fields a place is written and read for by code. `lists` are the elements of lists that have
    code of their own. `run_time` is filled in by libvirt itself, `elsewhere` is for other hypervisors, with which.
    """

    file: str
    by_code: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    run_time: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)


def fits(pattern: str, place: str) -> bool:
    """Whether a place is one that a pattern means."""
    return _compiled(pattern).fullmatch(place) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(/\*\*|\*)", pattern)
    words = {"/**": "(?:/.*)?", "*": "[^/]*"}
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts))
