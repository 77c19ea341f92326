"""The errors that cross a stage, each saying what to do next. Their names decide retries and exit codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specs.problem import Problem


class OnggiError(Exception):
    """Base of every error that a user may see: its text is one sentence with the remedy, and holds no secret."""


class Transient(OnggiError):  # noqa: N818  # a word of the trade
    """Will probably go away by itself: try again after `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Disconnected(Transient):
    """The hypervisor can't be reached now."""


class Terminal(OnggiError):  # noqa: N818  # a word of the trade
    """Won't go away until somebody changes something."""


class Conflict(Terminal):
    """What is there belongs to somebody else, or moved under our hands."""


class InvalidDocument(Terminal):
    """What was asked for can't be a document. `problems` has every mistake, each with its pointer and its sentence."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        more = f" ({len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(
            f"{first.ref or first.path}: {first.message}{f' (at {first.pointer})' if first.pointer else ''}{more}"
        )


class NotFound(Terminal):
    """The object isn't there. `reason` in CamelCase where it is about a part of one, such as `SnapshotNotFound`."""

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class Refused(Terminal):  # a word of the trade
    """What was asked for can't be done with things as they are. `reason` names the rule in CamelCase, for callers that
    have words of their own for it.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Unsupported(Terminal):
    """This connection can't do that; the sentence says what can."""


class SourceError(OnggiError):
    """The repository or folder can't be read as it stands; the last good revision stays in force."""


class StateError(OnggiError):
    """The state folder can't be used: locked by another agent, read-only, full."""


class Cancelled(OnggiError):  # noqa: N818  # a word of the trade
    """The agent is stopping; what was under way is taken up at the next start."""


class SettingsError(OnggiError):
    """A setting that can't be used; the sentence names it and says what can."""


class NotApplied(Terminal):  # a word of the trade
    """A change was committed and hasn't come true. `reason` is CamelCase as in a condition, `digest` what an approval
    would take, `cause` the error of a step that failed.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        ref: tuple[str, str] | None = None,
        digest: str = "",
        cause: OnggiError | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.ref = ref
        self.digest = digest
        self.cause = cause


class Forbidden(Terminal):  # a word of the trade
    """More than the role of who asked suffices for; the sentence says which one does."""


class WritesRefused(Terminal):  # a word of the trade
    """The repository isn't to be written through the API; the sentence says where to commit instead."""
