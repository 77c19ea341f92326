"""Whether a fragment says something else than the fields of the same document: then neither can be kept.

Found out by doing it (see `writing`), so that whatever means the same to a field is no contradiction, in whatever words
the fragment has it.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from specs.binding import Element, write
from specs.host import Host
from specs.overlay.fragment import Mistake, line_of, parsed
from specs.overlay.pairing import located
from specs.overlay.tables import Table
from specs.overlay.writing import ContradictionError
from specs.plain import NewSpec, Spec
from specs.problem import Unrenderable
from specs.registry import kinds

_SOMEBODY = "00000000-0000-4000-8000-000000000000"
_NOT_LOWERED = (Unrenderable, LookupError, TypeError, ValueError, AttributeError)


def contradictions(table: Table, name: str, spec: Spec) -> list[Mistake]:
    """What the fragment of a spec, as its document says it, says against its fields. What only a host could tell isn't
    compared here.
    """
    try:
        write(kinds()[table.kind].xml.BINDS, etree.Element(table.root), _lowered(table.kind, name, spec))
    except ContradictionError as error:
        return [(_line_of(table, parsed(spec["xml"]), pointer), sentence) for pointer, sentence in error.found.items()]
    except _NOT_LOWERED:
        pass  # a field has a mistake of its own, which is told
    return []


def _lowered(kind: str, name: str, spec: Spec) -> NewSpec:
    """As much of a spec as can be lowered without a host: what needs one is left out, field by field."""
    try:
        return _lower(kind, name, spec)
    except _NOT_LOWERED:
        lowered: NewSpec = {}
        for key, value in spec.items():
            lowered.update(_alone(kind, name, key, value))
        return lowered


def _alone(kind: str, name: str, key: str, value: Any) -> NewSpec:
    try:
        return _lower(kind, name, {key: value})
    except _NOT_LOWERED:
        return {}


def _lower(kind: str, name: str, spec: Spec) -> NewSpec:
    return kinds()[kind].xml.lower(spec, name=name, uid=_SOMEBODY, host=Host())


def _line_of(table: Table, fragment: Element, pointer: str) -> int:
    """The line of what a pointer means."""
    for element, _ in located(table, fragment, pointer):
        return line_of(element)
    return 1
