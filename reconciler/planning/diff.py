"""Declared × config × live: what differs by meaning, minus what the document asks to ignore."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning import overlaid
from specs.binding import Bind, Field, Items, parse, value_at
from specs.comparing import differences
from specs.effect import Change, Effect
from specs.going_along import going_along
from specs.host import Host
from specs.mark import read_mark
from specs.plain import NewSpec, Spec
from specs.registry import kinds


@dataclass(frozen=True, slots=True)
class Comparison:
    """`config` and `live` are the differences against the persistent and the running definition."""

    lowered: Spec  # without the ignored fields, and without what is refused
    config: tuple[Change, ...]
    live: tuple[Change, ...]
    extras: tuple[str, ...]
    refused: tuple[Change, ...]  # what can't be changed, each with the sentence why; in nothing else of this
    managed: frozenset[str]  # pointers of every list item that is declared now
    earlier: frozenset[str]  # pointers of the list items that have to go where they aren't declared


def compare(
    resource: Resource,
    observed: Observed,
    host: Host,
    spec: Spec | None = None,
    earlier: frozenset[str] = frozenset(),
) -> Comparison:
    """Compare one resource with its object. `spec` stands in for the resource's own where something was chosen for it;
    `earlier` is what the ledger remembers of an object that has no mark.

    Raises Unrenderable when it needs what the host lacks.
    """
    xml = kinds()[resource.ref.kind].xml
    declared = resource.spec if spec is None else spec
    full = xml.lower(declared, name=resource.ref.short_name, uid=observed.uid or resource.uid, host=host)
    return compare_lowered(resource, observed, full, earlier)


def compare_lowered(
    resource: Resource, observed: Observed, full: Spec, earlier: frozenset[str] = frozenset()
) -> Comparison:
    """As `compare`, with a spec that is lowered already."""
    xml = kinds()[resource.ref.kind].xml
    lowered = without_fields(full, resource.policy.ignore_fields, xml.BINDS)
    earlier |= observed.mark.managed if observed.mark is not None else frozenset()
    ignored = ignored_lists(resource.policy.ignore_fields)
    before = frozenset(
        pointer
        for pointer in earlier
        if pointer.split("/", 2)[1] not in ignored and pointer not in resource.policy.ignore_fields
    )
    before |= _undeclared(resource.policy.complete, lowered, observed, xml.BINDS)
    config, extras = differences(xml.BINDS, lowered, observed.config, before)
    refused = tuple(change for change in config if change.effect is Effect.FORBIDDEN and change.note)
    if refused:
        lowered = _without_refused(lowered, refused, xml.BINDS)
        config, extras = differences(xml.BINDS, lowered, observed.config, before)
    live: list[Change] = []
    if observed.live is not None:
        left = frozenset(
            pointer for pointer in left_behind(observed, xml.BINDS) if pointer.split("/", 2)[1] not in ignored
        )
        before |= left
        live, _ = differences(xml.BINDS, lowered, observed.live, before)
        live = [_resting(change) if change.pointer in left else change for change in live]
    said, run = overlaid.changes(resource.ref.kind, lowered, observed, before)
    managed = managed_items(lowered, xml.BINDS) | overlaid.own(earlier - before)  # what is left as it is stays known
    return Comparison(lowered, (*config, *said), (*live, *run), tuple(extras), refused, managed, before)


def _without_refused(lowered: Spec, refused: Iterable[Change], binds: Iterable[Bind]) -> NewSpec:
    """A copy without the fields, and the new items of lists, that the object can't have."""
    trimmed = without_fields(lowered, [change.pointer for change in refused], binds)
    gone = {change.pointer for change in refused}
    for bind in binds:
        if isinstance(bind, Items) and (items := value_at(trimmed, bind.name)):
            _put(trimmed, bind.name, [item for item in items if f"/{bind.name}/{bind.label(item)}" not in gone])
    return trimmed


def left_behind(observed: Observed, binds: Iterable[Bind]) -> frozenset[str]:
    """The pointers of what a run still has of what was declared when it began, and the definition no longer has.

    A guest didn't let go of it, or whoever asked was cut off. The definition's mark has forgotten it; the run's is as
    old as the run.
    """
    found: set[str] = set()
    marked: frozenset[str] | None = None
    for bind in binds:
        if not isinstance(bind, Items) or not (items := value_at(observed.live or {}, bind.name)):
            continue
        defined = {bind.label(item) for item in value_at(observed.config, bind.name) or ()}
        for item in items:
            if bind.label(item) in defined:
                continue
            if marked is None:
                mark = read_mark(parse(observed.live_xml)) if observed.live_xml else None
                marked = mark.managed if mark is not None else frozenset()
            if (pointer := bind.removal(item, marked, listed=False)) is not None:
                found.add(pointer)
    return frozenset(found)


