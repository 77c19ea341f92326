"""A remote repository: one branch of it, kept as a bare mirror in the state folder and read like a local repository.

The mirror is a cache, but for commits of ours that wait for the remote to come back: these are preferred in reading,
and kept whatever happens to the branch. Making them, and what becomes of them, is the business of `writing/remote.py`.
"""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

import pygit2

from reconciler.errors import OnggiError, SourceError, StateError, Terminal, Transient
from reconciler.source.git import GitRepository, branches_sentence
from reconciler.source.git_command import GitCommand
from reconciler.source.location import Remote
from reconciler.source.tree import SourceTree

log = logging.getLogger("onggi.source")

_INCOMING = "refs/onggi/incoming"  # fetched into, so that a broken fetch leaves the branch as it was
PENDING: Final = "refs/onggi/pending"  # commits of ours that the remote hasn't got yet
PENDING_BASE: Final = "refs/onggi/pending-base"  # the remote's commit that they were made on
REJECTED: Final = "refs/onggi/rejected/"  # those that the remote's own history contradicts, by their short id
_PUSH_S: Final = 20.0  # somebody waits for the answer
_ADVERTISED = re.compile(r"([0-9a-f]{40,64})\t(\S+)")


class Pushed(Enum):
    """What came of a push."""

    DONE = "done"
    MOVED = "moved"  # the branch isn't where it was expected
    AWAY = "away"  # the remote can't be reached


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
        self._push = GitCommand(remote, timeout_s=min(timeout_s, _PUSH_S))
        self._fetching = threading.Lock()
        self._asked = False
        self._answered = False
        self._problem = ""
        self._local = GitRepository(self._mirror, branch=branch, sub_path=sub_path, key=remote.key, preferring=PENDING)
        self.sub_path = sub_path
        self.after_fetch: Callable[[], bool] | None = None  # what a writer does then; True when the revision moved
        self.rejected: tuple[str, ...] = ()  # commits of ours that were made while the remote was away, and lost to it

    @property
    def answered(self) -> bool:
        """True once the remote has told where it is."""
        return self._answered

    @property
    def problem(self) -> str:
        """Why the remote couldn't be asked last."""
        return self._problem

    def read(self) -> SourceTree:
        """The last fetched revision. The first reading asks the remote; when it is away, the mirror must do."""
        if not self._asked or not self._current():
            self._asked = True  # what follows a fetch may read, too
            try:
                self.fetch()
            except Transient as error:
                if not self._current():
                    self._asked = False
                    raise
                log.warning("%s Going on with the revision that was fetched last.", error)
            except BaseException:
                self._asked = False
                raise
        return self._local.read()

    def fetch(self) -> bool:
        """Ask the remote; True when the branch moved, in whatever direction: a rewritten history is followed."""
        moved = self.fetch_only()
        return (self.after_fetch() if self.after_fetch is not None else False) or moved

    def fetch_only(self) -> bool:
        """As `fetch`, and what waits to be pushed goes on waiting."""
        try:
            moved = self._fetch()
        except OnggiError as error:
            self._problem = str(error)
            raise
        self._problem = ""
        return moved

    def _fetch(self) -> bool:
        with self._fetching:
            tip = self._ask()
            if tip.commit == self._current():
                self._answered = True
                return False
            self._make_mirror()
            self._git.fetch(self._mirror, f"+{tip.reference}:{_INCOMING}")
            self._take_over(tip)
            self._answered = True
            return True

    def mirror(self) -> Path:
        """The mirror's folder."""
        return self._mirror

    def branch_head(self) -> tuple[str, str]:
        """The branch and its commit as they were fetched last; both empty when nothing was."""
        return self._local.branch_head() if self._mirror.is_dir() else ("", "")

    def push(self, branch: str, commit: str, expected: str) -> Pushed:
        """Have the remote's branch at `commit`, if it is at `expected`; the mirror's follows.

        Raises Terminal when the remote doesn't take it: it can be read, but not be written like this.
        """
        reference = f"refs/heads/{branch}"
        with self._fetching:
            try:
                self._push.run(
                    f"--git-dir={self._mirror}", "push", "--quiet", "--no-verify",
                    f"--force-with-lease={reference}:{expected}", "--end-of-options", self._remote.url,
                    f"{commit}:{reference}", doing="pushed to", remedy="check that this user's git may push there",
                )  # fmt: skip
            except Transient as error:
                try:
                    answer = self._push.run("ls-remote", "--quiet", "--end-of-options", self._remote.url, reference)
                except Transient:
                    return Pushed.AWAY
                now = answer.partition("\t")[0].strip()
                if now != commit:
                    if now == expected:
                        raise Terminal(str(error)) from None
                    return Pushed.MOVED
            self._take_over(_Tip(branch, commit), commit)
            return Pushed.DONE

    def push_aside(self, commit: str, branch: str) -> bool:
        """Have a commit on a branch of its own at the remote; False when it doesn't take it."""
        with self._fetching:
            try:
                self._push.run(
                    f"--git-dir={self._mirror}", "push", "--quiet", "--no-verify", "--end-of-options", self._remote.url,
                    f"{commit}:refs/heads/{branch}",
                )  # fmt: skip
            except Transient:
                return False
            return True

    def shared(self, commit: str) -> str:
        """The branch as it was fetched, while what was read waits to be pushed, and may have to be made anew first."""
        return self._current() if commit == self._local.head() else commit

    def builds_on(self, since: str, commit: str) -> bool:
        """As GitRepository.builds_on, of what was fetched."""
        return self._local.builds_on(since, self.shared(commit) or commit)

    def last_good(self) -> None:
        """Nothing is kept: nothing guards what is read."""

    def watch_paths(self) -> tuple[Path, ...]:
        """Nothing: a remote is asked, not watched."""
        return ()

    def close(self) -> None:
        """End a fetch that is under way and close the mirror."""
        self._git.close()
        self._push.close()
        self._local.close()

    def objects(self) -> Path:
        """The folder with the mirror's objects. Raises SourceError."""
        return self._local.objects()

    def commits_after(self, since: str, head: str) -> tuple[str, ...] | None:
        """As GitRepository.commits_after, of what was fetched."""
        return self._local.commits_after(since, head)

    def _current(self) -> str:
        return self.branch_head()[1]

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

    def _take_over(self, tip: _Tip, pushed: str = "") -> None:
        """Make what was fetched, or pushed, the mirror's only branch and its HEAD."""
        repository = pygit2.Repository(str(self._mirror))
        try:
            incoming = repository.references.get(_INCOMING)
            assert pushed or incoming is not None  # noqa: S101 - one of the two was just done
            commit = pygit2.Oid(hex=pushed) if pushed else repository.references[_INCOMING].peel(pygit2.Commit).id
            for name in list(repository.references):
                if name.startswith("refs/heads/") and name != tip.reference:
                    repository.references.delete(name)
            if tip.branch:
                repository.references.create(tip.reference, commit, force=True)
                repository.set_head(tip.reference)
            else:
                repository.set_head(commit)
            if incoming is not None:
                repository.references.delete(_INCOMING)
        except (pygit2.GitError, KeyError, OSError) as error:
            raise StateError(
                f"The mirror of {self.key} can't be changed ({error}); free some space, or remove {self._mirror}."
            ) from None
        finally:
            repository.free()

    def _forget(self) -> None:
        """Drop the branch: what the remote hasn't any more isn't desired, and isn't read again.

        Commits of ours that it never got are put aside before: they are nowhere else.
        """
        if not self._mirror.is_dir():
            return
        self._local.close()
        try:
            repository = pygit2.Repository(str(self._mirror))
            names = list(repository.references)
            if (waiting := repository.references.get(PENDING)) is not None:
                commit = waiting.peel(pygit2.Commit).id
                repository.references.create(f"{REJECTED}{str(commit)[:12]}", commit, force=True)
                log.warning("%s lost its branch; the commit %s that waited for it is kept aside", self.key, commit)
            for name in names:
                if name.startswith("refs/heads/") or name in (PENDING, PENDING_BASE):
                    repository.references.delete(name)
            repository.free()
            ours = waiting is not None or any(name.startswith(REJECTED) for name in names)
        except (pygit2.GitError, KeyError, OSError):
            ours = False
        if not ours:
            shutil.rmtree(self._mirror, ignore_errors=True)
