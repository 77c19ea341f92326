"""How a machine's memory and processors are laid out: NUMA cells, and what is said of single processors.

A machine with one cell is as one without: the cell is as large as the machine. With several, which of them would grow
is nobody's to guess, so what would change their sum is refused. libvirt works the sums out from the cells and would
take back what contradicts them, without a word.
"""

from __future__ import annotations

from specs.binding import Around, Element, Field
from specs.codecs import INTEGER, bytes_of
from specs.virtualmachine.compute.ranges import as_ranges, numbers

_KIB = 1024
_OF_PROCESSORS = ("vcpusched", "cachetune", "memorytune")  # children of cputune that name processors by ranges


def has_cells(root: Element) -> bool:
    """True for a machine whose cells a document can't arrange: several of them."""
    return len(_cells(root)) > 1


def refuse_memory(new: int, around: Around) -> str:
    """Why a machine can't have another maximum of memory than its cells have, or less than its modules."""
    cells, maximum = around.observed.get("cells") or 0, around.observed.get("maximumMemory")
    modules = around.observed.get("modules") or 0
    if new <= modules and "memoryModules" not in around.declared:
        return f"{modules} MiB of its memory are modules that are plugged in; declare more, or unplug them first"
    if cells < 2 or _declares_cells(around):
        return ""
    return (
        f"its memory is laid out in {cells} NUMA cells of {maximum} MiB together, and no document says which of them "
        "would change; declare the cells with their sizes as `numa.cells`"
    )


def refuse_more_memory(new: int, around: Around) -> str:
    """As `refuse_memory`, but less than the cells have is possible: the guest gives it back."""
    modules = 0 if "memoryModules" in around.declared else around.observed.get("modules") or 0
    within = modules < new <= (around.observed.get("maximumMemory") or 0)
    return "" if within else refuse_memory(new, around)


def refuse_cpus(new: int, around: Around) -> str:
    """Why a machine can't have more processors, or another maximum, than its cells have."""
    cells, maximum = around.observed.get("cells") or 0, around.observed.get("maximumCpus")
    if cells < 2 or new == maximum or _declares_cells(around):
        return ""
    return (
        f"its {maximum} processors are divided among {cells} NUMA cells, and no document says which of them would "
        "change; declare the cells with their processors as `numa.cells`"
    )


def refuse_more_cpus(new: int, around: Around) -> str:
    """As `refuse_cpus`, but fewer are possible: the others stay unplugged."""
    return refuse_cpus(new, around) if new > (around.observed.get("maximumCpus") or 0) else ""


def _declares_cells(around: Around) -> bool:
    return bool((around.declared.get("numa") or {}).get("cells"))


def refuse_topology(new: dict[str, int], around: Around) -> str:
    """As `refuse_cpus`, for the processors that a topology makes."""
    product = 1
    for count in new.values():
        product *= count
    return refuse_cpus(product, around)


def settle_memory(root: Element, kib: int) -> None:
    """Make the only cell, and the room for memory modules, fit a machine of `kib` KiB."""
    room = root.find("maxMemory")
    if room is not None and _kib(room) < kib:
        room.text = str(kib)
        room.set("unit", "KiB")
    for cell in _cells(root):
        cell.set("memory", str(max(kib - memory_in_modules(root), _KIB)))
        cell.set("unit", "KiB")


def settle_processors(root: Element, count: int) -> None:
    """Make the only cell have all `count` processors, and forget what is said of those that are gone."""
    if not has_cells(root):
        for cell in _cells(root):
            cell.set("cpus", f"0-{count - 1}" if count > 1 else "0")
    for tag in _OF_PROCESSORS:
        for tuned in root.findall(f"cputune/{tag}"):
            left = numbers(tuned.get("vcpus") or "", below=count)
            if left:
                tuned.set("vcpus", as_ranges(left))
            elif (holder := tuned.getparent()) is not None:
                holder.remove(tuned)
    for pinned in root.findall("cputune/vcpupin"):
        if (INTEGER.decode(pinned.get("vcpu") or "") or 0) >= count and (holder := pinned.getparent()) is not None:
            holder.remove(pinned)


def _cells(root: Element) -> list[Element]:
    return root.findall("cpu/numa/cell")


def memory_in_modules(root: Element) -> int:
    """KiB of a machine's memory that are modules."""
    return sum(map(_kib, root.iterfind("devices/memory/target/size")))


def kib_set_aside(root: Element) -> int:
    """KiB that a running guest's virtio-mems have and it doesn't use. libvirt doesn't count them as what there is now,
    unlike a definition.
    """
    return sum(
        _kib(size) - _kib(current)
        for target in root.iterfind("devices/memory/target")
        if (current := target.find("current")) is not None and (size := target.find("size")) is not None
    )


def _kib(size: Element) -> int:
    return (bytes_of(size.text or "", size.get("unit") or "KiB") or 0) // _KIB


# Observed only, for the refusals: no document can say them.
LAYOUT = (
    Field("cells", get=lambda root: len(_cells(root)) or None),
    Field("modules", get=lambda root: memory_in_modules(root) // _KIB or None),  # MiB
)
