"""The trash: removed volumes that stay where they are for a while, and what ends their time there. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan_options import PlanOptions
from specs.reference import Ref


@dataclass(frozen=True, slots=True)
class Trashed:
    """A volume in the trash. Times are in seconds since 1970."""

    ref: Ref
    since: float
    until: float


def trashed(entries: Iterable[Owned], retention_s: float) -> list[Trashed]:
    """What is in the trash, in the order in which it leaves it."""
    found = [
        Trashed(entry.ref, float(since), float(since) + retention_s)
        for entry in entries
        if (since := entry.facts.get(Fact.TRASHED)) is not None
    ]
    return sorted(found, key=lambda item: (item.until, item.ref))


def is_over(item: Trashed, options: PlanOptions) -> bool:
    """True when its time is over, or somebody emptied the trash after it had got there."""
    return options.now >= item.until or emptied(item) in options.approved


def emptied(item: Trashed) -> str:
    """The approval by which a person ends the time of one volume in the trash early."""
    return f"trash:{item.ref}@{item.since:.0f}"
