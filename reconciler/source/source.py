"""Where desired state comes from: one interface for a repository on this machine, a remote one, and a plain folder.

How each is read is in git.py, remote.py and folder.py; which one a location means is decided in opening.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from reconciler.source.tree import SourceTree


class Source(Protocol):
    """A place that documents come from. `key` names it for good (the ledger remembers it) and holds no credentials."""

    @property
    def key(self) -> str:
        """The stable name: a remote's URL without credentials, or an absolute path."""

    @property
    def is_remote(self) -> bool:
        """True when only `fetch` can find out that something changed."""

    @property
    def answered(self) -> bool:
        """False for a remote that couldn't be asked since it was opened: what is read is what an earlier run knew."""

    @property
    def problem(self) -> str:
        """Why the remote couldn't be asked when that was tried last; empty once it answers, and for what is local."""

    def read(self) -> SourceTree:
        """The newest revision that is here. While nothing changes it is the same object.

        Raises SourceError when it can't be read. The first reading of a remote asks it, and raises Transient when it is
        away and nothing of it is here yet.
        """

    def fetch(self) -> bool:
        """Ask a remote for news; True when the revision moved. Nothing to do, and False, for what is local.

        Raises Transient when the remote can't be reached (the last revision stays readable) and SourceError when it can
        but hasn't the branch.
        """

    def shared(self, commit: str) -> str:
        """The commit that others have of what was read as `commit`: another one while ours wait to be pushed.

        Empty for what has no history.
        """

    def builds_on(self, since: str, commit: str) -> bool:
        """Whether what was read as `commit` has `since` in its history."""

    def last_good(self) -> SourceTree | None:
        """What was read last and could be trusted, also by an earlier run; None for a source that nothing guards."""

    def watch_paths(self) -> tuple[Path, ...]:
        """What changes when the revision does: folders with everything in them, else a name. None for remotes."""

    def close(self) -> None:
        """Let go of everything, and end a fetch that is under way."""


class Moved(Exception):  # noqa: N818  # what happened, not a mistake
    """Somebody else changed the source since the tip was read: read again."""
