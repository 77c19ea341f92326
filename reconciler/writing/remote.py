"""A remote as a place to write: a commit on the mirror is pushed, or waits there until the remote is back.

What waits is what counts here meanwhile. When the remote is back and has other commits, ours are made anew on top of
them, document by document; one that contradicts them is dropped from the branch, kept on another one, and told of.
"""

from __future__ import annotations

import logging
import time
from typing import Final

import pygit2

from reconciler.desired.load import Loader
from reconciler.errors import Conflict, InvalidDocument, OnggiError, SourceError
from reconciler.source.git import GitRepository
from reconciler.source.remote import (
    PENDING,
    PENDING_BASE,
    REJECTED,
    Pushed,
    RemoteRepository,
)
from reconciler.source.source import Moved, Source
from reconciler.source.tree import Revision
from reconciler.source.verification import VerifiedSource
from reconciler.writing.changes import DocumentChange, Put, Remove
from reconciler.writing.commits import Commits
from reconciler.writing.local import git_tip
from reconciler.writing.place import Note
from reconciler.writing.rewriting import (
    Files,
    Tip,
    TipDocuments,
    rewrite,
)
from reconciler.writing.three_way import clash, merged

log = logging.getLogger("onggi.source")

_REPLAYED: Final = "refs/onggi/replayed"
_AWAY_S: Final = 30.0  # how long a remote that didn't answer isn't waited for again; a fetch that works ends it


class RemotePlace:
    """`source` is what is read, perhaps guarded; `remote` what it reads."""

    def __init__(self, source: Source, remote: RemoteRepository) -> None:
        self._source = source
        self._remote = remote
        self._away_until = 0.0

    def tip(self) -> Tip:
        """What waits to be pushed, else what was fetched last."""
        self._source.read()  # makes the mirror, where there is none yet
        return git_tip(self._source, self._commits(), self._remote.sub_path)

    def put(self, tip: Tip, files: Files, note: Note) -> tuple[Revision, bool]:
        """Commit and push. With the remote away the commit waits on the mirror."""
        branch, parent = tip.tree.revision.branch, tip.tree.revision.digest
        commits = self._commits()
        pending, head = commits.at(PENDING), self._remote.branch_head()[1]
        if parent not in (pending, head):
            raise Moved
        commit = commits.make(parent, files, note)
        pushed = self._push(branch, commit, commits.at(PENDING_BASE) if parent == pending else head)
        if pushed is Pushed.MOVED:
            self._remote.fetch_only()
            self.settle()
            raise Moved
        if pushed is Pushed.AWAY:
            if not commits.at(PENDING):
                commits.put(PENDING_BASE, parent)
            commits.put(PENDING, commit)
            log.warning("%s can't be reached; the commit %s waits here to be pushed", self._source.key, commit[:12])
        else:
            _clear(commits)
        return Revision(branch, "sha1", commit), pushed is Pushed.DONE

    def recover(self) -> None:
        """Nothing can be half done: a commit waits, or was never answered for."""

    def settle(self) -> bool:
        """Push what waits, on top of what the remote has by now. True when the revision is another one after that."""
        self._away_until = 0.0
        branch, head = self._remote.branch_head()
        if not branch or branch == "HEAD":
            return False
        commits = self._commits()
        self._remote.rejected = tuple(sorted(commits.below(REJECTED).values()))
        before = commits.at(PENDING)
        if not before:
            return False
        waiting = self._on_top(commits, head, before)
        if waiting and waiting != head:
            try:
                self._push(branch, waiting, head)
            except OnggiError as error:
                log.warning("%s What waits to be pushed goes on waiting.", error)
        if commits.at(f"refs/heads/{branch}") == waiting:
            _clear(commits)
        return waiting != before

    def _push(self, branch: str, commit: str, base: str) -> Pushed:
        """`base` is the remote's commit that `commit` was made on. Not where the branch is by now: a fetch goes on
        beside us, and what it has brought would be pushed away.
        """
        if time.monotonic() < self._away_until:
            return Pushed.AWAY
        pushed = self._remote.push(branch, commit, base)
        if pushed is Pushed.AWAY:
            self._away_until = time.monotonic() + _AWAY_S
        return pushed

    def _on_top(self, commits: Commits, head: str, pending: str) -> str:
        """The commit that waits, or what it becomes on top of `head`; `head` itself when nothing is left of it."""
        base = commits.at(PENDING_BASE)
        if self._remote.commits_after(pending, head) is not None:
            return head  # the remote has it: only its answer was lost
        if self._remote.commits_after(head, pending) is not None and base == head:
            return pending
        replay = _Replay(commits, self._remote)
        now, rejected = replay.on(head, self._remote.commits_after(base, pending) or (pending,))
        if rejected:
            self._reject(commits, pending, rejected)
        commits.put(PENDING_BASE, head)
        commits.put(PENDING, now)
        if isinstance(self._source, VerifiedSource):
            self._source.rebased(base)
        return now

    def _reject(self, commits: Commits, pending: str, rejected: OnggiError) -> None:
        """Keep what the remote's history contradicts on a branch of its own, here and there."""
        name = f"onggi/rejected-{pending[:12]}"
        commits.put(f"{REJECTED}{pending[:12]}", pending)
        self._remote.rejected = tuple(sorted(commits.below(REJECTED).values()))
        where = f"its branch {name}" if self._remote.push_aside(pending, name) else f"{REJECTED} of the mirror"
        log.warning(
            "%s was written here while %s couldn't be reached, and contradicts what is there now: %s It is on %s.",
            pending[:12], self._source.key, rejected, where,
        )  # fmt: skip

    def _commits(self) -> Commits:
        mirror = self._remote.mirror()
        try:
            return Commits(mirror, self._source.key, self._source if isinstance(self._source, VerifiedSource) else None)
        except pygit2.GitError as error:
            raise SourceError(f"The mirror of {self._source.key} can't be opened ({error}).") from None


