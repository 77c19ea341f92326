"""NUMA cells in a definition: the machine is as large as they are together, whatever else is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specs.binding import Element, child_at, drop_attributes
from specs.declared_binds import bound
from specs.virtualmachine.compute.amounts import kib_of
from specs.virtualmachine.compute.layout import memory_in_modules
from specs.virtualmachine.compute.ranges import Cells, processors_of
from specs.virtualmachine.fields import SPEC

_HERE, _ELSEWHERE = 10, 20  # as ACPI has it


def with_distances(cells: Cells) -> list[dict[str, Any]]:
    """Where a cell has distances, those to all: libvirt takes what isn't said from the other end, or from its table."""
    said = {(cell["id"], each["cell"]): each["value"] for cell in cells for each in cell.get("distances", ())}

    def distance(one: int, other: int) -> int:
        return int(said.get((one, other), said.get((other, one), _HERE if one == other else _ELSEWHERE)))

    numbers = sorted(cell["id"] for cell in cells)
    return [
        {**cell, "distances": [{"cell": other, "value": distance(cell["id"], other)} for other in numbers]}
        if "distances" in cell
        else dict(cell)
        for cell in cells
    ]


def settle_sums(root: Element, declared: Mapping[str, Any], _binds: object) -> None:
    """Have the machine as large as its declared cells with its modules: libvirt would count them together anyway."""
    cells: Cells = (declared.get("numa") or {}).get("cells") or ()
    if not cells:
        return
    memory = child_at(root, "memory")
    memory.text = str(sum(kib_of(cell["memory"]) for cell in cells) + memory_in_modules(root))
    memory.set("unit", "KiB")
    processors = processors_of(cells)
    if processors and "maximumCpus" not in declared:
        vcpu = child_at(root, "vcpu")
        count, now = len(processors), vcpu.get("current") or vcpu.text or "1"
        vcpu.text = str(count)
        drop_attributes(vcpu, "current")
        if int(now) < count:
            vcpu.set("current", now)


# All of them, or none: one that isn't declared would have a part of the machine. Written behind the machine's own size.
CELLS = bound(SPEC, "numa/cells", complete=True, settle=settle_sums)
