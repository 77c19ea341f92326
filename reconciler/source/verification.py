"""A source whose commits have to be signed: a head that can't be trusted isn't read on, and the last good one stays.

A signature says who, not when. So that nobody can bring back an old signed state, the history is only followed forwards
from the last good revision. How one commit is verified is signatures.py's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from reconciler.errors import SourceError
from reconciler.source.last_good import LastGood
from reconciler.source.signatures import ALL, SignatureCheck, SignaturePolicy
from reconciler.source.source import Source
from reconciler.source.tree import Revision, SourceTree


class Unverified(SourceError):  # noqa: N818  # a word of the trade
    """The head isn't signed as it has to be; the sentence names the commit, what is wrong and what to do."""


class Commits(Source, Protocol):
    """A source with a history."""

    def objects(self) -> Path:
        """The folder with the repository's objects."""

    def commits_after(self, since: str, head: str) -> Sequence[str] | None:
        """The commits that `head` has and `since` hasn't, oldest first; None when `head` doesn't build on `since`."""


class VerifiedSource:
    """Another source behind a gate. With `recording`, what passes becomes the last good revision."""

    def __init__(
        self, source: Commits, policy: SignaturePolicy, check: SignatureCheck, last_good: LastGood, *, recording: bool
    ) -> None:
        self._source = source
        self._policy = policy
        self._check = check
        self._last_good = last_good
        self._recording = recording

    @property
    def key(self) -> str:
        """The name of the source behind."""
        return self._source.key

    @property
    def is_remote(self) -> bool:
        """As the source behind."""
        return self._source.is_remote

    @property
    def answered(self) -> bool:
        """As the source behind."""
        return self._source.answered

    @property
    def problem(self) -> str:
        """As the source behind."""
        return self._source.problem

    @property
    def behind(self) -> Commits:
        """The source that is guarded."""
        return self._source

    def mistake(self, commit: str) -> str:
        """Why a commit (a full id) wouldn't be trusted, and what to do; empty when it would."""
        return self._check.mistake(commit, self._source.objects())

    def fetch(self) -> bool:
        """As the source behind: what was fetched is judged when it is read."""
        return self._source.fetch()

    def watch_paths(self) -> tuple[Path, ...]:
        """As the source behind."""
        return self._source.watch_paths()

    def close(self) -> None:
        """Close the source behind."""
        self._source.close()

    def shared(self, commit: str) -> str:
        """As the source behind."""
        return self._source.shared(commit)

    def builds_on(self, since: str, commit: str) -> bool:
        """As the source behind."""
        return self._source.builds_on(since, commit)

    def read(self) -> SourceTree:
        """The newest revision, when it can be trusted. Raises Unverified when it can't, and as the source behind."""
        tree = self._source.read()
        self._verify(tree.revision)
        if self._recording:
            self._last_good.keep(tree)
        return tree

    def last_good(self) -> SourceTree | None:
        """The last revision that could be trusted, also of an earlier run."""
        return self._last_good.get()

    def rebased(self, since: str) -> None:
        """Our own commits were made anew on top of other ones, after `since`, which was trusted when they first were:
        judge the new ones from there, and go on from them. Raises as `read`."""
        tree = self._source.read()
        self._verify(tree.revision, since)
        if self._recording:
            self._last_good.keep(tree)

    def _verify(self, revision: Revision, since: str = "") -> None:
        head, objects = revision.digest, self._source.objects()
        if mistake := self._check.mistake(head, objects):
            raise Unverified(f"The commit {head[:12]} on {revision.branch} {mistake}.")
        kept = self._last_good.get()
        if kept is None or kept.revision.digest == head:
            return
        since = since or kept.revision.digest
        commits = self._source.commits_after(since, head)
        if commits is None:
            raise Unverified(self._backwards(revision, since))
        for commit in commits if self._policy.require == ALL else ():
            if mistake := self._check.mistake(commit, objects):
                raise Unverified(
                    f"The commit {commit[:12]}, which {head[:12]} on {revision.branch} builds on, {mistake}; every "
                    f"commit after {since[:12]} has to be signed (git rebase -S {since[:12]})."
                )

    def _backwards(self, revision: Revision, since: str) -> str:
        head = revision.digest
        older = self._source.commits_after(head, since) is not None
        what = "is older than" if older else "doesn't build on"
        return (
            f"The commit {head[:12]} on {revision.branch} is signed, but {what} the last good revision {since[:12]}: "
            "put a signed commit on top of that one, as onggi rollback does, or remove "
            f"{self._last_good.file} on this host if the history was rewritten on purpose."
        )
