"""Reads a secret that a document names: from a file that can only be meant for that, or from a variable.

A document's author may name any path. Nothing is opened before it is known to be a regular file, for opening alone can
do something to a device, and hang on a pipe; no step of the path is a link or another user's to change. Whatever is
wrong, the answer is the same sentence: it mustn't tell what is on the host.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from reconciler.errors import Terminal
from reconciler.planning.operations import SecretSource
from specs import canonical
from specs.reach import Reach

_MAX_BYTES = 64 * 1024
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_NOT_OPENED = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def read_secret(source: SecretSource, reach: Reach | None = None) -> str:
    """The first line of a file, or the value of a variable. Raises Terminal with a sentence that holds no part of it.

    Without a `reach` any place will do that fits the rest.
    """
    value = _from_file(source.file, reach) if source.file else _from_variable(source.env, reach)
    if not value:
        raise Terminal(f"{(reach or Reach()).no_secret({'file': source.file, 'env': source.env})}.")
    return value


def named(source: SecretSource) -> str:
    """Where it is kept, in words."""
    return source.file or f"the variable {source.env}"


def _from_variable(name: str, reach: Reach | None) -> str | None:
    return os.environ.get(name) if reach is None or reach.has_variable(name) else None


def _from_file(path: str, reach: Reach | None) -> str | None:
    path = canonical.path(path)
    folder = str(PurePosixPath(path).parent) if reach is None else reach.folder_of(path)
    if not folder:
        return None
    try:
        with _found(folder, PurePosixPath(path).relative_to(folder).parts) as file:
            if _is_agents(file, reach):
                return None
            # By the descriptor: what was judged is what is read, whatever the path names by now.
            with open(f"/proc/self/fd/{file}", "rb", opener=_readable) as readable:
                return readable.read(_MAX_BYTES).partition(b"\n")[0].rstrip(b"\r").decode()
    except (OSError, ValueError):
        return None


def _readable(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


@contextmanager
def _found(folder: str, parts: tuple[str, ...]) -> Iterator[int]:
    """A regular file that is reached from `folder` without a link, not opened yet. Raises OSError, and ValueError."""
    at = os.open(folder, _FOLDER)
    try:
        for place, part in enumerate(parts):
            _judge(os.fstat(at), stat.S_IFDIR)
            below = os.open(part, _NOT_OPENED | (os.O_DIRECTORY if place < len(parts) - 1 else 0), dir_fd=at)
            os.close(at)
            at = below
        _judge(os.fstat(at), stat.S_IFREG)
        yield at
    finally:
        os.close(at)


def _judge(found: os.stat_result, kind: int) -> None:
    mine = found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    small = kind == stat.S_IFDIR or found.st_size <= _MAX_BYTES
    if stat.S_IFMT(found.st_mode) != kind or not mine or not small:
        raise ValueError


def _is_agents(file: int, reach: Reach | None) -> bool:
    """Whether it is one of the agent's own secrets, under whatever name."""
    found = os.fstat(file)
    for path in reach.agents_secrets if reach is not None else ():
        try:
            if os.path.samestat(found, os.stat(path)):  # noqa: PTH116  (of a text)
                return True
        except OSError:
            continue
    return False
