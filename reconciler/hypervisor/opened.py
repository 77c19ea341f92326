"""Which files an operation opens: what each kind says of each of its operations, and `traps` looks at before."""

from __future__ import annotations

from dataclasses import dataclass

from specs.reference import Ref


@dataclass(frozen=True)
class Opened:
    """What an operation has libvirt or QEMU open: volumes, files that its XML names, or all disks of a machine."""

    volumes: tuple[Ref, ...] = ()
    files: tuple[str, ...] = ()
    machine: Ref | None = None
    already_of: Ref | None = None  # what this machine has already isn't opened by it
