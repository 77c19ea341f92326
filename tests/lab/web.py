"""What browsers load, built for the tests as `make web` does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build_web(*options: str) -> subprocess.CompletedProcess[str]:
    """Quick when nothing of it changed."""
    command = [sys.executable, str(ROOT / "web/build.py"), *options]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="session")
def web() -> Path:
    """The folder with the built files."""
    done = build_web()
    assert done.returncode == 0, done.stderr
    return ROOT / "api/assets/built"
