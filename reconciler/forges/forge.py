"""What onggi wants of a forge, in words that fit all of them. How each says it is in a module of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

LONGEST_DESCRIPTION: Final = 140


class State(StrEnum):
    """How a commit fares on this host."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """One line beside a commit, under the name `context`. The description is cut to what every forge takes."""

    state: State
    context: str
    description: str

    def __post_init__(self) -> None:
        text = " ".join(self.description.split())
        if len(text) > LONGEST_DESCRIPTION:
            text = f"{text[: LONGEST_DESCRIPTION - 1]}…"
        object.__setattr__(self, "description", text)


@dataclass(frozen=True, slots=True)
class Proposal:
    """An open pull request (merge request) onto the followed branch. `head` is its newest commit.

    `ref` is where the forge offers that commit for fetching. `foreign` is True unless it surely comes from the
    repository itself: whoever wrote it may be anybody.
    """

    number: int
    head: str
    ref: str
    foreign: bool


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment below a proposal."""

    id: int
    author: str
    body: str


class Forge(Protocol):
    """Every method asks the network. They raise Transient for what may go away, and Terminal for the rest."""

    @property
    def longest_comment(self) -> int:
        """How many bytes of a comment it surely takes."""

    def me(self) -> str:
        """Whom the token belongs to; empty when the forge doesn't tell."""

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """Set what is shown beside a commit."""

    def proposals(self, branch: str) -> Sequence[Proposal]:
        """The open ones onto `branch`."""

    def comments(self, proposal: int) -> Sequence[Comment]:
        """All comments below a proposal, oldest first."""

    def add_comment(self, proposal: int, body: str) -> None:
        """Write a new comment."""

    def edit_comment(self, proposal: int, comment: int, body: str) -> None:
        """Replace a comment's text."""
