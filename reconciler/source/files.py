"""Which files of a source count, and how much of it is read at all. The same rules for a repository and a folder.

A repository is written by others: a name, a size or a depth that only an attack or an accident makes is refused here,
before its content is looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from reconciler.errors import SourceError
from reconciler.source.limits import excess
from specs.document import MAX_FILE_BYTES
from specs.problem import Problem

REPOSITORY_FILE: Final = "onggi.yaml"  # at the root; says which repository this is, and isn't a document

MAX_DEPTH: Final = 64
MAX_UNREAD: Final = 10_000  # names that aren't read but remembered: one may be a document that was renamed

_HOSTILE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|^\.{1,2}$|/")


def is_hidden(name: str) -> bool:
    """True for names that start with a dot, which are skipped in silence, as git's and editors' own files."""
    return name.startswith(".")


def is_document_name(name: str) -> bool:
    """True for a file that should hold documents."""
    return name.endswith((".yaml", ".yml"))


def is_put_aside(name: str) -> bool:
    """True for a hidden name that may be a document's or a folder of them, put aside: not git's and editors' own."""
    return is_hidden(name) and not name.startswith((".git", ".#"))


def decode_name(raw: bytes) -> str:
    """A file's name; bytes that aren't UTF-8 become lone surrogates, which `name_problem` refuses."""
    return raw.decode("utf-8", "surrogateescape")


def shown(path: str) -> str:
    """A path as it may be printed: one line, valid UTF-8."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda match: f"\\x{ord(match[0]):02x}", text)


def name_problem(folder: str, name: str) -> Problem | None:
    """Why a file or folder with this name is refused; None for a good one."""
    if _HOSTILE.search(name) is None:
        return None
    return Problem(
        shown(folder + name), 0, 0, "This name has bytes that aren't UTF-8 or control characters; rename it."
    )


def symlink_problem(path: str) -> Problem:
    """Symbolic links are never followed: one could show any file of the host."""
    return Problem(path, 0, 0, "A symbolic link isn't read; put the file itself here.")


def submodule_problem(path: str) -> Problem:
    """Submodules are another repository's content, which nobody reviewed here."""
    return Problem(path, 0, 0, "A submodule isn't read; put the files themselves here.")


def special_problem(path: str) -> Problem:
    """Neither a file nor a folder: a pipe, a socket, a device."""
    return Problem(path, 0, 0, "This isn't a regular file; put one here or remove it.")


def size_problem(path: str, size: int) -> Problem:
    """A file that is too large to be a set of documents; it isn't read."""
    return Problem(
        path,
        0,
        0,
        f"The file has {size} bytes, more than the {MAX_FILE_BYTES} that are read; split it into several files.",
    )


@dataclass(slots=True)
class Budget:
    """What one reading has used of the limits. `source` names the source in an error."""

    source: str
    files: int = 0
    bytes: int = 0
    entries: int = 0

    def spend(self, *, files: int = 0, size: int = 0, entries: int = 0) -> None:
        """Count; raises SourceError beyond a limit."""
        self.files += files
        self.bytes += size
        self.entries += entries
        if what := excess(self.files, self.bytes, self.entries):
            raise SourceError(
                f"{self.source} has {what}; raise --max-files (max-files in the settings, ONGGI_MAX_FILES) if that is "
                "meant, choose a folder of it with --path, or split the repository."
            )

    def descend(self, depth: int) -> None:
        """Raises SourceError for folders nested too deeply."""
        if depth > MAX_DEPTH:
            raise SourceError(f"{self.source} has folders nested more than {MAX_DEPTH} deep; make it flatter.")
