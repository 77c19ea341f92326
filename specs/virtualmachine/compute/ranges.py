"""Numbers of processors, threads and NUMA nodes as libvirt writes them: `0-3,^2,6`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from specs.declared import shared, text

Cells = Sequence[Mapping[str, Any]]

MOST: Final = 4096  # a number that a set may have, and one more than it

PROCESSORS = shared(
    "processors",
    text(
        "Processors by number: single ones and ranges, separated by commas, `^` before one that is left out.",
        r"^\^?[0-9]{1,4}(?:-[0-9]{1,4})?(?:,\^?[0-9]{1,4}(?:-[0-9]{1,4})?)*$",
        at_most=1024,
        examples=("0-3,6",),
        error="Processors are written such as `0-3,6`, or `0-7,^2` for all of 0 to 7 but 2; correct it.",
    ),
)

NODES = shared(
    "nodes",
    text(
        "NUMA nodes by number: single ones and ranges, separated by commas, `^` before one that is left out.",
        r"^\^?[0-9]{1,4}(?:-[0-9]{1,4})?(?:,\^?[0-9]{1,4}(?:-[0-9]{1,4})?)*$",
        at_most=1024,
        examples=("0-1",),
        error="NUMA nodes are written such as `0-1,3`; correct it.",
    ),
)


def numbers(ranges: str, *, below: int = MOST) -> frozenset[int]:
    """`0-3,^2,6` → 0, 1, 3, 6: those that are smaller than `below`, however large the others are."""
    found: set[int] = set()
    for part in ranges.split(","):
        first, dash, last = part.strip().removeprefix("^").partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            continue
        some = range(int(first), min(int(last if dash else first) + 1, below))
        found = found - set(some) if part.strip().startswith("^") else found | set(some)
    return frozenset(found)


def as_ranges(found: Iterable[int]) -> str:
    """0, 1, 3, 6 → `0-1,3,6`."""
    parts: list[list[int]] = []
    for number in sorted(found):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def normal_ranges(ranges: str) -> str:
    """The same numbers as libvirt writes them."""
    return as_ranges(numbers(ranges))


def processors_of(cells: Cells) -> frozenset[int]:
    """All that are in one of these NUMA cells."""
    return frozenset[int]().union(*(numbers(str(cell.get("cpus", ""))) for cell in cells))
