"""What is asked of the host and can't be: the sentence is for people, `reason` (CamelCase) for programs."""

from __future__ import annotations

from reconciler.errors import Terminal


class HostRefused(Terminal):
    """Nothing was done: the input is bad, or the host isn't in the state for it. `reason` names the case."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
