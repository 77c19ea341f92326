"""What a template means for a VM: how specs are laid over each other, and a template's words in a VM's.

Pure functions on plain dictionaries. Which template a document names, and whether it exists, is resolve.py's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from specs.plain import NewSpec, Spec

if TYPE_CHECKING:
    from specs.template.spec import Disk as TemplateDisk
    from specs.template.spec import TemplateSpec
    from specs.virtualmachine.spec import Cdrom, Interface, VirtualMachineSpec

# Fields that only make sense as a whole: half of one secret's place laid over half of another's names nothing.
_WHOLE = frozenset({"passwordFrom"})

# A template's fields that a VM has under the same name and with the same meaning.
_SAME = (
    "osDistro", "osVersion", "cpus", "maximumCpus", "memory", "maximumMemory", "graphics", "cpuTopology", "icon",
    "bootDevices", "defaults", "guestOs",
)  # fmt: skip


def merged(base: Spec, over: Spec) -> NewSpec:
    """`over` laid over `base`: dictionaries are merged, anything else (scalars, lists) is replaced. Changes neither."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping) and key not in _WHOLE:
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result


def machine_fields(template: TemplateSpec) -> VirtualMachineSpec:
    """The part of a VirtualMachine's spec that a Template's (with its own templates already below it) stands for."""
    fields: VirtualMachineSpec = _same(template)
    if "networks" in template:
        fields["interfaces"] = list(_interfaces(template["networks"]))
    if "disks" in template:
        fields["disks"] = list(_disks(template["disks"], template.get("storagePool")))
    if "cdrom" in template:
        fields["cdroms"] = [_cdrom(template["cdrom"])]
    return fields


def _same(template: TemplateSpec) -> Any:
    return {key: value for key, value in template.items() if key in _SAME}


def _interfaces(networks: Iterable[str]) -> Iterator[Interface]:
    seen: dict[str, int] = {}
    for network in networks:
        again = seen[network] = seen.get(network, 0) + 1
        # An interface is called like its network; from the second one on it needs a name of its own.
        yield {"network": network} if again == 1 else {"name": f"{network}-{again}", "network": network}


def _disks(disks: Sequence[TemplateDisk], pool: str | None) -> Iterator[Any]:
    """By index; a disk without one is at its place in the list."""
    placed = sorted(((disk.get("index", place), place, disk) for place, disk in enumerate(disks)), key=lambda d: d[:2])
    for index, _, disk in placed:
        entry: NewSpec = {"name": f"disk{index}"}
        if "size" in disk:
            size = disk["size"]
            entry["size"] = f"{size}GiB" if isinstance(size, int) else size
        entry |= {key: value for key, value in disk.items() if key in ("base", "volume", "format")}
        named = "/" in disk.get("volume", "")  # with its own pool: the template's is for the others
        if (chosen := disk.get("pool", None if named else pool)) is not None:
            entry["pool"] = chosen
        yield entry


def _cdrom(medium: str) -> Cdrom:
    if medium.startswith("/"):
        return {"path": medium}
    return {"url": medium} if "://" in medium else {"volume": medium}
