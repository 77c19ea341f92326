"""A condition: one aspect of an object's state, in the shape that Kubernetes users know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """`type` is Ready, Reconciling, Stalled, Drifted, DataLost, RestartRequired or Suspended.

    Only Ready exists when False.
    """

    type: str
    status: bool
    reason: str  # CamelCase
    message: str = ""
    observed_revision: str = ""
    last_transition_time: str = ""  # RFC 3339, UTC; filled in by the ledger, which knows the previous status
