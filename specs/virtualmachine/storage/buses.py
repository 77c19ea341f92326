"""What a bus can't do, for validation as for planning: two sentences shouldn't differ about it."""

from __future__ import annotations

from typing import Final

NEVER_READ_ONLY: Final = frozenset({"sata", "ide"})  # QEMU's disks there can only be written to as well


def lacks_ide(machine: str) -> bool:
    """True for a machine type without IDE."""
    return "q35" in machine
