"""The disks whose volumes can't be renamed along with their machine: its document names them as they are.

A volume that isn't a file of this machine (in a volume group, on another host) keeps its name. With nothing said the
new name would ask for new, empty ones.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import NoneType

from reconciler.desired.virtualmachine.implied import FIRST_DISK, VOLUME_FIELDS
from reconciler.locality import is_here
from reconciler.loop.passes import World
from reconciler.serving.serving import Serving
from specs.plain import NewDocument
from specs.reference import STORAGE_VOLUME, Ref
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.storage.named_sources import disk_name


def fixed_disks(serving: Serving, world: World, machine: Ref) -> dict[str, Ref]:
    """The volumes of a machine's own disks that keep their names, by the names of the disks."""
    resource = world.desired.resources.get(machine)
    found: dict[str, Ref] = {}
    for disk in (MACHINES.declared(resource.spec).get("disks") or ()) if resource is not None else ():
        volume = Ref(STORAGE_VOLUME, disk_name(disk))
        declared = world.desired.resources.get(volume)
        if declared is not None and declared.parent == machine and not _is_file_here(serving, world, volume):
            found[str(disk.get("name"))] = volume
    return found


def name_disks(document: NewDocument, fixed: Mapping[str, Ref], world: World, machine: Ref) -> None:
    """Have a machine's document name these volumes instead of asking for them by their size."""
    disks = document["spec"].get("disks")
    if not fixed or not isinstance(disks, list | NoneType):
        return
    if disks is None:  # they are its template's: as they were made out, when each has a volume of its own by now
        resolved = MACHINES.declared(world.desired.resources[machine].spec)["disks"]
        if len(fixed) == len(resolved):
            document["spec"]["disks"] = [dict(disk) for disk in resolved]
        return
    document["spec"]["disks"] = [
        {key: value for key, value in disk.items() if key not in VOLUME_FIELDS} | {"volume": fixed[name].name}
        if "volume" not in disk and (name := str(disk.get("name", FIRST_DISK))) in fixed
        else disk
        for disk in disks
    ]


def keep_with(serving: Serving, before: Ref, machine: Ref, world: World) -> World:
    """What was made for a machine under its former name leaves with it: the ledger goes on knowing whose it is.

    `world` is that in which it is renamed; gives one in which the disks are its own. Raises StateError, Transient.
    """
    kept = [
        replace(entry, parent=machine)
        for entry in world.owned.values()
        if entry.parent == before and not entry.seed
        if entry.ref in world.snapshot.objects and entry.ref not in world.desired.resources
    ]
    if not kept:
        return world
    serving.ledger.change(own=kept)
    return serving.operations.look_again(machine)


def _is_file_here(serving: Serving, world: World, volume: Ref) -> bool:
    seen = world.snapshot.get(volume)
    if seen is None:
        return True  # not made yet: it gets the new name
    try:
        return is_here(serving.settings.connect) and stat.S_ISREG(Path(str(seen.details.get("path"))).lstat().st_mode)
    except OSError:
        return False
