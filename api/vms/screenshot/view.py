"""Where a machine's picture is found."""

from __future__ import annotations

from urllib.parse import quote

from reconciler.observed.snapshot import Observed

_WITH_A_SCREEN = frozenset({"running", "paused", "blocked", "pmsuspended", "shutdown"})


def screenshot_uri(observed: Observed) -> str | None:
    """The address of a machine's screenshot, percent-encoded; None while it doesn't run."""
    if observed.state not in _WITH_A_SCREEN:
        return None
    return f"/vms/{quote(observed.ref.name, safe='')}/screenshot"
