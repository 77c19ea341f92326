"""What a resource may use, and nothing else: functions that answer at once, from values that the agent keeps ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Services:
    """`alive`: the agent's loop runs. `ready`: its first pass is through. `info`: what else a health check may show."""

    ready: Callable[[], bool]
    alive: Callable[[], bool]
    info: Callable[[], Mapping[str, str]]
