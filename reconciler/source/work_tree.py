"""A repository's work tree as it lies: what a commit of everything that isn't ignored would hold.

Only for looking ahead. What is applied always comes from a commit, so that half-saved edits can't matter; but whoever
edits wants to see the plan before there is one.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pygit2
from pygit2.enums import FileStatus

from reconciler.errors import SourceError
from reconciler.source import files
from reconciler.source.folder import Folder
from reconciler.source.tree import Revision, SourceTree


class WorkTree:
    """The files below a repository's work tree. `uncommitted` are those that differ from the last commit, once read."""

    is_remote = False
    answered = True
    problem = ""

    def __init__(self, root: Path, *, sub_path: str) -> None:
        self.key = str(root)  # the repository's: its objects are the same ones
        self.sub_path = sub_path
        self.uncommitted: tuple[str, ...] = ()
        self._folder = Folder(root, sub_path=sub_path)
        try:
            self._repository = pygit2.Repository(str(root))
        except pygit2.GitError as error:
            raise SourceError(f"The repository {root} can't be opened ({error}); run `git fsck` there.") from None
        if self._repository.is_bare:
            raise SourceError(f"{root} is a bare repository and has no work tree; leave --worktree away.")

    def fetch(self) -> bool:
        """Nothing to do."""
        return False

    def close(self) -> None:
        """Close the repository's files."""
        self._repository.free()

    def shared(self, commit: str) -> str:  # noqa: ARG002  # a source like others
        """Nothing: what isn't committed has no history."""
        return ""

    def builds_on(self, since: str, commit: str) -> bool:  # noqa: ARG002
        """It would be committed on top of what is there."""
        return True

    def last_good(self) -> None:
        """Nothing is kept: nothing guards what is read."""

    def watch_paths(self) -> tuple[Path, ...]:
        """Nobody follows a work tree."""
        return ()

    def read(self) -> SourceTree:
        """The files as they are now, without those that git ignores. Raises SourceError."""
        tree = self._folder.read()
        try:
            kept = tuple(file for file in tree.files if not self._repository.path_is_ignored(file.path))
            status = self._repository.status(untracked_files="all", ignored=False)
        except (pygit2.GitError, KeyError, OSError) as error:
            raise SourceError(
                f"The work tree {self.key} can't be compared with git ({error}); run `git status`."
            ) from None
        self.uncommitted = tuple(
            sorted(path for path, state in status.items() if state != FileStatus.CURRENT and self._counts(path))
        )
        digest = hashlib.sha256(tree.repository_id.encode())
        for file in kept:
            digest.update(f"{file.path}\0{file.blob}\0".encode("utf-8", "surrogateescape"))
        revision = Revision("worktree", "sha256", digest.hexdigest())
        return replace(tree, files=kept, revision=revision, branch=self._branch())

    def _branch(self) -> str:
        """The one that a commit would be made on."""
        try:
            return "HEAD" if self._repository.head_is_detached else str(self._repository.head.shorthand)
        except pygit2.GitError:
            return ""  # there is no commit yet

    def _counts(self, path: str) -> bool:
        below = not self.sub_path or path.startswith(f"{self.sub_path}/")
        return path == files.REPOSITORY_FILE or (below and files.is_document_name(path))
