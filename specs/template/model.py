"""The shape of a Template's spec: what the Kimchi API's template has, in this project's spelling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from specs.reference import TEMPLATE, Ref
from specs.size import check_size
from specs.virtualmachine.model import check_cpus, check_graphics, check_memory

if TYPE_CHECKING:
    from specs.template.spec import TemplateSpec


def references(_name: str, spec: TemplateSpec) -> Iterable[Ref]:
    """The template that it extends. What its fields name is needed by the machines, and resolved with them."""
    return [Ref(TEMPLATE, spec["template"])] if "template" in spec else []


def check(_name: str, spec: TemplateSpec) -> Iterator[tuple[str, str]]:
    """The rules that hold between fields. Relies on the shape that the schema asks for."""
    if "cpus" in spec:  # otherwise the machine, or another template, says how many
        yield from check_cpus(spec)
    yield from check_memory(spec)
    yield from check_graphics(spec)
    placed: dict[int, int] = {}
    for position, disk in enumerate(spec.get("disks", ())):
        yield from check_size(f"/disks/{position}/size", disk.get("size"))
        first = placed.setdefault(disk.get("index", position), position)
        if first != position:
            sentence = f"Item {first + 1} of `disks` has the same index; give each an `index` of its own."
            yield f"/disks/{position}", sentence
