"""What the benchmark's objects are called. Nothing else on the host is read by name, changed or removed."""

from __future__ import annotations

PREFIX = "onggi-bench-"
POOL = f"{PREFIX}pool"
NETWORK = f"{PREFIX}net"
MEMORY_MIB = 64


def machine(number: int) -> str:
    """The name of a machine."""
    return f"{PREFIX}vm{number:04d}"
