"""What of the host the documents may name, as the settings say: the defaults, and what a run makes of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.errors import SettingsError

if TYPE_CHECKING:
    from reconciler.settings.settings import Settings
    from specs.reach import Reach

SECRET_FOLDERS: Final = ("/etc/onggi/secrets",)
SECRET_VARIABLES: Final = ("ONGGI_SECRET_*",)
POOL_FOLDERS: Final = ("/var/lib/libvirt", "/srv", "/mnt", "/media")
KEPT_SECRETS: Final = "secrets"  # the folder of them in the state's


def default_pool_folders() -> tuple[str, ...]:
    """Where pools may be made when nothing is said: whoever isn't root has those of its own libvirt, too."""
    own = () if os.geteuid() == 0 else (str(Path.home() / ".local/share/libvirt/images"),)
    return (*POOL_FOLDERS, *own)


def reach_of(settings: Settings) -> Reach:
    """The bounds of a run with these settings. What systemd hands over as credentials is meant for it."""
    from specs.reach import Reach

    credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
    own = (settings.webhook_secret_file, settings.forge_token_file, settings.ldap_bind_password_file)
    return Reach(
        secret_folders=(*((credentials,) if credentials.startswith("/") else ()), *settings.allowed_secret_folders),
        secret_variables=settings.allowed_secret_variables,
        kept_secrets=str((settings.state / KEPT_SECRETS).absolute()),
        agents_secrets=frozenset(str(path.absolute()) for path in own if path is not None),
        pool_folders=settings.allowed_pool_folders,
    )


def check_folders(key: str, folders: tuple[str, ...]) -> None:
    """Raises SettingsError for one that can't be meant."""
    for folder in folders:
        if not folder.startswith("/") or ".." in Path(folder).parts:
            raise SettingsError(f"{key} {folder!r} isn't an absolute path without `..`; give one.")


def own_folders(settings: Settings) -> Iterator[str]:
    """Where the agent's state is, its clients' secrets among it, and what git keeps of a repository on this machine."""
    yield str(settings.state.absolute())
    for folder in (Path(settings.repository, ".git"), Path(settings.repository)):
        if (folder / "objects").is_dir():
            yield str(folder.absolute())
