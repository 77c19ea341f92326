"""Where things are on a host, for those whose XML has to say so: told by what was observed, each kind's its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.observed.snapshot import Observed
from specs.host import VolumeSource
from specs.reference import Ref


@dataclass(slots=True)
class Places:
    """Filled by the tellers of the kinds."""

    volumes: dict[Ref, VolumeSource] = field(default_factory=dict)
    pool_paths: dict[str, str] = field(default_factory=dict)
    subnets: set[str] = field(default_factory=set)


# Adds where an object is.
Teller = Callable[[Observed, Places], None]
