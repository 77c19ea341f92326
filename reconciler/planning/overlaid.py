"""What a document says in XML of its own, compared statement by statement: see `specs/overlay`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from specs.effect import Change
from specs.plain import NewSpec, Spec

if TYPE_CHECKING:
    from reconciler.observed.snapshot import Observed

FIELD = "xml"
_PREFIX = f"/{FIELD}/"


def changes(
    kind: str, lowered: Spec, observed: Observed, earlier: frozenset[str]
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """What differs in the persistent and in the running definition."""
    text, known = lowered.get(FIELD), own(earlier)
    run = observed.live_xml
    if not text and not known and (run is None or _PREFIX not in run):
        return (), ()
    from specs.overlay.comparing import config_changes, live_changes  # with lxml, which few passes need

    config = config_changes(kind, text, known, observed.xml)
    return config, () if run is None else live_changes(kind, text, known, observed.xml, run)


def managed(lowered: Spec) -> frozenset[str]:
    """The pointers of its statements, as the mark keeps them."""
    if not (text := lowered.get(FIELD)):
        return frozenset()
    from specs.overlay.writing import pointers

    return pointers(text)


def without_ignored(lowered: NewSpec, ignored: Iterable[str]) -> None:
    """Leave the statements out that others may change."""
    names = tuple(sorted(pointer for pointer in ignored if pointer.startswith(_PREFIX)))
    if f"/{FIELD}" in ignored:
        lowered.pop(FIELD, None)
    elif names and lowered.get(FIELD):
        from specs.overlay.writing import without

        lowered[FIELD] = without(lowered[FIELD], names)


def remembered(pointers: frozenset[str]) -> str:
    """What the ledger keeps of an object whose definition has no room for a mark."""
    return "\n".join(sorted(own(pointers)))


def recalled(text: str) -> frozenset[str]:
    """The same read again."""
    return frozenset(filter(None, text.split("\n")))


def own(pointers: Iterable[str]) -> frozenset[str]:
    """Of the pointers that a mark keeps those of such statements."""
    return frozenset(pointer for pointer in pointers if pointer.startswith(_PREFIX))
