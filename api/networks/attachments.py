"""Who is plugged into which network, in one pass over a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from reconciler.observed.readable import readable
from reconciler.observed.snapshot import Snapshot
from specs.reference import VIRTUAL_MACHINE
from specs.virtualmachine import KIND as MACHINES


@lru_cache(maxsize=2)
def machines_on_networks(snapshot: Snapshot) -> Mapping[str, tuple[str, ...]]:
    """The names of the machines by the network that they have an interface on, running or at their next start."""
    found: dict[str, set[str]] = {}
    for seen in readable(snapshot, VIRTUAL_MACHINE):
        for spec in (seen.config, seen.live):
            for interface in MACHINES.lowered(spec or {}).get("interfaces", ()):
                if network := interface.get("network"):
                    found.setdefault(network, set()).add(seen.ref.name)
    return {network: tuple(sorted(names)) for network, names in found.items()}
