"""What has to be said to a running machine about its processors, I/O threads and memory: no device, so libvirt has
calls of their own for that. Each element says what is to be set, in the words of a definition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from specs.binding import Element, Field, child_at, element, value_at, write
from specs.codecs import INTEGER
from specs.declared import place, placed
from specs.declared_binds import bound
from specs.effect import Change, Effect
from specs.virtualmachine.fields import SPEC

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine

_SINGLE: Final[Mapping[str, Field]] = {
    f"/{name}": bind
    for name, declared in placed(SPEC)
    if place(declared).startswith(("cputune/", "memtune/", "numatune/"))
    and isinstance(bind := bound(SPEC, name), Field)
    and bind.effect is Effect.LIVE
}
_PINS: Final = {"/cpuTune/vcpuPins/": ("vcpupin", "vcpu"), "/cpuTune/ioThreadPins/": ("iothreadpin", "ioThread")}
_POOLS: Final = bound(SPEC, "ioThreadPools")
_THREADS: Final = ("/ioThreads", "/ioThreadPools/")


def tuning(lowered: LoweredVirtualMachine, live_root: Element, change: Change) -> Element | None:
    """What makes a change come true; None for one that is about something else."""
    if (field := _SINGLE.get(change.pointer)) is not None:
        root = element("domain")
        field.write(root, change.new)
        return root[0]
    for prefix, (tag, key) in _PINS.items():
        if change.pointer.startswith(prefix):
            number = change.pointer.removeprefix(prefix).partition("/")[0]
            pins: Sequence[Mapping[str, Any]] = value_at(lowered, prefix.strip("/")) or ()
            return element(
                "cputune",
                *(
                    element(tag, **{key.lower(): str(pin[key]), "cpuset": pin["processors"]})
                    for pin in pins
                    if str(pin[key]) == number
                ),
            )
    return _threads(lowered, live_root) if change.pointer.startswith(_THREADS) else None


def _threads(lowered: LoweredVirtualMachine, live_root: Element) -> Element:
    """All I/O threads that there are to be."""
    pools: Sequence[Mapping[str, Any]] = value_at(lowered, "ioThreadPools") or ()
    if pools:
        return child_at(write((_POOLS,), element("domain"), lowered), "iothreadids")
    count = int(value_at(lowered, "ioThreads") or 0)
    there = sorted(INTEGER.decode(each.get("id") or "") or 0 for each in live_root.iterfind("iothreadids/iothread"))
    numbers = there or range(1, (INTEGER.decode(live_root.findtext("iothreads") or "0") or 0) + 1)
    kept = list(numbers)[:count]
    free = (number for number in range(1, count + len(kept) + 1) if number not in kept)
    return element("iothreadids", *(element("iothread", id=str(number)) for number in [*kept, *free][:count]))
