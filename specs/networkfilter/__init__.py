"""The kind NetworkFilter: rules for the traffic of machines' interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.networkfilter.among import check_among
from specs.networkfilter.model import check, references
from specs.reference import NETWORK_FILTER
from specs.registry import TypedKind

if TYPE_CHECKING:
    from specs.networkfilter.spec import LoweredNetworkFilter, NetworkFilterSpec

KIND: TypedKind[NetworkFilterSpec, LoweredNetworkFilter] = TypedKind(
    name=NETWORK_FILTER,
    plural="networkfilters",
    aliases=("filter", "filters", "nwfilter", "nwfilters"),
    noun="filter",
    package=__name__,
    references=references,
    check=check,
    check_among=check_among,
)
