"""Names the points at which a killed process leaves something undone, so that a test can stop there.

Nothing is ever injected from outside: no variable and no flag reaches this. A test's own child process installs a hook
in Python before it calls the program; without one a boundary is a comparison with None. Which points matter is
decided where they are named, what happens there by the hook.
"""

from __future__ import annotations

from collections.abc import Callable

_hook: Callable[[str], None] | None = None


def install(hook: Callable[[str], None] | None) -> None:
    """Have `hook` called with the name of each boundary that is passed, in whatever thread passes it; None ends it."""
    global _hook  # one for the process: it is the process that dies
    _hook = hook


def boundary(name: str) -> None:
    """Between two things of which a killed process may have done only the first."""
    if _hook is not None:
        _hook(name)
