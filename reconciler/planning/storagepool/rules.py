"""What is so of storage pools, and what planning asks of them."""

from __future__ import annotations

from reconciler.planning.rules import Rules
from specs.reference import STORAGE_POOL


class PoolRules(Rules):
    """Of storage pools."""

    kind = STORAGE_POOL
    root = "pool"
    by_name = True
    keeps_volumes = True


RULES = PoolRules()
