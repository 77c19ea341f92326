"""Decides about what is defined and that is all: there is nothing to start, and a definition is in force at once."""

from __future__ import annotations

from typing import Final

from reconciler.desired.state import Resource
from reconciler.planning.activation import Activation
from reconciler.planning.operations import Operation

DEFINED: Final = "defined"  # the one state that it has


class Standing(Activation):
    """Such as filters and secrets, which are there or aren't."""

    def _start(self, resource: Resource) -> list[Operation]:  # noqa: ARG002  (there is nothing to start)
        return []
