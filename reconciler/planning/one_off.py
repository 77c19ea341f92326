"""Operations that are no desired state, as data: asked for once, done once, and not put back by any later pass.

They go through the same executor as a plan's operations, one at a time for each object. Unlike those, doing one a
second time isn't always success: a snapshot of a name that is taken is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from specs.reference import Ref


@dataclass(frozen=True, slots=True)
class CreateSnapshot:
    """Keep the state of a VM, disks and definition, inside its disks' images; of one that runs, its memory too.

    Refused with `NotWhileRunning`, `DiskNotSnapshotable`, `SnapshotExists` or `InvalidName`.
    """

    ref: Ref
    name: str


@dataclass(frozen=True, slots=True)
class RevertSnapshot:
    """Put a VM back to a snapshot: its disks, its definition, and whether it runs. One that runs is cut off."""

    ref: Ref
    name: str


@dataclass(frozen=True, slots=True)
class DeleteSnapshot:
    """Delete one snapshot; those that were made after it stay, with its parent as theirs."""

    ref: Ref
    name: str


@dataclass(frozen=True, slots=True)
class Reset:
    """Press a running VM's reset button: the guest isn't asked. Refused with `MachineNotRunning`."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class PowerOff:
    """Switch a VM off at once. Doesn't wait for another step of the same VM, such as one that waits for its guest."""

    ref: Ref
    urgent: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class WipeVolume:
    """Overwrite a volume's data. An image of another format than raw is an empty one of its size afterwards.

    Refused with `VolumeInUse`.
    """

    ref: Ref


@dataclass(frozen=True, slots=True)
class CloneVolume:
    """Copy a volume whole, without its backing files, into a new one: `ref`, which may be in another pool.

    `capacity` in bytes when it is to be larger. Refused with `VolumeInUse` while a running VM writes to the source,
    `ShrinkRefused` or `NoRoom`. What is `part_of` a long task (by its number; 0: of one that has none yet) is worth
    nothing before more is done: once it is there it stays noted as half-made until the task tells the ledger otherwise.
    """

    ref: Ref
    source: Ref
    capacity: int | None = None
    part_of: int | None = None


@dataclass(frozen=True, slots=True)
class RefreshPool:
    """Let the host look again at what is in an active pool. Refused with `PoolInactive`."""

    ref: Ref


OneOff = CreateSnapshot | RevertSnapshot | DeleteSnapshot | Reset | PowerOff | WipeVolume | CloneVolume | RefreshPool
