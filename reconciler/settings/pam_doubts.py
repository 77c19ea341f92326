"""What of the settings for PAM most likely isn't meant: told at the start, since nobody sees why a login fails."""

from __future__ import annotations

import grp
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.identity.role import EVERYBODY, Role
from reconciler.settings.bounds import ADMIN_GROUPS

_FOLDERS: Final = (Path("/etc/pam.d"), Path("/usr/lib/pam.d"))


def pam_doubts(service: str, helper: Path | None, groups: Mapping[Role, Collection[str]]) -> Iterator[str]:
    """Sentences for the log, each with its remedy."""
    if helper is None:
        if os.geteuid() != 0:
            yield (
                "PAM tells root alone whether another's password is right, so hardly anybody can log in; have root run "
                "`onggi pam`, and set pam-helper"
            )
        if not any((folder / service).is_file() for folder in _FOLDERS):
            yield f"pam-service {service} isn't a file of /etc/pam.d, so that PAM takes its `other`; name one that is"
    for role, names in groups.items():
        for name in names:
            if name not in (*ADMIN_GROUPS, EVERYBODY) and not _is_group(name):
                yield f"{role}-group {name} isn't a group of this host, and has no members until it is"


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
