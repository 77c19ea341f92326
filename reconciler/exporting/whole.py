"""Makes a document hold all of its object: what no field says becomes its overlay, and what is lost even so is told.

The document is rendered as for a host that never had the object, and compared with the definition that is there. Where
a field makes something that its overlay can't complete, such as a device that nothing tells apart, the overlay says the
whole of it instead of the field.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from reconciler.exporting.consent import without_refused
from reconciler.exporting.draft import Draft
from reconciler.exporting.exporter import exporters
from reconciler.exporting.remainder import overlay_text, remainder
from specs.binding import Element, parse, write
from specs.facts import Comparison, compare, facts
from specs.host import Host
from specs.overlay.writing import FIELD as OVERLAY
from specs.overlay.writing import ContradictionError
from specs.plain import NewSpec, Spec
from specs.problem import Unrenderable
from specs.reference import Ref
from specs.registry import described, kinds

DEFAULTS = "defaults"
# Without these a document says nothing at all, or something about more than one part of the definition.
_STAY = frozenset({"mode", "type", "pool", DEFAULTS, "runStrategy", "autostart", "active", OVERLAY})
_MOST_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Held:
    """What of one object its document holds."""

    kept: int
    total: int

    @classmethod
    def nothing(cls, xml: str) -> Held:
        """Of an object that has no document."""
        return cls(0, len(facts(parse(xml))))


def is_definition(kind_name: str) -> bool:
    """Whether something of this kind is all in its definition. Of a volume that says how it is doing, and whose it was
    when a guest used it last: its document says what of it is to be.
    """
    kind = described(kind_name)
    return kind.has_xml and kind.is_defined and not kind.holds_data


def new_definition(ref: Ref, uid: str, spec: Spec, host: Host, there: Element) -> Element:
    """What a new object would be defined as, with what libvirt puts in where that is as it is `there`.

    Raises Unrenderable, ContradictionError.
    """
    xml, name = kinds()[ref.kind].xml, ref.short_name
    lowered = xml.lower(spec, name=name, uid=uid, host=host)
    made = write(xml.BINDS, xml.skeleton(lowered, name=name, uid=uid, host=host), lowered)
    if (exporter := exporters().get(ref.kind)) is not None:
        exporter.fill_in(made, there, host)
    return made


def complete(draft: Draft, original: str, host: Host) -> None:
    """Give a draft its overlay, in place. What is lost all the same is told."""
    root = parse(original)
    if DEFAULTS in kinds()[draft.ref.kind].declarations.SPEC.fields:
        draft.spec[DEFAULTS] = "libvirt"
    best = _completed(draft, root, host, draft.spec)
    for _ in range(_MOST_ROUNDS):
        if best is None or best[1].equal:
            break
        better = _better(draft, root, host, best)
        if better is None or _badness(better[1]) >= _badness(best[1]):
            break
        best = better
    if best is None:
        return
    draft.spec, refused = _consented(draft, best[0], host)
    draft.left = [
        *refused,
        *(f"{fact}" for fact in best[1].lost),
        *(f"{fact}, which a new one would have, and this one hasn't" for fact in best[1].added),
    ]


def _consented(draft: Draft, spec: NewSpec, host: Host) -> tuple[NewSpec, tuple[str, ...]]:
    """The spec with as much of its overlay as this host lets a document say, and half-sentences on the rest."""
    if OVERLAY not in spec:
        return spec, ()
    fragment = parse(spec[OVERLAY])
    if not (refused := without_refused(draft.ref.kind, fragment, host)):
        return spec, ()
    fields = {key: value for key, value in spec.items() if key != OVERLAY}
    return fields | ({OVERLAY: overlay_text(fragment)} if len(fragment) else {}), refused


def held_by(draft: Draft, original: str, host: Host) -> Held:
    """How much of its object a draft holds."""
    root = parse(original)
    try:
        found = compare(root, new_definition(draft.ref, draft.uid, draft.spec, host, root))
    except (Unrenderable, ContradictionError):
        return Held.nothing(original)
    return Held(found.kept, found.total)


_Completed = tuple[NewSpec, Comparison]


def _badness(found: Comparison) -> int:
    return len(found.lost) + len(found.added)


def _completed(draft: Draft, root: Element, host: Host, fields: NewSpec) -> _Completed | None:
    """These fields with the overlay that they need, and how what they make compares."""
    spec = {key: value for key, value in fields.items() if key != OVERLAY}
    try:
        made = new_definition(draft.ref, draft.uid, spec, host, root)
    except Unrenderable:
        return None
    found = [(spec, compare(root, made))]
    if OVERLAY in kinds()[draft.ref.kind].declarations.SPEC.fields:
        for whole_devices in (False, True):
            if found[-1][1].equal:
                break
            fragment = remainder(root, made, whole_devices=whole_devices)
            if fragment is None:
                break
            said = {**spec, OVERLAY: overlay_text(fragment)}
            with suppress(Unrenderable, ContradictionError):
                found.append((said, compare(root, new_definition(draft.ref, draft.uid, said, host, root))))
    return min(found, key=lambda each: _badness(each[1]))


def _better(draft: Draft, root: Element, host: Host, best: _Completed) -> _Completed | None:
    """The best of what says less; the first that is whole, for each costs as much as all that there is."""
    found: _Completed | None = None
    wrong = {step.partition("[")[0].lower() for fact in (*best[1].lost, *best[1].added) for step in _steps(fact.path)}
    for spec in _with_less(best[0], wrong):
        other = _completed(draft, root, host, spec)
        if other is not None and (found is None or _badness(other[1]) < _badness(found[1])):
            found = other
            if other[1].equal:
                break
    return found


def _steps(path: str) -> list[str]:
    return path.removeprefix("devices/").split("/")


def _with_less(spec: NewSpec, first: Collection[str]) -> Iterator[NewSpec]:
    """The spec without each of its fields, and without each item of each list: those that are called as some elements
    are come `first`.
    """
    for key, value in sorted(spec.items(), key=lambda field: not any(map(field[0].lower().startswith, first))):
        if key in _STAY:
            continue
        if isinstance(value, list):
            for index in range(len(value)):
                less: Any = copy.copy(value)
                del less[index]
                yield {**spec, key: less} if less else {k: v for k, v in spec.items() if k != key}
        yield {other: each for other, each in spec.items() if other != key}
