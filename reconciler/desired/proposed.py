"""A proposed change as it would be once merged: read from git objects, never checked out, never the source.

It lives in a mirror of its own beside the source's, so that what strangers propose is never where the followed branch
is read from. The merge is libgit2's, in memory: it runs no programs, whatever a repository's attributes ask for.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

import pygit2

from reconciler.desired.git import GitRepository
from reconciler.desired.git_command import GitCommand
from reconciler.desired.location import Remote, parse_location, parse_sub_path
from reconciler.desired.state import SourceTree
from reconciler.errors import Conflict, SourceError, StateError, Transient

_BASE: Final = "refs/onggi/base"
_HEAD: Final = "refs/onggi/head"
_MERGED: Final = "onggi-merged"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_REFERENCE: Final = re.compile(r"refs/(?:pull|merge-requests)/[0-9]{1,12}/head")


class ProposedChanges:
    """The proposals of one remote. For one thread; `close` is for any. Raises SourceError for what is local."""

    def __init__(self, location: str, *, path: str, state_dir: Path, timeout_s: float = 60.0) -> None:
        remote = parse_location(location)
        if not isinstance(remote, Remote):
            raise SourceError("Pull requests are planned only for a remote repository; give its URL as REPO.")
        self._remote = remote
        self._sub_path = parse_sub_path(path)
        name = hashlib.sha256(f"{remote.key}\nproposed".encode()).hexdigest()[:24]
        self._mirror = state_dir / "mirrors" / f"{name}.git"
        self._git = GitCommand(remote, timeout_s=timeout_s)

    def merged(self, branch: str, reference: str, head: str) -> SourceTree:
        """What `branch` would hold with the proposal at `reference` merged into it.

        `head` is the commit that is expected there. Raises Transient when the remote can't be read or has moved on,
        Conflict when the two can't be merged, SourceError and StateError as a source does.
        """
        if not _REFERENCE.fullmatch(reference) or not _COMMIT.fullmatch(head):
            raise SourceError("The forge names a pull request in a way that git isn't asked with; check --forge.")
        self._make_mirror()
        self._git.run(
            f"--git-dir={self._mirror}", "fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head",
            "--no-recurse-submodules", "--end-of-options", self._remote.url,
            f"+refs/heads/{branch}:{_BASE}", f"+{reference}:{_HEAD}",
        )  # fmt: skip
        try:
            repository = pygit2.Repository(str(self._mirror))
            try:
                self._merge(repository, head)
            finally:
                repository.free()
        except (pygit2.GitError, KeyError, ValueError, OSError) as error:
            shutil.rmtree(self._mirror, ignore_errors=True)
            raise SourceError(f"The pull request can't be read from {self._remote.key} ({error}).") from None
        local = GitRepository(self._mirror, branch=_MERGED, sub_path=self._sub_path, key=self._remote.key)
        try:
            return replace(local.read(), branch="")  # it stands for the branch that it is to be merged into
        finally:
            local.close()

    def close(self) -> None:
        """End a fetch that is under way; nothing is read after that."""
        self._git.close()

    def _merge(self, repository: pygit2.Repository, expected: str) -> None:
        base = repository.references[_BASE].peel(pygit2.Commit)
        head = repository.references[_HEAD].peel(pygit2.Commit)
        if str(head.id) != expected:
            raise Transient("The pull request has a newer commit by now; that one is planned next.")
        index = repository.merge_commits(base, head)
        if index.conflicts is not None:
            paths = sorted({entry.path for sides in index.conflicts for entry in sides if entry is not None})
            raise Conflict(
                f"{len(paths)} files differ in ways that can't be merged; merge {base.short_id} by hand first."
            )
        # Nobody's name and no date: the same two commits give the same one.
        nobody = pygit2.Signature("onggi", "onggi", 0, 0)
        tree = index.write_tree(repository)
        merged = repository.create_commit(None, nobody, nobody, "Merge", tree, [base.id, head.id])
        repository.references.create(f"refs/heads/{_MERGED}", merged, force=True)

    def _make_mirror(self) -> None:
        try:
            if not (self._mirror / "HEAD").is_file():
                shutil.rmtree(self._mirror, ignore_errors=True)
                self._mirror.mkdir(mode=0o700, parents=True)
                pygit2.init_repository(str(self._mirror), bare=True).free()
        except (OSError, pygit2.GitError) as error:
            raise StateError(
                f"The mirror of {self._remote.key} can't be kept in {self._mirror.parent} ({error}); make the folder "
                "writable, or free some space."
            ) from None
