"""The subnets that a host's networks use: no new network gets one of those."""

from __future__ import annotations

from functools import lru_cache

from reconciler.bulkhead import Failure, contained
from reconciler.hypervisor.host.subnets import subnet
from reconciler.hypervisor.places import Places
from reconciler.observed.snapshot import Observed
from specs.binding import parse


def tell(seen: Observed, places: Places) -> None:
    """Add the subnets of a network, as it is defined and as it runs."""
    found = contained("finding its subnets", seen.ref, (seen.xml, seen.live_xml), _subnets_of, seen)
    places.subnets.update(() if isinstance(found, Failure) else found)


@lru_cache(maxsize=1024)
def _network_subnets(xml: str) -> tuple[str, ...]:
    found: list[str] = []
    for element in parse(xml).findall("ip"):
        address = element.get("address") or ""
        size = element.get("prefix") or element.get("netmask") or ("64" if ":" in address else "24")
        found += subnet(address, size)
    return tuple(found)


def _subnets_of(network: Observed) -> tuple[str, ...]:
    running = _network_subnets(network.live_xml) if network.live_xml is not None else ()
    return (*_network_subnets(network.xml), *running)
