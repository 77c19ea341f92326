"""One volume that was on the host and is gone, as every decision may look at it; `loss` finds it out."""

from __future__ import annotations

from dataclasses import dataclass

from specs.reference import Ref


@dataclass(frozen=True, slots=True)
class Loss:
    """One volume that is lost. `digest` is what `onggi approve` takes to have it made again."""

    ref: Ref
    evidence: str  # how it is known that it was there
    digest: str
    allowed: str = ""  # why it may be made again; empty while nobody has said so
