"""Who is measured at creating machines and at finding nothing to do. Each is a module with `peers(...)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.process import Command


class UnavailableError(Exception):
    """A peer can't be measured here; the text says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to make machines. `again` are the ways to find nothing to do, each with what it is called."""

    name: str
    machines: int  # it is measured with so many, and extrapolated to the others'
    create: Command
    again: tuple[tuple[str, Command], ...]
    reset: Callable[[], None] = lambda: None  # forget what an earlier repetition has left besides libvirt's objects
    repeat: int = 0  # 0: as often as the others
