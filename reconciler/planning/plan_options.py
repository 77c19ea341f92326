"""What planning is told beside the documents and the host: the time, what people decided, what can't be done again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the settings take a default from here, and have to load quickly
    from reconciler.planning.operations import EditLive
    from specs.reference import Ref

DEFAULT_TRASH_RETENTION_S = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class RefusedEdit:
    """Why a live edit isn't made again. `until_boot`: it was refused; otherwise the guest has yet to follow it."""

    why: str
    until_boot: bool = True


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """`now` is in seconds since 1970; it only decides about retention and limits of time."""

    now: float = 0.0
    approved: frozenset[str] = frozenset()  # digests that `onggi approve` was given
    trash_retention_s: float = DEFAULT_TRASH_RETENTION_S
    rebooted: frozenset[Ref] = frozenset()  # VMs whose guests have rebooted since the last pass
    migrated: frozenset[str] = frozenset()  # the UUIDs of VMs that went to another host, as far as events told
    # What a running VM was told, and isn't told again: by edit and run (libvirt's id of the running domain).
    refused_edits: Mapping[tuple[EditLive, str], RefusedEdit] = field(default_factory=dict)
    ordered: frozenset[Ref] = frozenset()  # what clients have ordered by name to go, and wait for
    values: Mapping[Ref, str] = field(default_factory=dict)  # digests of what is kept for secrets, where it can be read
    moving: frozenset[Ref] = frozenset()  # what something may have been done to since the host was looked at


def duration_text(seconds: float) -> str:
    """`7 days`, `36 hours`, `90 minutes`, `5 seconds`: the largest unit of which it is a whole number."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length and seconds % length == 0:
            number = int(seconds // length)
            return f"{number} {unit}{'s' if number != 1 else ''}"
    return f"{seconds:g} seconds"
