"""How much memory and how many processors a machine has, and how much of both it could have while it runs.

libvirt calls the maximum `memory` and `vcpu`, and what there is at present `currentMemory` and `current`. Memory is in
MiB. Where no maximum is declared and there was no room before, both move together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from specs.binding import Around, Element, child_at, drop_attributes, set_text_at, text_at
from specs.codecs import INTEGER, bytes_of
from specs.declared_binds import binder
from specs.effect import Effect
from specs.virtualmachine.compute.layout import (
    LAYOUT,
    has_cells,
    kib_set_aside,
    refuse_cpus,
    refuse_memory,
    refuse_more_cpus,
    refuse_more_memory,
    refuse_topology,
    settle_memory,
    settle_processors,
)
from specs.virtualmachine.fields import SPEC

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine

bind = binder(SPEC)

_MIB = 1 << 20
_KIB_PER_MIB = 1024
_MEMORY, _CURRENT_MEMORY = "memory", "currentMemory"


def _mebibytes(root: Element, path: str) -> int | float | None:
    element = root.find(path)
    count = None if element is None else bytes_of(element.text or "", element.get("unit") or "KiB")
    if count is None:
        return None
    return count // _MIB if count % _MIB == 0 else count / _MIB


def _maximum_memory(root: Element) -> int | float | None:
    return _mebibytes(root, _MEMORY)


def _memory(root: Element) -> int | float | None:
    current = _mebibytes(root, _CURRENT_MEMORY)
    if current is None:
        return _maximum_memory(root)
    aside = kib_set_aside(root)
    return current + aside // _KIB_PER_MIB if aside else current


def _put_memory(root: Element, mebibytes: int) -> None:
    maximum = _maximum_memory(root)
    # Room above the present size is somebody's intention, for the balloon; without any, both move together.
    if maximum is None or maximum < mebibytes or maximum == _memory(root):
        _set_maximum(root, mebibytes)
    _set_mebibytes(root, _CURRENT_MEMORY, mebibytes)


def _put_maximum_memory(root: Element, mebibytes: int) -> None:
    now = _memory(root)
    _set_maximum(root, mebibytes)
    if now is not None:  # without an amount of its own the machine would have all that it may have
        _set_mebibytes(root, _CURRENT_MEMORY, min(now, mebibytes))


def _set_maximum(root: Element, mebibytes: int) -> None:
    if has_cells(root):  # less than they have together is given back by the guest; more is refused
        return
    _set_mebibytes(root, _MEMORY, mebibytes)
    settle_memory(root, mebibytes * _KIB_PER_MIB)


def _set_mebibytes(root: Element, path: str, mebibytes: int | float) -> None:
    element = child_at(root, path)
    whole = mebibytes == int(mebibytes)
    element.text = str(int(mebibytes if whole else mebibytes * _KIB_PER_MIB))
    element.set("unit", "MiB" if whole else "KiB")


def _memory_effect(_old: Any, new: int, around: Around) -> Effect:
    """Live up to `maximumMemory`, as far as the guest's balloon driver follows; next boot above it."""
    most = (around.observed.get("maximumMemory") or 0) + max(0, _coming(around))
    return Effect.LIVE if new <= most else Effect.NEXT_BOOT


def _coming(around: Around) -> int:
    """How many MiB of modules are plugged in by the same change."""
    declared = around.declared.get("memoryModules")
    if declared is None:
        return 0
    there = around.observed.get("memoryModules") or ()
    return (sum(int(each["size"]) for each in declared) - sum(int(each["size"]) for each in there)) // _MIB


def _maximum_cpus(root: Element) -> int | None:
    count = text_at(root, "vcpu")
    return 1 if count is None else INTEGER.decode(count)


def _cpus(root: Element) -> int | None:
    current = text_at(root, "vcpu/@current")
    return _maximum_cpus(root) if current is None else INTEGER.decode(current)


def _put_cpus(root: Element, count: int) -> None:
    vcpu = child_at(root, "vcpu")
    maximum = _maximum_cpus(root) or 0
    roomy = _cpus(root) != maximum
    for each in root.findall("vcpus"):  # the state of each one, which libvirt works out anew
        root.remove(each)
    if count < maximum and (roomy or has_cells(root)):
        vcpu.set("current", str(count))
        return
    drop_attributes(vcpu, "current")
    _set_processors(root, count)


def _set_processors(root: Element, count: int) -> None:
    """As many as there can be: what is arranged for another number goes."""
    child_at(root, "vcpu").text = str(count)
    settle_processors(root, count)
    topology = _topology(root)
    if topology is not None and _product(topology) != count:
        set_text_at(root, "cpu/topology", None)


def _cpus_effect(old: int | None, new: int, observed: LoweredVirtualMachine) -> Effect:
    """Live when there are more than before, up to `maximumCpus`; next boot for fewer, and above it."""
    hot = old is not None and old < new <= (observed.get("maximumCpus") or 0)
    return Effect.LIVE if hot else Effect.NEXT_BOOT


def _put_maximum_cpus(root: Element, maximum: int) -> None:
    vcpu, now = child_at(root, "vcpu"), _cpus(root) or 1
    if now < maximum:
        vcpu.set("current", str(now))
    else:
        drop_attributes(vcpu, "current")
    _set_processors(root, maximum)


def _topology(root: Element) -> dict[str, int] | None:
    element = root.find("cpu/topology")
    if element is None:
        return None
    counts = {str(key): INTEGER.decode(str(value)) or 1 for key, value in element.attrib.items()}
    # `dies` and `clusters` of 1 are libvirt's filling; more of them make another machine.
    return {key: count for key, count in counts.items() if count != 1 or key in ("sockets", "cores", "threads")}


def _put_topology(root: Element, topology: Mapping[str, int]) -> None:
    set_text_at(root, "cpu/topology", None)
    element = child_at(root, "cpu/topology")
    for key in ("sockets", "dies", "cores", "threads"):
        if key in topology:
            element.set(key, str(topology[key]))
    vcpu, count = child_at(root, "vcpu"), _product(topology)
    if (_cpus(root) or 0) >= count:
        drop_attributes(vcpu, "current")
    _set_processors(root, count)


def _same_topology(declared: Mapping[str, int], observed: Mapping[str, int] | None) -> bool:
    """One die is as none."""
    return observed is not None and {"dies": 1, **declared} == {"dies": 1, **observed}


def _product(topology: Mapping[str, int]) -> int:
    product = 1
    for count in topology.values():
        product *= count
    return product


# A maximum is written after what there is at present, which may have moved it along.
CAPACITY = (
    *LAYOUT,
    bind("memory", get=_memory, put=_put_memory, effect_among=_memory_effect, refuses=refuse_more_memory),
    bind(
        "maximumMemory",
        get=_maximum_memory,
        put=_put_maximum_memory,
        refuses=refuse_memory,
    ),
    bind("cpus", get=_cpus, put=_put_cpus, effect_in=_cpus_effect, refuses=refuse_more_cpus),
    bind("maximumCpus", get=_maximum_cpus, put=_put_maximum_cpus, refuses=refuse_cpus),
    bind("cpuTopology", get=_topology, put=_put_topology, same=_same_topology, refuses=refuse_topology),
)
