"""Runs the real command in a process of its own, in surroundings of its own: no settings of whoever runs the tests."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import OWN_POOL_FOLDERS
from tests.lab import forked
from tests.lab.forked import COMMAND

__all__ = ["COMMAND", "Done", "Onggi", "onggi"]


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Onggi:
    """The command `onggi` in an empty home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.command = COMMAND
        home.mkdir()
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith(("ONGGI_", "GIT_", "XDG_"))
        }
        self.env |= {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_STATE_HOME": str(home / ".local/state"),
            "ONGGI_STATE": str(home / ".local/state/onggi"),  # root's own would be the machine's
            "ONGGI_ALLOWED_POOL_FOLDER": ":".join(OWN_POOL_FOLDERS),
            "ONGGI_ALLOWED_NETWORK": "127.0.0.0/8",  # where the tests' own servers are
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada Author",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada Author",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
        }
        self.env.pop("NO_COLOR", None)

    def __call__(self, *words: object, cwd: Path | None = None, **env: str) -> Done:
        done = forked.run([*map(str, words)], cwd=cwd or self.home, env=self.env | env, timeout_s=120)
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *words: object, **env: str) -> subprocess.Popen[str]:
        """Leave the command running; whoever starts it ends it."""
        return subprocess.Popen(
            [*self.command, *map(str, words)],
            cwd=self.home,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def onggi(tmp_path: Path) -> Onggi:
    """The command, with an empty home below the test's folder."""
    return Onggi(tmp_path / "home")
