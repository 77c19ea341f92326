"""A plain folder, for trying out: its files are the source as they stand at the moment of reading.

Links are never followed, not even when one takes a folder's place while we read: every name is opened relative to the
open folder above it, and only when it is what it claims to be.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from reconciler.errors import SourceError
from reconciler.source import files
from reconciler.source.files import Budget
from reconciler.source.repository_file import declared_repository_id
from reconciler.source.tree import Revision, SourceFile, SourceTree, Unread
from specs.document import MAX_FILE_BYTES
from specs.problem import Problem

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # NONBLOCK: a pipe must not make us wait


class Folder:
    """A folder outside git. Its revision is a digest of everything in it that counts."""

    is_remote = False
    answered = True
    problem = ""

    def __init__(self, root: Path, *, sub_path: str) -> None:
        self.key = str(root)
        self.root = root
        self.sub_path = sub_path
        self._root = root
        self._sub_path = sub_path
        self._last: SourceTree | None = None

    def fetch(self) -> bool:
        """Nothing to do."""
        return False

    def close(self) -> None:
        """Nothing is kept open."""

    def shared(self, commit: str) -> str:  # noqa: ARG002  # a source like others
        """Nothing: a folder has no history."""
        return ""

    def builds_on(self, since: str, commit: str) -> bool:  # noqa: ARG002
        """Whatever is there now counts."""
        return True

    def last_good(self) -> None:
        """Nothing is kept: nothing guards what is read."""

    def watch_paths(self) -> tuple[Path, ...]:
        """The folder itself."""
        return (self._root,)

    def read(self) -> SourceTree:
        """The files as they are now; the same object while none of them changed. Raises SourceError."""
        try:
            with _opened(self._root, None) as root:
                repository_id, problems = _identity(root)
                reading = _Reading(self.key)
                self._from_sub_path(root, self._sub_path.split("/") if self._sub_path else [], "", reading)
        except OSError as error:
            raise SourceError(
                f"The folder {self.key} can't be read ({error.strerror}); check that it is there and readable."
            ) from None
        digest = hashlib.sha256(repository_id.encode())
        for file in reading.files:
            digest.update(f"{file.path}\0{file.blob}\0".encode())
        for problem in (*problems, *reading.problems):
            digest.update(str(problem).encode())
        revision = Revision("folder", "sha256", digest.hexdigest())
        unread = tuple(reading.unread[: files.MAX_UNREAD])
        if self._last is None or self._last.revision != revision:
            self._last = SourceTree(
                revision,
                tuple(reading.files),
                (*problems, *reading.problems),
                repository_id,
                path=self._sub_path,
                unread=unread,
            )
        elif self._last.unread != unread:
            self._last = replace(self._last, unread=unread)
        return self._last

    def _from_sub_path(self, folder: int, parts: list[str], prefix: str, reading: _Reading) -> None:
        if not parts:
            reading.folder(folder, prefix, 0)
            return
        try:
            with _opened(parts[0], folder) as below:
                self._from_sub_path(below, parts[1:], f"{prefix}{parts[0]}/", reading)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise SourceError(
                f"{self.key} has no folder {self._sub_path!r} that isn't a link ({error.strerror}); "
                "choose another with --path."
            ) from None


@contextmanager
def _opened(path: str | Path, parent: int | None, flags: int = _FOLDER) -> Iterator[int]:
    descriptor = os.open(path, flags, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _identity(root: int) -> tuple[str, tuple[Problem, ...]]:
    """The id that onggi.yaml declares, and what is wrong with that file."""
    name = files.REPOSITORY_FILE
    try:
        content = _content(root, name, name)
    except FileNotFoundError:
        return "", ()
    return ("", (content,)) if isinstance(content, Problem) else declared_repository_id(name, content)


def _content(folder: int, name: str, path: str) -> bytes | Problem:
    """A file's bytes, or why they aren't read."""
    try:
        with _opened(name, folder, _FILE) as descriptor:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return files.special_problem(path)
            if status.st_size > MAX_FILE_BYTES:
                return files.size_problem(path, status.st_size)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(MAX_FILE_BYTES + 1)
            return content if len(content) <= MAX_FILE_BYTES else files.size_problem(path, len(content))
    except FileNotFoundError:
        raise
    except OSError as error:
        if stat.S_ISLNK(os.lstat(name, dir_fd=folder).st_mode):
            return files.symlink_problem(path)
        return Problem(path, 0, 0, f"The file can't be read ({error.strerror}); make it readable for this user.")


class _Reading:
    """One reading of a folder."""

    def __init__(self, source: str) -> None:
        self._budget = Budget(source)
        self.files: list[SourceFile] = []
        self.problems: list[Problem] = []
        self.unread: list[Unread] = []

    def folder(self, folder: int, prefix: str, depth: int) -> None:
        """Everything in and below an open folder, in order of names."""
        self._budget.descend(depth)
        for name in sorted(os.listdir(folder)):
            self._budget.spend(entries=1)
            if not files.is_hidden(name) or files.is_put_aside(name):
                try:
                    self._entry(folder, name, prefix, depth)
                except FileNotFoundError:
                    continue  # removed while we read: the next event tells
                except OSError as error:
                    path = files.shown(prefix + name)
                    self.problems.append(
                        Problem(path, 0, 0, f"This can't be read ({error.strerror}); make it readable.")
                    )

    def _entry(self, folder: int, name: str, prefix: str, depth: int) -> None:
        mode = os.lstat(name, dir_fd=folder).st_mode
        is_folder, is_link = stat.S_ISDIR(mode), stat.S_ISLNK(mode)
        if files.is_hidden(name) or not (is_folder or is_link or files.is_document_name(name)):
            self.unread.append(Unread(files.shown(prefix + name) + ("/" if is_folder else "")))
            return
        if not prefix and name == files.REPOSITORY_FILE:
            return
        if (problem := files.name_problem(prefix, name)) is not None:
            self.problems.append(problem)
        elif is_link:
            self.problems.append(files.symlink_problem(prefix + name))
        elif is_folder:
            with _opened(name, folder) as below:
                self.folder(below, f"{prefix}{name}/", depth + 1)
        else:
            content = _content(folder, name, prefix + name)
            if isinstance(content, Problem):
                self.problems.append(content)
                return
            self._budget.spend(files=1, size=len(content))
            self.files.append(SourceFile(prefix + name, hashlib.sha256(content).hexdigest(), content))