def _resting(change: Change) -> Change:
    """A disk that a run still has isn't pulled: a person may have plugged it in again, to save what is on it."""
    if change.new is not None or not change.pointer.startswith("/disks/"):
        return change
    return replace(change, effect=Effect.NEXT_BOOT, note="the guest still has it, the definition doesn't")


def told_along(comparison: Comparison, observed: Observed) -> Comparison:
    """The same, with each change of the definition telling what goes with it: a VLAN tag, SPICE's channels."""
    if not comparison.config:
        return comparison
    binds = kinds()[observed.ref.kind].xml.BINDS
    going = going_along(binds, parse(observed.xml), comparison.lowered)
    return replace(
        comparison, config=tuple(_telling(change, going.get(change.pointer)) for change in comparison.config)
    )


def _telling(change: Change, names: tuple[str, ...] | None) -> Change:
    if not names or change.note:
        return change
    return replace(change, note=f"{', '.join(names)} {'go' if len(names) > 1 else 'goes'} with it")


def with_ignored_state(resource: Resource, observed: Observed) -> Resource:
    """The resource as it is compared: what it ignores of the state that no XML holds is as it was found.

    Power, the start with the host: `ignoreFields` of them leaves them to somebody else once the object is made.
    """
    found: NewSpec = {
        "autostart": observed.autostart,
        "active": observed.active,
        "paused": None,
        "runStrategy": "Manual",
    }
    ignored = {
        field: value
        for field, value in found.items()
        if f"/{field}" in resource.policy.ignore_fields and field in (*resource.spec, "active", "runStrategy")
    }
    return replace(resource, spec={**resource.spec, **ignored}) if ignored else resource


def managed_items(lowered: Spec, binds: Iterable[Bind]) -> frozenset[str]:
    """The pointers of all list items of a lowered spec, and of all that its fragment states, as the mark keeps them."""
    return frozenset(
        f"/{bind.name}/{bind.label(item)}"
        for bind in binds
        if isinstance(bind, Items)
        for item in value_at(lowered, bind.name) or ()
    ) | overlaid.managed(lowered)


def _undeclared(complete: Iterable[str], lowered: Spec, observed: Observed, binds: Iterable[Bind]) -> frozenset[str]:
    """The pointers of all items of complete lists. A list that isn't declared at all, or is ignored, is never one."""
    wanted = frozenset(complete)
    return frozenset(
        f"/{bind.name}/{bind.label(item)}"
        for bind in binds
        if isinstance(bind, Items) and bind.name in wanted and value_at(lowered, bind.name) is not None
        for spec in filter(None, (observed.config, observed.live))
        for item in value_at(spec, bind.name) or ()
    )


def ignored_lists(pointers: Iterable[str]) -> frozenset[str]:
    """The lists that are ignored as a whole."""
    return frozenset(pointer.strip("/") for pointer in pointers if pointer.count("/") == 1)


def without_fields(lowered: Spec, pointers: Collection[str], binds: Iterable[Bind]) -> NewSpec:
    """A copy without the fields that JSON pointers name: `/memory`, `/dhcp/start`, `/disks`, `/disks/0/bus`.

    A list item goes by its position in the document, its name, or its label in a plan.
    """
    trimmed = dict(lowered)
    for pointer in pointers:
        way = pointer.strip("/")
        for bind in binds:
            if bind.name == way or (isinstance(bind, Field) and bind.name.startswith(f"{way}/")):
                _drop(trimmed, bind.name.split("/"))
            elif isinstance(bind, Items) and way.startswith(f"{bind.name}/"):
                rest = way.removeprefix(f"{bind.name}/")
                if (items := value_at(trimmed, bind.name)) is not None:  # an empty list would say something of its own
                    _put(trimmed, bind.name, [_trim_item(bind, i, item, rest) for i, item in enumerate(items)])
    overlaid.without_ignored(trimmed, pointers)
    return trimmed


def _trim_item(bind: Items, position: int, item: Spec, rest: str) -> Spec:
    for label in filter(None, (str(position), bind.label(item), item.get("name"))):
        if rest.startswith(f"{label}/"):
            field = rest.removeprefix(f"{label}/")
            return {key: value for key, value in item.items() if key != field}
    return item


def _put(spec: NewSpec, name: str, value: Any) -> None:
    *way, last = name.split("/")
    for key in way:
        spec[key] = dict(spec[key])
        spec = spec[key]
    spec[last] = value


def _drop(spec: NewSpec, way: list[str]) -> None:
    *parents, last = way
    for key in parents:
        if key not in spec:
            return
        spec[key] = dict(spec[key])
        spec = spec[key]
    spec.pop(last, None)
