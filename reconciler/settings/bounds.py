"""What of the host the documents may name where nothing else is said, and what can't be said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from reconciler.errors import SettingsError

ADMIN_GROUPS: Final = ("root", "sudo", "wheel")  # whose members administer this host
SECRET_FOLDERS: Final = ("/etc/onggi/secrets",)
SECRET_VARIABLES: Final = ("ONGGI_SECRET_*",)
POOL_FOLDERS: Final = ("/var/lib/libvirt", "/srv", "/mnt", "/media")
KEPT_SECRETS: Final = "secrets"  # the folder of them in the state's


def default_pool_folders() -> tuple[str, ...]:
    """Where pools may be made when nothing is said: whoever isn't root has those of its own libvirt, too."""
    own = () if os.geteuid() == 0 else (str(Path.home() / ".local/share/libvirt/images"),)
    return (*POOL_FOLDERS, *own)


def check_areas(areas: tuple[str, ...]) -> None:
    """Raises SettingsError for a word that is none of the areas into which XML in documents may reach."""
    if not areas:
        return
    from specs.overlay.areas import AREAS

    for area in areas:
        if area not in AREAS:
            raise SettingsError(f"allow-xml {area!r} is no area; give some of {', '.join(AREAS)}.")


def check_folders(key: str, folders: tuple[str, ...]) -> None:
    """Raises SettingsError for one that can't be meant."""
    for folder in folders:
        if not folder.startswith("/") or ".." in Path(folder).parts:
            raise SettingsError(f"{key} {folder!r} isn't an absolute path without `..`; give one.")
