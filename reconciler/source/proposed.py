"""A proposed change as it would be once merged: read from git objects, never checked out, never the source.

It lives in a mirror of its own beside the source's, so that what strangers propose is never where the followed branch
is read from. The merge is merging.py's business.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

import pygit2

from reconciler.errors import SourceError, StateError
from reconciler.source.git import GitRepository
from reconciler.source.git_command import GitCommand
from reconciler.source.location import Remote, parse_location, parse_sub_path
from reconciler.source.merging import (
    BASE,
    HEAD,
    MERGED,
    Merging,
)
from reconciler.source.tree import SourceTree

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
        self._merging = Merging(self._mirror)

    def merged(self, branch: str, reference: str, head: str) -> SourceTree:
        """What `branch` would hold with the proposal at `reference` merged into it.

        `head` is the commit that is expected there. Raises Transient when the remote can't be read or has moved on,
        Conflict when the two can't be merged, SourceError and StateError as a source does.
        """
        if not _REFERENCE.fullmatch(reference) or not _COMMIT.fullmatch(head):
            raise SourceError("The forge names a pull request in a way that git isn't asked with; check --forge.")
        self._make_mirror()
        self._git.fetch(self._mirror, f"+refs/heads/{branch}:{BASE}", f"+{reference}:{HEAD}")
        try:
            self._merging.merge(head)
        except SourceError as error:
            shutil.rmtree(self._mirror, ignore_errors=True)
            raise SourceError(f"The pull request can't be read from {self._remote.key} ({error}).") from None
        local = GitRepository(self._mirror, branch=MERGED, sub_path=self._sub_path, key=self._remote.key)
        try:
            return replace(local.read(), branch="")  # it stands for the branch that it is to be merged into
        finally:
            local.close()

    def close(self) -> None:
        """End a fetch that is under way; nothing is read after that."""
        self._git.close()
        self._merging.close()

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
