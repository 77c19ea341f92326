"""What of the host a run's documents may name, and what is the agent's own: made of what it was told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.settings.bounds import KEPT_SECRETS
from reconciler.settings.settings import Settings

if TYPE_CHECKING:
    from specs.reach import Reach


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
        xml_areas=frozenset(settings.allow_xml),
        forbidden=settings.rules,
    )


def own_folders(settings: Settings) -> Iterator[str]:
    """Where the agent's state is, its clients' secrets among it, and what git keeps of a repository on this machine."""
    yield str(settings.state.absolute())
    for folder in (Path(settings.repository, ".git"), Path(settings.repository)):
        if (folder / "objects").is_dir():
            yield str(folder.absolute())
