"""The kind Distribution: an installation image that clients of the API are offered."""

from specs.distribution.model import check, references
from specs.reference import DISTRIBUTION
from specs.registry import Kind

KIND = Kind(
    name=DISTRIBUTION,
    plural="distributions",
    aliases=("distro",),
    package=__name__,
    references=references,
    check=check,
    has_xml=False,  # it makes nothing on the host
)
