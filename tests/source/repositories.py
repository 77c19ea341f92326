"""Real repositories for the tests, made with the git command and an environment of their own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ENV = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run git in `folder`; its output without the last newline."""
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder, env=ENV, input=stdin, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def network(name: str, extra: str = "") -> str:
    """A small document."""
    return f"apiVersion: onggi/v1\nkind: Network\nmetadata:\n  name: {name}\nspec:\n  mode: isolated\n{extra}"


class WorkTree:
    """A repository with a work tree. `commit` writes files, and removes those given as None."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        git(path, "init", "--quiet")

    def write(self, files: dict[str, str | bytes | None]) -> None:
        for name, content in files.items():
            file = self.path / name
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: dict[str, str | bytes | None] | None = None, message: str = "change") -> str:
        self.write(files or {})
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--allow-empty", "-m", message)
        return git(self.path, "rev-parse", "HEAD")

    def commit_entries(self, entries: list[tuple[str, str, bytes]]) -> str:
        """Commit raw tree entries (mode, object id, name): what no work tree would make."""
        lines = b"".join(
            f"{mode} {'tree' if mode == '040000' else 'commit' if mode == '160000' else 'blob'} {oid}\t".encode()
            + name
            + b"\0"
            for mode, oid, name in entries
        )
        tree = git(self.path, "mktree", "-z", "--missing", stdin=lines)
        commit = git(self.path, "commit-tree", tree, "-m", "raw")
        git(self.path, "update-ref", "refs/heads/main", commit)
        return commit

    def blob(self, content: bytes) -> str:
        return git(self.path, "hash-object", "-w", "--stdin", stdin=content)


def eventually(condition: Callable[[], bool], timeout_s: float = 60.0) -> bool:
    """True as soon as `condition` holds; False when it doesn't within the time."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True
