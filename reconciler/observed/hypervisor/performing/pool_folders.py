"""Refuses a pool on a folder that isn't to be a pool's: the agent's own, or one of the system that a link leads to.

Whoever may write into a pool or delete from it may do so to every file in its folder. The path as it is written was
judged with the document, offline; this looks at the files, and can do so only where the host is this machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from reconciler.errors import Terminal
from specs.binding import Element
from specs.storagepool.model import check

_OF_FOLDERS: Final = frozenset({"dir", "fs", "netfs"})


def check_pool_folder(root: Element, own_folders: Iterable[str]) -> None:
    """Raises Terminal for such a pool. `own_folders` are those of the agent, with all that is below them."""
    kind, path = root.get("type", ""), root.findtext("target/path")
    if kind not in _OF_FOLDERS or not path:
        return
    target = _resolved(path)
    if any(target.is_relative_to(_resolved(own)) for own in own_folders):
        raise Terminal(f"{path} belongs to the agent itself; choose a folder of its own for the pool.")
    if str(target) != path:
        for _, message in check("", {"type": kind, "path": str(target)}):
            raise Terminal(f"the pool's folder {path} is a link: {message}")


def _resolved(path: str) -> Path:
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError):
        raise Terminal(f"the pool's folder {path} is a link to itself; choose another folder.") from None
