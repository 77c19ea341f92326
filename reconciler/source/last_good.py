"""The last good revision of a source, kept in the state folder: it stays in force while a newer one can't be trusted.

What is kept is what was read, not where it was read from: a rewritten history, a pruned repository or a lost mirror
takes nothing away, and a restart finds it again. It is a cache of a decision; without it the next good head is taken.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from reconciler.errors import StateError
from reconciler.source.tree import Revision, SourceFile, SourceTree
from specs.plain import NewJson
from specs.problem import Problem

log = logging.getLogger("onggi.source")

_FORMAT: Final = 1


class LastGood:
    """The record of one source, seen through one branch and one of its folders."""

    def __init__(self, state_dir: Path, *, key: str, branch: str, sub_path: str) -> None:
        name = hashlib.sha256("\n".join((key, branch, sub_path)).encode()).hexdigest()[:24]
        self.file = state_dir / "verified" / f"{name}.json"
        self._known: SourceTree | None = None

    def get(self) -> SourceTree | None:
        """What was kept last; None when nothing was. A damaged record counts as none, and a warning tells of it."""
        if self._known is None:
            try:
                self._known = _tree(json.loads(self.file.read_bytes()))
            except FileNotFoundError:
                return None
            except (OSError, ValueError, KeyError, TypeError, binascii.Error) as error:
                log.warning(
                    "the last good revision in %s can't be read (%s); the next good one is kept", self.file, error
                )
        return self._known

    def keep(self, tree: SourceTree) -> None:
        """Make `tree` the last good revision: all of it, or the former stays. Raises StateError."""
        known = self.get()
        if known is None or known.revision != tree.revision:
            try:
                self._write(json.dumps(_record(tree)).encode())
            except OSError as error:
                raise StateError(
                    f"The last good revision can't be kept in {self.file.parent} ({error.strerror}); make the folder "
                    "writable, free some space, or choose another with --state."
                ) from None
        self._known = tree

    def _write(self, content: bytes) -> None:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self.file.parent, prefix=".keeping-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).rename(self.file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _record(tree: SourceTree) -> NewJson:
    return {
        "format": _FORMAT,
        "revision": [tree.revision.branch, tree.revision.algorithm, tree.revision.digest],
        "repositoryId": tree.repository_id,
        "branch": tree.branch,
        "path": tree.path,
        "files": [[file.path, file.blob, base64.b64encode(file.content).decode()] for file in tree.files],
        # Of a tree's own problems, none is about a document: they have neither a pointer nor a reference.
        "problems": [[problem.path, problem.line, problem.column, problem.message] for problem in tree.problems],
    }


def _tree(record: Any) -> SourceTree:
    if record["format"] != _FORMAT:
        raise ValueError(f"its format is {record['format']!r}")
    return SourceTree(
        Revision(*record["revision"]),
        tuple(SourceFile(path, blob, base64.b64decode(text, validate=True)) for path, blob, text in record["files"]),
        tuple(Problem(*problem) for problem in record["problems"]),
        record["repositoryId"],
        branch=record.get("branch", ""),
        path=record.get("path"),
    )
