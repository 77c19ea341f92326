"""Where the two drivers can't but differ: what is right on each, and why. No test asks on which one it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """`test` and `qemu` are named as the drivers are."""

    why: str
    test: Any
    qemu: Any


SOURCES_THAT_ARENT_THERE = Difference(
    "the test driver's pools are of nothing, so nobody is asked whether their source exists",
    test={},
    qemu={"netfs": "400 KCHPOOL0013E", "iscsi": "400 KCHISCSI0002E", "group": "400 KCHPOOL0038E"},
)
