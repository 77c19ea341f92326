"""What git is in the middle of in a work tree: nothing else may move its branch until that is finished."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from reconciler.errors import Conflict

# What git leaves in its folder while something is half done there, and how that is called.
_LEFT: Final = {
    "MERGE_HEAD": "merge",
    "REVERT_HEAD": "revert",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "BISECT_LOG": "bisect",
}


def refuse_unfinished(own: Path, root: Path) -> None:
    """Raises Conflict while something is half done in the work tree `root`, whose own folder of git's is `own`."""
    for name, what in _LEFT.items():
        if (own / name).exists():
            raise Conflict(f"A {what} is under way in {root}; finish or abort it first.")
