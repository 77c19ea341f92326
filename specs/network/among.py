"""What several networks may not have in common: addresses, while both run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from specs.among import SHOWN, Clash, Placed
from specs.network.model import NO_SUBNET

if TYPE_CHECKING:
    from specs.network.spec import NetworkSpec
    from specs.reference import Ref


def check_among(declared: Sequence[tuple[Placed, NetworkSpec]], _known: Collection[Ref]) -> Iterator[Clash]:
    """Networks that can't run beside each other: the host has one way to an address. One that is stopped is on none."""
    running = (
        (subnet, document.ref, document) for document, spec in declared if (subnet := _running_subnet(spec)) is not None
    )
    subnets = sorted(running, key=lambda each: each[:2])
    # Subnets lie in each other or apart, and a larger one is sorted before what lies in it: a stack holds those around.
    around: list[tuple[IPv4Network, Placed]] = []
    clashes: dict[Ref, list[Placed]] = defaultdict(list)
    for subnet, ref, document in subnets:
        while around and not around[-1][0].overlaps(subnet):
            around.pop()
        if around:
            outer = around[-1][1]
            clashes[ref].append(outer)
            clashes[outer.ref].append(document)
        around.append((subnet, document))
    for _, ref, document in subnets:
        others = [f"{other.ref} at {other.path}:{other.line}" for other in clashes[ref]]
        if others:
            where = ", ".join(others[:SHOWN]) + (f" and {len(others) - SHOWN} more" if len(others) > SHOWN else "")
            sentence = (
                f"This subnet overlaps that of {where}, and libvirt runs one network for an address; give each its "
                "own, or write `active: false` in all but one."
            )
            yield document, "/spec/subnet", sentence


def _running_subnet(network: NetworkSpec) -> IPv4Network | None:
    if network.get("subnet", NO_SUBNET) == NO_SUBNET or not network.get("active", True):
        return None
    return IPv4Network(network["subnet"], strict=False)
