"""The kind Network: a virtual network, or the way into one of the host's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.network.among import check_among
from specs.network.model import check, references
from specs.reference import NETWORK
from specs.registry import TypedKind

if TYPE_CHECKING:
    from specs.network.spec import LoweredNetwork, NetworkSpec

KIND: TypedKind[NetworkSpec, LoweredNetwork] = TypedKind(
    name=NETWORK,
    plural="networks",
    aliases=("net", "nets"),
    noun="network",
    package=__name__,
    references=references,
    check=check,
    check_among=check_among,
)
