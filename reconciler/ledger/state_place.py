"""Refuses a state folder that others may write: what lies there is believed, and written without looking twice.

A link isn't taken either, for it may lead elsewhere tomorrow; but for that of a systemd service with a user of its own
(DynamicUser=), whose state lies in `private` beside it.
"""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.confined.trust import others_on_the_way
from reconciler.errors import StateError


def check_place(folder: Path) -> None:
    """Raises StateError for a folder that can't be trusted. One that isn't there yet can, where its parents can."""
    if folder.is_symlink() and not _is_of_systemd(folder):
        raise StateError(
            f"the state folder {folder} is a link to {folder.readlink()}; name the folder itself with --state, or put "
            "it there in the link's place"
        )
    try:
        others = others_on_the_way(folder)
        within = None if others is not None or not folder.is_dir() else _not_ours(folder)
    except OSError as error:
        raise StateError(
            f"the state folder {folder} can't be looked at ({error.strerror}); choose another with --state"
        ) from None
    if others is not None:
        raise StateError(
            f"the state folder {folder} can't be trusted: {others.where} may be changed by {others.who}; make it "
            "this user's alone (chown, chmod go-w), choose another with --state, or give the command as the agent's "
            "user"
        )
    if within is not None:
        raise StateError(
            f"the state folder {folder} can't be trusted: {within} is a link or somebody else's; remove it if it isn't "
            "onggi's, or choose another folder with --state"
        )


def _is_of_systemd(link: Path) -> bool:
    return Path(os.path.realpath(link)) == Path(os.path.realpath(link.parent)) / "private" / link.name


def _not_ours(folder: Path) -> str | None:
    """The first thing in the folder that somebody else has put there; a link may have been made by anybody."""
    with os.scandir(folder) as entries:
        for entry in entries:
            owner = entry.stat(follow_symlinks=False).st_uid
            if entry.is_symlink() or owner not in (0, os.geteuid()):
                return entry.path
    return None
