"""Finds out which tool's repositories the host has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reconciler.host.repositories.apt import AptRepositories
from reconciler.host.repositories.repository import Repositories
from reconciler.host.repositories.yum import YumRepositories

_KINDS: tuple[tuple[str, Callable[[Path], Repositories]], ...] = (
    ("etc/apt", AptRepositories),
    ("etc/yum.repos.d", YumRepositories),
)


def open_repositories(root: Path = Path("/")) -> Repositories | None:
    """Those of the host whose file system begins at `root`; None when it has neither APT's nor DNF's folders."""
    return next((kind(root) for folder, kind in _KINDS if (root / folder).is_dir()), None)
