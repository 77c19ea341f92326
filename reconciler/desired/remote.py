"""A remote repository: one branch of it, kept as a bare mirror in the state folder and read like a local repository.

The mirror is a cache. Losing it costs one fetch; while the remote is away it answers with the last revision it got.
"""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import pygit2

from reconciler.desired.git import GitRepository, branches_sentence
from reconciler.desired.git_command import GitCommand
from reconciler.desired.location import Remote
from reconciler.desired.state import SourceTree
from reconciler.errors import SourceError, StateError, Transient

log = logging.getLogger("onggi.source")

_INCOMING = "refs/onggi/incoming"  # fetched into, so that a broken fetch leaves the branch as it was
_ADVERTISED = re.compile(r"([0-9a-f]{40,64})\t(\S+)")


@dataclass(frozen=True, slots=True)
class _Tip:
    """A remote's branch and the commit that it is at. `branch` is empty for a detached HEAD."""

    branch: str
    commit: str

    @property
    def reference(self) -> str:
        return f"refs/heads/{self.branch}" if self.branch else "HEAD"


class RemoteRepository:
    """A repository that git reaches by file, https or ssh. `read` is local once something was fetched; `fetch` asks."""

    is_remote = True

    def __init__(self, remote: Remote, *, branch: str, sub_path: str, state_dir: Path, timeout_s: float = 60.0) -> None:
        self.key = remote.key
        self._remote = remote
        self._branch = branch
        # A mirror holds one branch, so another branch of the same remote has another one.
        name = hashlib.sha256(f"{remote.key}\n{branch}".encode()).hexdigest()[:24]
        self._mirror = state_dir / "mirrors" / f"{name}.git"
        self._git = GitCommand(remote, timeout_s=timeout_s)
        self._fetching = threading.Lock()
        self._asked = False
        self._local = GitRepository(self._mirror, branch=branch, sub_path=sub_path, key=remote.key)

    def read(self) -> SourceTree:
        """The last fetched revision. The first reading asks the remote; when it is away, the mirror must do."""
        if not self._asked or not self._current():
            try:
                self.fetch()
            except Transient as error:
                if not self._current():
                    raise
                log.warning("%s Going on with the revision that was fetched last.", error)
            self._asked = True
        return self._local.read()

    def fetch(self) -> bool:
        """Ask the remote; True when the branch moved, in whatever direction: a rewritten history is followed."""
        with self._fetching:
            tip = self._ask()
            if tip.commit == self._current():
                return False
            self._make_mirror()
            self._git.run(
                f"--git-dir={self._mirror}", "fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head",
                "--no-recurse-submodules", "--end-of-options", self._remote.url, f"+{tip.reference}:{_INCOMING}",
            )  # fmt: skip
            self._take_over(tip)
            return True

    def last_good(self) -> None:
        """Nothing is kept: nothing guards what is read."""

    def watch_paths(self) -> tuple[Path, ...]:
        """Nothing: a remote is asked, not watched."""
        return ()

    def close(self) -> None:
        """End a fetch that is under way and close the mirror."""
        self._git.close()
        self._local.close()

    def objects(self) -> Path:
        """The folder with the mirror's objects. Raises SourceError."""
        return self._local.objects()

    def commits_after(self, since: str, head: str) -> tuple[str, ...] | None:
        """As GitRepository.commits_after, of what was fetched."""
        return self._local.commits_after(since, head)

    def _current(self) -> str:
        return self._local.head() if self._mirror.is_dir() else ""

    def _ask(self) -> _Tip:
        """Where the branch is now. Raises SourceError, and forgets the branch, when the remote hasn't it any more."""
        wanted = ("HEAD", f"refs/heads/{self._branch}") if self._branch else ("HEAD",)
        answer = self._git.run("ls-remote", "--symref", "--quiet", "--end-of-options", self._remote.url, *wanted)
        heads = {name: commit for commit, name in _ADVERTISED.findall(answer)}
        if self._branch:
            if (commit := heads.get(f"refs/heads/{self._branch}")) is not None:
                return _Tip(self._branch, commit)
        elif (commit := heads.get("HEAD")) is not None:
            default = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", answer, re.MULTILINE)
            return _Tip(default[1] if default else "", commit)
        self._forget()
        listed = self._git.run("ls-remote", "--heads", "--quiet", "--end-of-options", self._remote.url)
        names = [name.removeprefix("refs/heads/") for _, name in _ADVERTISED.findall(listed)]
        what = f"no branch {self._branch!r}" if self._branch else "no commit on its default branch"
        raise SourceError(f"{self.key} has {what}; {branches_sentence(names)}.")

    def _make_mirror(self) -> None:
        """A bare repository without hooks or templates, for us alone. A damaged one is made anew."""
        try:
            if self._mirror.is_dir():
                try:
                    pygit2.Repository(str(self._mirror)).free()
                    return
                except pygit2.GitError:
                    self._local.close()
                    shutil.rmtree(self._mirror)
            self._mirror.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._mirror.mkdir(mode=0o700)
            pygit2.init_repository(str(self._mirror), bare=True).free()
        except (OSError, pygit2.GitError) as error:
            raise StateError(
                f"The mirror of {self.key} can't be kept in {self._mirror.parent} ({error}); make the folder writable, "
                "free some space, or choose another with --state."
            ) from None

    def _take_over(self, tip: _Tip) -> None:
        """Make what was fetched the mirror's only branch and its HEAD."""
        repository = pygit2.Repository(str(self._mirror))
        try:
            commit = repository.references[_INCOMING].peel(pygit2.Commit).id
            for name in list(repository.references):
                if name.startswith("refs/heads/") and name != tip.reference:
                    repository.references.delete(name)
            if tip.branch:
                repository.references.create(tip.reference, commit, force=True)
                repository.set_head(tip.reference)
            else:
                repository.set_head(commit)
            repository.references.delete(_INCOMING)
        except (pygit2.GitError, KeyError, OSError) as error:
            raise StateError(
                f"The mirror of {self.key} can't be changed ({error}); free some space, or remove {self._mirror}."
            ) from None
        finally:
            repository.free()

    def _forget(self) -> None:
        """Drop the branch: what the remote hasn't any more isn't desired, and isn't read again."""
        if self._mirror.is_dir():
            self._local.close()
            shutil.rmtree(self._mirror, ignore_errors=True)