class _Replay:
    """Makes commits anew on top of another one."""

    def __init__(self, commits: Commits, remote: RemoteRepository) -> None:
        self._commits = commits
        self._loader = Loader()
        self._sub_path = remote.sub_path
        self._repository = GitRepository(
            remote.mirror(), branch="", sub_path=remote.sub_path, key=remote.key, preferring=_REPLAYED
        )

    def on(self, head: str, replayed: tuple[str, ...]) -> tuple[str, OnggiError | None]:
        """The newest of the new commits, and why some of them couldn't be made."""
        now, rejected = head, None
        try:
            for commit in replayed:
                try:
                    now = self._one(commit, now)
                except (Conflict, InvalidDocument, SourceError) as error:
                    rejected = error
        finally:
            self._commits.put(_REPLAYED, "")
            self._repository.close()
        return now, rejected

    def _one(self, commit: str, now: str) -> str:
        base = self._documents(self._commits.parent(commit))
        ours = self._documents(commit)
        theirs = self._documents(now)
        changes: list[DocumentChange] = []
        for ref in sorted(base.refs() | ours.refs()):
            before, wanted, there = base.get(ref), ours.get(ref), theirs.get(ref)
            if before == wanted:
                continue
            if clash(before, wanted, there):
                raise Conflict(f"{ref} was changed there too.")
            result = merged(before, wanted, there)
            changes.append(Remove(ref) if result is None else Put(ref, result))
        files = rewrite(theirs, changes, self._loader)
        return self._commits.make(now, files, self._commits.note(commit)) if files else now

    def _documents(self, commit: str) -> TipDocuments:
        self._commits.put(_REPLAYED, commit)
        tree = self._repository.read()
        taken = self._commits.taken(commit)
        return TipDocuments(
            Tip(tree, self._sub_path, taken, lambda text: str(pygit2.hash(text))), self._loader.load(tree)
        )


def _clear(commits: Commits) -> None:
    commits.put(PENDING, "")
    commits.put(PENDING_BASE, "")
