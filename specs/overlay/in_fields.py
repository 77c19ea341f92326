"""What a fragment says in the words of fields, so that a rule about a field holds for it, too."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lxml import etree

from specs.binding import read
from specs.overlay.fragment import parsed
from specs.overlay.tables import binds_of, table_of
from specs.plain import Spec


@lru_cache(maxsize=1024)
def in_fields(kind: str, text: str) -> Spec:
    """The fields that a fragment says something about, and what. What an empty definition means isn't said by one."""
    binds = binds_of(kind)
    nothing: Spec = read(binds, etree.Element(table_of(kind).root))
    said: Spec = _beside(read(binds, parsed(text)), nothing)
    return said


def _beside(value: Any, nothing: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    known = nothing if isinstance(nothing, Mapping) else {}
    return {key: _beside(each, known.get(key)) for key, each in value.items() if key not in known or each != known[key]}
