"""The kind Network: a virtual network, or the way into one of the host's."""

from specs.network.model import check, references
from specs.reference import NETWORK
from specs.registry import Kind

KIND = Kind(
    name=NETWORK,
    plural="networks",
    aliases=("net", "nets"),
    package=__name__,
    references=references,
    check=check,
)
