"""Refuses what a document may not name on the host: a secret's place, a new pool's folder, see `specs/reach.py`; and
what the host's administrator has forbidden, see `specs/forbidden.py`.

What is on the host already stays, is still managed in all else, and is told: a document that names a secret that isn't
its own is taken as if it named none, and a pool that is there already is one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.overlaid import FIELD
from reconciler.planning.ownership import Fact
from reconciler.planning.plan import Blocked
from reconciler.planning.rules import Refused, rules_of
from specs.forbidden import forbidden_in, told
from specs.plain import Spec
from specs.reach import Reach

NOT_ALLOWED: Final = "NotAllowed"
_SUFFIX: Final = " within reach"  # of the digest of what is taken so: once all of it may be had, it is another document


def within_reach(
    resource: Resource, observed: Observed | None, context: Context, assess: Callable[[Resource], Assessment]
) -> Assessment:
    """What `assess` says of the resource, or of as much of it as its document may ask for, and why not of the rest."""
    reach = context.host.reach
    if reach is None:
        return assess(resource)
    refused = dict(rules_of(resource.ref.kind).refused(resource, observed, reach))
    unsafe = beyond(resource, context.host.allowed_folders, reach)
    implied = resource.parent is not None
    forbidden = tuple(forbidden_in(reach.forbidden, resource.ref.kind, resource.spec, implied=implied))
    if not refused and not forbidden and not unsafe:
        return assess(resource)
    why = "; ".join((*refused.values(), *filter(None, (unsafe,)), *((told(forbidden),) if forbidden else ())))
    blocked = Blocked(resource.ref, NOT_ALLOWED, why, resource.path, resource.line)
    if observed is None or not all(rule.pointer for rule in forbidden):
        return Assessment(blocked=blocked)
    found = assess(_without(resource, refused, [*(rule.pointer for rule in forbidden), *_as_it_is(unsafe)], context))
    return found if found.blocked is not None else replace(found, blocked=blocked)


def beyond(resource: Resource, folders: Iterable[str], reach: Reach) -> str:
    """Why the XML in a document can't be had here; empty where it can, or there is none."""
    text = resource.spec.get(FIELD)
    if not text:
        return ""
    from specs.overlay.in_fields import in_fields  # with lxml, which only such a document needs
    from specs.overlay.reaching import refusal

    kind = resource.ref.kind
    whys = [refusal(kind, text, reach.xml_areas, folders)]
    fields = tuple(rule for rule in reach.forbidden if rule.field and rule.field != (FIELD,))
    if fields and (rules := tuple(forbidden_in(fields, kind, in_fields(kind, text)))):
        whys.append(f"{FIELD}: {told(rules)}")
    return "; ".join(filter(None, whys))


def _as_it_is(unsafe: str) -> tuple[str, ...]:
    return (f"/{FIELD}",) if unsafe else ()


def secret(
    spec: Spec, where: tuple[str, ...], owners: Collection[str], reach: Reach, *, whole: bool = False
) -> Iterator[Refused]:
    """The secret that a spec names at `where`, if it can't be had; with `whole`, all else there goes with it."""
    source = _at(spec, where).get("passwordFrom")
    if source is not None and not reach.has_secret(source, owners):
        field = (*where, "passwordFrom")
        yield where if whole else field, f"{'.'.join(field)}: {reach.no_secret(source)}"


def _at(spec: Spec, where: tuple[str, ...]) -> Spec:
    for key in where:
        spec = spec.get(key) or {}
    return spec


def _without(
    resource: Resource, fields: Iterable[tuple[str, ...]], ignored: Collection[str], context: Context
) -> Resource:
    """The document as if it didn't speak of these fields, and left what is `ignored` as it is.

    What was applied before fields were refused stays applied; what is ignored isn't marked as its document's any more.
    """
    spec, policy = resource.spec, resource.policy
    for field in fields:
        spec = _cut(spec, field)
    entry = context.owned.get(resource.ref)
    applied = not ignored and entry is not None and entry.facts.get(Fact.DIGEST) == resource.digest
    return replace(
        resource,
        spec=spec,
        policy=replace(policy, ignore_fields=(*policy.ignore_fields, *ignored)),
        digest=resource.digest if applied else resource.digest + _SUFFIX,
    )


def _cut(spec: Spec, field: tuple[str, ...]) -> Spec:
    key, *left = field
    rest = {each: value for each, value in spec.items() if each != key}
    return {**rest, key: _cut(spec[key], tuple(left))} if left else rest
