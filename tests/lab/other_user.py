"""Another user of this machine, by number alone: what they have made, and a place that they can reach."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

OTHER = 64998  # nobody has this number
THIRD = 64997


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder of ours that everybody may enter, unlike those below `tmp_path`."""
    folder = Path(tempfile.mkdtemp(prefix="onggi-public-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def give(folder: Path, user: int = OTHER) -> Path:
    """Make a folder and all that is in it somebody's."""
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, user, user)
    return folder
