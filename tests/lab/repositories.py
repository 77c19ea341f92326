"""Git repositories for tests: real ones, made with the git command, that see nothing of the user's configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada Author",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada Author",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder`; what it printed, without the last newline. Fails with git's own words."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, text=True, capture_output=True
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout.removesuffix("\n")


class Repository:
    """A repository with a work tree on the branch `main`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        git(path, "init", "--quiet", "--initial-branch=main")

    @property
    def head(self) -> str:
        """The newest commit's id."""
        return git(self.path, "rev-parse", "HEAD")

    def commit(self, files: Mapping[str, str | bytes], message: str = "Change") -> str:
        """Write these files (path → content), commit them, and return the commit's id."""
        for name, content in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--allow-empty", "--message", message)
        return self.head

    def remove(self, *paths: str, message: str = "Remove") -> str:
        """Remove these files or folders, commit that, and return the commit's id."""
        git(self.path, "rm", "--quiet", "-r", "--", *paths)
        return self.commit({}, message)

    def add_remote(self, bare: Path, name: str = "origin") -> None:
        """Make a bare repository at `bare` and push to it from now on."""
        git(bare.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        git(self.path, "remote", "add", name, str(bare))

    def push(self, *options: str, remote: str = "origin", branch: str = "main") -> None:
        """Push `branch`, for example with `--force`."""
        git(self.path, "push", "--quiet", *options, remote, branch)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository with a work tree."""
    return Repository(tmp_path / "repository")


@pytest.fixture
def pushed_repository(repository: Repository, tmp_path: Path) -> Repository:
    """A repository whose remote `origin` is the bare one at `tmp_path / "remote.git"`; it has one, empty commit."""
    repository.add_remote(tmp_path / "remote.git")
    repository.commit({}, "Begin")
    repository.push()
    return repository
