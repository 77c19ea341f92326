"""How the host schedules a machine's threads, in a definition: libvirt names them one by one or several at once, as it
likes, so they are compared by who has the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from specs.binding import Element, Field, child_at
from specs.codecs import INTEGER
from specs.declared_binds import binder
from specs.virtualmachine.compute.ranges import as_ranges, numbers
from specs.virtualmachine.fields import SPEC

bind = binder(SPEC)

Schedulers = Sequence[Mapping[str, Any]]

OF: Final = {"vcpuSchedulers": "vcpus", "ioThreadSchedulers": "ioThreads"}  # what of a list's items names the threads


def grouped(found: Schedulers, of: str) -> list[dict[str, Any]]:
    """All threads with the same scheduler and priority at once, in their order."""
    known: dict[tuple[str, int | None], set[int]] = {}
    for each in found:
        known.setdefault((each["scheduler"], each.get("priority")), set()).update(numbers(each[of]))
    made = [
        {of: as_ranges(threads), "scheduler": scheduler, **({} if priority is None else {"priority": priority})}
        for (scheduler, priority), threads in known.items()
    ]
    return sorted(made, key=lambda each: min(numbers(str(each[of])), default=0))


def _schedulers(name: str, tag: str) -> Field:
    of, path = OF[name], f"cputune/{tag}"
    attribute = of.lower()

    def get(root: Element) -> list[dict[str, Any]] | None:
        found = [
            {of: each.get(attribute) or "", "scheduler": each.get("scheduler") or ""}
            | ({"priority": INTEGER.decode(text)} if (text := each.get("priority")) else {})
            for each in root.iterfind(path)
        ]
        return grouped(found, of) or None

    def put(root: Element, wanted: Schedulers) -> None:
        holder = child_at(root, "cputune")
        for old in holder.findall(tag):
            holder.remove(old)
        for each in wanted:
            made = holder.makeelement(tag, {attribute: each[of], "scheduler": each["scheduler"]}, None)
            if "priority" in each:
                made.set("priority", str(each["priority"]))
            holder.append(made)

    return bind(f"cpuTune/{name}", get=get, put=put, same=_same)


def _same(declared: Schedulers, observed: Schedulers | None) -> bool:
    return list(declared) == list(observed or ())


SCHEDULERS = (_schedulers("vcpuSchedulers", "vcpusched"), _schedulers("ioThreadSchedulers", "iothreadsched"))
