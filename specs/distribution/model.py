"""The shape of a Distribution's spec. What osinfo's database knows already needs no document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from specs.reference import Ref

if TYPE_CHECKING:
    from specs.distribution.spec import DistributionSpec


def references(_name: str, _spec: DistributionSpec) -> Iterable[Ref]:
    """It needs nothing else."""
    return ()


def check(_name: str, _spec: DistributionSpec) -> Iterable[tuple[str, str]]:
    """What an address may be, the schema says whole."""
    return ()
