"""Has libvirt look at a pool again, when somebody asks for it."""

from __future__ import annotations

from reconciler.errors import Refused
from reconciler.hypervisor.connection import Lane
from reconciler.hypervisor.handlers import Access
from reconciler.hypervisor.lookup import get
from reconciler.hypervisor.patience import patiently
from reconciler.planning.one_off import RefreshPool


def refresh(access: Access, operation: RefreshPool) -> None:
    """Let libvirt look at an active pool again. Raises Refused for one that isn't."""
    ref = operation.ref
    # Data: a server that keeps silent must not keep others from their quick calls.
    with access.locks.of(ref), access.connections.lend(f"refresh {ref}", Lane.DATA) as connection:
        pool = get(connection, ref)
        if not pool.isActive():
            raise Refused(f"{ref} isn't active; activate it first.", reason="PoolInactive")
        patiently(pool.refresh)
