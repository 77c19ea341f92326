"""Starts and stops what is defined and then active or not, and asks nobody inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.hypervisor.connection import Connections, Lane
from reconciler.hypervisor.lookup import find, get
from reconciler.planning.operations import Start, Stop


def start(connections: Connections, operation: Start, how: Callable[[Any], object]) -> None:
    """Start it; already started is fine. Raises NotFound, and Terminal or Transient for what libvirt says."""
    with connections.lend(f"start {operation.ref}", Lane.SLOW) as connection:
        found = get(connection, operation.ref)
        if not found.isActive():
            how(found)


def stop(connections: Connections, operation: Stop) -> None:
    """Stop it; already stopped or gone is fine."""
    with connections.lend(f"stop {operation.ref}", Lane.SLOW) as connection:
        found = find(connection, operation.ref)
        if found is not None and found.isActive():
            found.destroy()
