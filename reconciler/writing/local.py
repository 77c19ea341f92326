"""A repository on this machine as a place to write: a commit, and the branch moves to it unless somebody was faster."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import pygit2

from reconciler.errors import Conflict
from reconciler.source.git import GitRepository
from reconciler.source.source import Moved, Source
from reconciler.source.tree import Revision
from reconciler.source.verification import VerifiedSource
from reconciler.writing.commits import Commits
from reconciler.writing.place import Note
from reconciler.writing.rewriting import Files, Tip
from reconciler.writing.work_tree import FileStep, WorkTree, work_trees

_SETTLING_S: Final = 0.2  # how long another git may take between changing files and moving the branch
_PAUSE_S: Final = 0.02


def git_tip(source: Source, commits: Commits, sub_path: str) -> Tip:
    """The tip of a source that is read from git. Raises Conflict when no branch is."""
    tree = source.read()
    if tree.revision.branch == "HEAD":
        raise Conflict(f"{source.key} has no branch checked out, so a commit would belong to none; switch to one.")
    return Tip(tree, sub_path, commits.taken(tree.revision.digest), lambda content: str(pygit2.hash(content)))


class LocalPlace:
    """`source` is what is read, perhaps guarded; `repository` what it reads."""

    def __init__(self, source: Source, repository: GitRepository) -> None:
        self._source = source
        self._sub_path = repository.sub_path
        _, self._shared = repository.folders()
        self._commits = Commits(self._shared, source.key, source if isinstance(source, VerifiedSource) else None)

    def tip(self) -> Tip:
        """The branch's newest commit."""
        return git_tip(self._source, self._commits, self._sub_path)

    def put(self, tip: Tip, files: Files, note: Note) -> tuple[Revision, bool]:
        """Commit, and have every work tree of the branch follow."""
        branch, parent = tip.tree.revision.branch, tip.tree.revision.digest
        steps = {path: self._step(parent, path, content) for path, content in files.items()}
        begun: list[WorkTree] = []
        try:
            for tree in work_trees(self._shared, branch):
                tree.begin(steps, self._names(parent))
                begun.append(tree)
            commit = self._commits.make(parent, files, note)
            self._commits.move(f"refs/heads/{branch}", parent, commit)
        except BaseException as error:
            for tree in begun:
                tree.abandon()
            if isinstance(error, Conflict) and self._moves(f"refs/heads/{branch}", parent):
                raise Moved from None  # no edits: the files of another commit
            raise
        for tree in begun:
            tree.finish()
        return Revision(branch, "sha1", commit), False

    def recover(self) -> None:
        """Have files follow that a crash has left behind."""
        revision = self._source.read().revision
        for tree in work_trees(self._shared, revision.branch):
            tree.recover(self._names(revision.digest))

    def _moves(self, reference: str, expected: str) -> bool:
        """True when a branch isn't where it was, or about to be elsewhere: git changes the files first."""
        end = time.monotonic() + _SETTLING_S
        while self._commits.at(reference) == expected:
            if time.monotonic() > end:
                return False
            time.sleep(_PAUSE_S)
        return True

    def _names(self, commit: str) -> Callable[[str], str | None]:
        def name(path: str) -> str | None:
            found = self._commits.content(commit, path)
            return None if found is None else str(found.id)

        return name

    def _step(self, parent: str, path: str, new: bytes | None) -> FileStep:
        found = self._commits.content(parent, path)
        return FileStep(None, new) if found is None else FileStep(str(found.id), new, int(found.filemode))
