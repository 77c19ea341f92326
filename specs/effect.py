"""What a change costs: the four effects, and the record of one changed field."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    """When a change comes true. Ordered from harmless to refused; `strongest` picks the one to show for a step."""

    LIVE = "live"
    NEXT_BOOT = "next-boot"
    RECREATE = "recreate"
    FORBIDDEN = "forbidden"


_ORDER = list(Effect)


def strongest(effects: list[Effect]) -> Effect:
    """The effect that decides for a group of changes; LIVE for an empty one."""
    return max(effects, key=_ORDER.index, default=Effect.LIVE)


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs. `pointer` is a JSON pointer into the spec; list items go by key: `/disks/root/bus`.

    `old` is None for something added and `new` is None for something removed. `note` says why it is refused or waits.
    `shown` is the pointer for people, where they call the item by another word than its key; empty: the same.
    """

    pointer: str
    old: Any
    new: Any
    effect: Effect
    note: str = ""
    shown: str = field(default="", compare=False)
