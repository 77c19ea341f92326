"""What is read from a source: the files of one revision, whichever kind of source it is. Immutable."""

from __future__ import annotations

from dataclasses import dataclass

from specs.problem import Problem


@dataclass(frozen=True, slots=True)
class Revision:
    """Which state of the source this is. `str()` is `main@sha1:<commit>`, or `folder@sha256:<digest>` without git."""

    branch: str
    algorithm: str
    digest: str

    def __str__(self) -> str:
        return f"{self.branch}@{self.algorithm}:{self.digest}"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a revision. `blob` names its content (git's object id or a hash), so that parsing is cached by it."""

    path: str
    blob: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Unread:
    """Something beside the documents that isn't read for its name, a hidden folder (with a slash at its end) too."""

    path: str
    blob: str = ""  # empty where nobody looked


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The YAML files of a revision below the chosen sub-path, and what was refused on the way (symlinks, size, …)."""

    revision: Revision
    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...] = ()
    repository_id: str = ""  # as declared in onggi.yaml at the root; empty when there is none
    branch: str = ""  # empty for what isn't read from one
    path: str | None = None  # the chosen sub-path, "" for all; None for what isn't the source's own
    unread: tuple[Unread, ...] = ()  # the first of them, when there are very many
