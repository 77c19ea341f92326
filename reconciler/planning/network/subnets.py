"""Subnets for networks that declare none."""

from __future__ import annotations

from reconciler.planning.context import Context
from specs.network import KIND as NETWORKS
from specs.network.subnet import free_subnet
from specs.reference import NETWORK


class SubnetChooser:
    """Hands out free subnets, each once, counting those that the revision itself declares as used."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._used: list[str] = []
        self.given = 0

    def __call__(self) -> str:
        """The next one that is free."""
        self._used = self._used or self._in_use()
        chosen = free_subnet(self._used)
        self._used.append(chosen)
        self.given += 1
        return chosen

    def _in_use(self) -> list[str]:
        context = self._context
        networks = (each for each in context.desired.resources.values() if each.ref.kind == NETWORK)
        declared = (NETWORKS.declared(each.spec).get("subnet") for each in networks)
        remembered = (entry.facts.get("subnet") for entry in context.owned.values() if entry.ref.kind == NETWORK)
        used = (*context.snapshot.host.used_subnets, *declared, *remembered)
        return [str(subnet) for subnet in used if subnet]
