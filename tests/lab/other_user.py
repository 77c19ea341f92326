"""Another user of this machine, by number alone: what they have made, and a place that they can reach."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

OTHER = 64998  # nobody has this number
THIRD = 64997


def everybody_may_enter(folder: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))


@contextmanager
def a_public_folder() -> Iterator[Path]:
    """A folder of ours that everybody may enter, unlike those below `tmp_path` and in a caller's closed $TMPDIR."""
    places = (Path(place).resolve() for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"))
    folder = Path(tempfile.mkdtemp(prefix="onggi-public-", dir=next(filter(everybody_may_enter, places))))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """One for a test."""
    with a_public_folder() as folder:
        yield folder


def give(folder: Path, user: int = OTHER) -> Path:
    """Make a folder and all that is in it somebody's."""
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, user, user)
    return folder
