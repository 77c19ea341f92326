"""Refuses a pool on a folder that isn't to be a pool's: the agent's own, or one of the system or outside of the allowed
ones that a link leads to, or a git repository; and on a device that the host itself has its files or its swap on.

Whoever may write into a pool or delete from it may do so to every file in its folder. The path as it is written was
judged with the document, offline; this looks at the files, and can do so only where the host is this machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.errors import Terminal
from specs.binding import Element
from specs.reach import Reach
from specs.storagepool import KIND as POOLS
from specs.storagepool.model import check
from specs.storagepool.types import OF_FILES


def check_pool_folder(root: Element, own_folders: Iterable[str], present: str = "", reach: Reach | None = None) -> None:
    """Raises Terminal for such a pool. `own_folders` are those of the agent, with all that is below them; `present` is
    the folder that the pool has already, and that stays its own.
    """
    kind, path = root.get("type", ""), root.findtext("target/path")
    if kind not in OF_FILES or not path:
        return
    target = _resolved(path)
    if any(target.is_relative_to(_resolved(own)) for own in own_folders):
        raise Terminal(f"{path} belongs to the agent itself; choose a folder of its own for the pool.")
    if str(target) != path:
        for _, message in check("", POOLS.declared({"type": kind, "path": str(target)})):
            raise Terminal(f"the pool's folder {path} is a link: {message}")
    if path != present and (repository := _repository_around(target)) is not None:
        # By its configuration and hooks whoever works there is told which programs to run.
        raise Terminal(f"{path} is in the git repository {repository}; choose a folder of its own for the pool.")
    if reach is not None and path != present and not _is_allowed(target, reach):
        raise Terminal(f"{reach.no_pool_folder(path if str(target) == path else f'{path}, a link to {target}')}.")


def _repository_around(target: Path) -> Path | None:
    """The bare repository that a folder is, or lies in: what is git's of another lies in a `.git`, which is refused."""
    around = (place for place in (target, *target.parents) if all(map(os.path.lexists, _in_repository(place))))
    return next(around, None)


def _in_repository(place: Path) -> tuple[Path, ...]:
    return place / "HEAD", place / "objects", place / "refs"


def _is_allowed(target: Path, reach: Reach) -> bool:
    return any(target.is_relative_to(_resolved(folder)) for folder in reach.pool_folders)


def _resolved(path: str) -> Path:
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError):
        raise Terminal(f"the pool's folder {path} is a link to itself; choose another folder.") from None
