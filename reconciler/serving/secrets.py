"""Secrets that clients hand over: each in a file of its own that only the agent's user reads, never in a document.

A document names the file. A new secret gets a new file, so that the document says that it has changed; the last few of
an owner stay, for a revision that is rolled back. So do new ones: which of several clients' documents is committed last
isn't known until it is.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from reconciler.errors import StateError
from specs.reach import is_kept_for

_KEPT: Final = 3
_NEW_S: Final = 3600.0
_OWNER: Final = re.compile(r"[A-Za-z0-9-]{1,80}")
_LARGEST: Final = 4096


class Secrets:
    """One folder of them. For any thread. No error of it holds a secret."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[int, ...], str]] = {}

    def keep(self, owner: str, secret: str) -> Path:
        """The new file that holds `secret`. `owner` is letters, digits and hyphens. Raises StateError."""
        if not _OWNER.fullmatch(owner):
            raise ValueError(f"{owner!r} isn't an owner's name")
        path = self.folder / f"{owner}-{secrets.token_hex(4)}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{secret}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StateError(f"A secret can't be kept in {self.folder}: {error.strerror}.") from None
        self._thin(owner, _KEPT, _NEW_S)
        return path

    def is_kept_for(self, path: str | Path, owners: Iterable[str]) -> bool:
        """Whether a path is that of a file of this folder that was kept for one of these."""
        return is_kept_for(str(path), str(self.folder), owners)

    def is_kept(self, path: str | Path) -> bool:
        """Whether a path is that of a file of this folder."""
        return Path(path).parent == self.folder

    def read(self, path: str | Path, owners: Iterable[str]) -> str | None:
        """The secret in a file that was kept here for one of `owners`; None for any other: a document may name any.

        Cheap while the file stays as it is.
        """
        path = str(path)
        if not self.is_kept_for(path, owners):
            return None
        try:
            found = Path(path).stat(follow_symlinks=False)
            state = (found.st_ino, found.st_size, found.st_mtime_ns)
            known = self._known.get(path)
            if known is not None and known[0] == state:
                return known[1]
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(descriptor, encoding="utf-8") as file:
                secret = file.read(_LARGEST).partition("\n")[0]
        except (OSError, ValueError):
            return None
        self._known[path] = state, secret
        return secret

    def forget(self, owner: str) -> None:
        """Remove every secret of an owner."""
        self._thin(owner, 0)

    def drop(self, path: str | Path) -> None:
        """Remove one secret that was kept for nothing; a file elsewhere is left alone."""
        if self.is_kept(path):
            with suppress(OSError):
                Path(path).unlink(missing_ok=True)
            self._known.pop(str(path), None)

    def _thin(self, owner: str, keep: int, new_s: float = -1.0) -> None:
        """Only the newest ones of an owner stay, and those younger than `new_s`."""
        pattern = re.compile(rf"{re.escape(owner)}-[0-9a-f]{{8}}")
        with self._lock, suppress(OSError):
            made = {each: each.stat().st_mtime for each in self.folder.iterdir() if pattern.fullmatch(each.name)}
            files = sorted(made, key=lambda each: made[each], reverse=True)
            for each in files[keep:]:
                if time.time() - made[each] > new_s:
                    self.drop(each)
