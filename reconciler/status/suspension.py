"""What people told onggi to leave alone, as values: who said so, since when and why, and what stands for everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from specs.reference import Ref

ANYTHING: Final = Ref("", "")  # nobody's: among what is suspended only where everything is


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why an object, or everything, is left alone; empty where an earlier version wrote nothing down."""

    reason: str = ""
    who: str = ""
    since: str = ""  # RFC 3339, UTC

    def __str__(self) -> str:
        told = " ".join(f"{word} {value}" for word, value in (("by", self.who), ("since", self.since)) if value)
        return f"{told}: {self.reason}" if told and self.reason else told or self.reason


Suspensions = Mapping[Ref, Suspension]  # by what is left alone; everything goes by ANYTHING


class _Everything(frozenset[Ref]):
    """Has every reference as a member: what `suspended` gives while the whole agent is suspended."""

    def __contains__(self, item: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return "ALL"

    def __reduce__(self) -> Any:
        return "ALL"  # stays the one object that it is


ALL: Final = _Everything()


def suspended(suspensions: Suspensions) -> frozenset[Ref]:
    """What is to be left alone; `ALL`, which has every reference as a member, when everything is."""
    return ALL if ANYTHING in suspensions else frozenset(suspensions)
