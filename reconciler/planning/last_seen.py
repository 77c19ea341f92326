"""What is remembered of an object on a host, for when it is gone from there: see `remade`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LastSeen:
    """An object's persistent definition, as it was read last."""

    uid: str
    xml: str
    autostart: bool = False
