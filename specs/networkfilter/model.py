"""The shape of a NetworkFilter's spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from specs.networkfilter.built_in import BUILT_IN, filter_refs
from specs.networkfilter.matching_fields import PARTS

if TYPE_CHECKING:
    from specs.networkfilter.spec import NetworkFilterSpec
    from specs.reference import Ref


def references(_name: str, spec: NetworkFilterSpec) -> Iterable[Ref]:
    """The filters that it includes."""
    return filter_refs(*(rule["filter"] for rule in spec.get("rules", ()) if "filter" in rule))


def check(name: str, spec: NetworkFilterSpec) -> Iterator[tuple[str, str]]:
    """The rules that hold between fields. Relies on the shape that the schema asks for."""
    if name in BUILT_IN:
        yield (
            "",
            f"{name} is one of libvirt's own filters; give this one another name, and include that one by `filter`.",
        )
    for index, rule in enumerate(spec.get("rules", ())):
        at = f"/rules/{index}"
        if rule.get("filter") == name:
            yield f"{at}/filter", "A filter can't include itself; name another one."
        protocol = rule.get("protocol")
        if protocol not in PARTS:
            continue
        for field in ("match", "noMatch"):
            for part in sorted(rule.get(field, {}).keys() - PARTS[protocol]):
                yield (
                    f"{at}/{field}/{part}",
                    (
                        f"A packet of {protocol} has no `{part}` for a filter, and libvirt would pass over it; remove it, "
                        "or choose another protocol."
                    ),
                )
        for part in sorted(rule.get("match", {}).keys() & rule.get("noMatch", {}).keys()):
            yield f"{at}/noMatch/{part}", f"`{part}` is in `match` too, and libvirt keeps one of them; remove one."
