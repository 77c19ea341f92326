"""A source tree as a child tells it, and what of it is believed: texts that can be printed, sizes within the limits.

Contents that were told before aren't told again: a commit that changes one file of a thousand costs one file here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from reconciler.confined.frames import BrokenTalkError, Frame, Most
from reconciler.source import files, limits
from reconciler.source.tree import Revision, SourceFile, SourceTree, Unread
from specs.document import MAX_FILE_BYTES
from specs.problem import Problem

_MOST_PROBLEMS: Final = 20_000
_MOST_UNCOMMITTED: Final = 2_000
_LONGEST_PATH: Final = 64 << 10
_NAME: Final = re.compile(r"[0-9a-f]{40,64}")
_KNOWN: Final = b""
_NEW: Final = b"\n"  # stands before a content, so that an empty one isn't none


def most() -> Most:
    """How much a child may tell of a tree."""
    number, size = limits.most_files(), limits.most_bytes()
    return Most(3 * number + 3 * _MOST_PROBLEMS + 2 * files.MAX_UNREAD + _MOST_UNCOMMITTED, 2 * size + (16 << 20))


def told(tree: SourceTree, before: SourceTree | None, uncommitted: Sequence[str]) -> Frame:
    """`tree` for somebody who knows `before`."""
    if len(tree.problems) > _MOST_PROBLEMS:
        return Frame({"error": "SourceError", "message": f"has more than {_MOST_PROBLEMS} names that can't be read"})
    known = {} if before is None else {file.path: file.blob for file in before.files}
    parts: list[bytes] = []
    for file in tree.files:
        same = known.get(file.path) == file.blob
        parts += (_bytes(file.path), file.blob.encode(), _KNOWN if same else _NEW + file.content)
    for problem in tree.problems:
        parts += (_bytes(problem.path), f"{problem.line}:{problem.column}".encode(), _bytes(problem.message))
    for unread in tree.unread:
        parts += (_bytes(unread.path), unread.blob.encode())
    named = uncommitted[:_MOST_UNCOMMITTED]
    parts += map(_bytes, named)
    revision = tree.revision
    header = {
        "revision": [revision.branch, revision.algorithm, revision.digest],
        "id": tree.repository_id, "branch": tree.branch, "path": tree.path,
        "files": len(tree.files), "problems": len(tree.problems), "unread": len(tree.unread),
        "uncommitted": len(named),
    }  # fmt: skip
    return Frame(header, parts)


def understood(frame: Frame, before: SourceTree | None) -> tuple[SourceTree, tuple[str, ...]]:
    """The tree that was told to who knew `before`, and what isn't committed. Raises BrokenTalkError."""
    header, parts = frame.header, iter(frame.parts)
    known = {} if before is None else {file.path: file for file in before.files}
    try:
        tree = SourceTree(
            _revision(header["revision"]),
            tuple(_file(parts, known) for _ in range(_number(header["files"]))),
            tuple(_problem(parts) for _ in range(_number(header["problems"]))),
            printable(header["id"]),
            branch=printable(header["branch"]),
            path=None if header["path"] is None else printable(header["path"]),
            unread=tuple(Unread(_text(parts), _blob(parts)) for _ in range(_number(header["unread"]))),
        )
        uncommitted = tuple(_text(parts) for _ in range(_number(header["uncommitted"])))
    except (KeyError, TypeError, ValueError, StopIteration, RuntimeError):
        raise BrokenTalkError("it said what isn't a source") from None
    if len(tree.files) > limits.most_files() or len({file.path for file in tree.files}) != len(tree.files):
        raise BrokenTalkError("it said what isn't a source")
    return tree, uncommitted


def revision_of(value: Any) -> Revision:
    """A revision that a child has told. Raises BrokenTalkError."""
    try:
        return _revision(value)
    except (TypeError, ValueError):
        raise BrokenTalkError("it said what isn't a revision") from None


def _revision(value: Any) -> Revision:
    branch, algorithm, digest = value
    if algorithm not in ("sha1", "sha256") or not _NAME.fullmatch(digest):
        raise ValueError(algorithm)
    return Revision(printable(branch), algorithm, digest)


def printable(value: Any, longest: int = 4096) -> str:
    """A text that can be shown on one line. Raises TypeError for anything else than text."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return files.shown(value[:longest])


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("not a number")
    return value


def _file(parts: Iterator[bytes], known: dict[str, SourceFile]) -> SourceFile:
    path, blob, content = next(parts).decode(), _blob(parts), next(parts)
    *folders, name = path.split("/")
    if any(files.name_problem("", part) is not None for part in (*folders, name)) or not files.is_document_name(name):
        raise ValueError(path)
    if content == _KNOWN:
        file = known[path]
        if file.blob != blob:
            raise ValueError(path)
        return file
    if len(content) > MAX_FILE_BYTES + 1:
        raise ValueError(path)
    return SourceFile(path, blob, content[1:])


def _problem(parts: Iterator[bytes]) -> Problem:
    path, place, message = _text(parts), next(parts).decode(), _text(parts)
    line, _, column = place.partition(":")
    return Problem(path, int(line), int(column), message)


def _blob(parts: Iterator[bytes]) -> str:
    blob = next(parts).decode()
    if blob and not _NAME.fullmatch(blob):
        raise ValueError(blob)
    return blob


def _text(parts: Iterator[bytes]) -> str:
    return printable(next(parts).decode(), _LONGEST_PATH)


def _bytes(text: str) -> bytes:
    return text[:_LONGEST_PATH].encode("utf-8", "backslashreplace")
