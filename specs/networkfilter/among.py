"""What several filters may not do together: include each other in a circle, which libvirt refuses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from specs.among import Clash, Placed

if TYPE_CHECKING:
    from specs.networkfilter.spec import NetworkFilterSpec
    from specs.reference import Ref


def check_among(declared: Sequence[tuple[Placed, NetworkFilterSpec]], _known: Collection[Ref]) -> Iterator[Clash]:
    """Each that comes back to itself by way of others."""
    includes = {document.ref.name: _included(spec) for document, spec in declared}
    for document, _ in declared:
        name = document.ref.name
        way = _way_back(name, includes)
        if len(way) > 1:
            circle = " → ".join((name, *way))
            yield document, "/spec/rules", f"These filters include each other, {circle}; take one of them out."


def _included(spec: NetworkFilterSpec) -> tuple[str, ...]:
    return tuple(rule["filter"] for rule in spec.get("rules", ()) if "filter" in rule)


def _way_back(name: str, includes: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The filters from one to itself; empty when it doesn't come back. The shortest way, whatever else is circular."""
    ways: dict[str, tuple[str, ...]] = {each: (each,) for each in includes.get(name, ())}
    looked_at = list(ways)
    while looked_at and name not in ways:
        at = looked_at.pop(0)
        for each in includes.get(at, ()):
            if each not in ways:
                ways[each] = (*ways[at], each)
                looked_at.append(each)
    return ways.get(name, ())
