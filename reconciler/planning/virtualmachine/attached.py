"""Whether a machine's definition names a volume, also one that can't be seen now: its pool is off, or it can't be read.

Told by the sources of its drives alone. A search in the text would find a volume called `data` in every definition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.observed.snapshot import Observed
from specs.reference import Ref
from specs.virtualmachine import KIND as MACHINES

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredSource


def has_volume(machine: Observed | None, volume: Ref) -> bool:
    """Whether a drive is this volume, or a snapshot's file above it; of a volume that isn't seen the name has to do."""
    if machine is None:
        return False
    config = MACHINES.lowered(machine.config)
    drives = (*config.get("disks", ()), *config.get("cdroms", ()), *config.get("floppies", ()))
    return any(_is(drive.get("source") or {}, volume) for drive in drives)


def _is(source: LoweredSource, volume: Ref) -> bool:
    if "volume" in source:
        return Ref.volume(source.get("pool", ""), source["volume"]) == volume
    paths = (source.get("file") or source.get("dev") or "", *source.get("backing", ()))
    return any(path.rpartition("/")[2] == volume.short_name for path in paths)
