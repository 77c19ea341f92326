"""The kind Distribution: an installation image that clients of the API are offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.distribution.model import check, references
from specs.reference import DISTRIBUTION
from specs.registry import TypedKind

if TYPE_CHECKING:
    from typing import Never

    from specs.distribution.spec import DistributionSpec

KIND: TypedKind[DistributionSpec, Never] = TypedKind(
    name=DISTRIBUTION,
    plural="distributions",
    aliases=("distro",),
    noun="distribution",
    package=__name__,
    references=references,
    check=check,
    has_xml=False,  # it makes nothing on the host
)
