"""All that is wrong with a fragment, told before any host is asked."""

from __future__ import annotations

from specs.overlay.agreeing import contradictions
from specs.overlay.fragment import Mistake, mistakes
from specs.overlay.tables import table_of
from specs.plain import Spec


def mistakes_in(kind: str, name: str, spec: Spec, text: str) -> list[Mistake]:
    """By itself, and against the fields beside it."""
    table = table_of(kind)
    return mistakes(table, text) or contradictions(table, name, spec)
