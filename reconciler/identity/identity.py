"""Who somebody is, once it was proven, and what proves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """A user's name, as accounts have it, and the groups that they are in."""

    name: str
    groups: frozenset[str] = frozenset()


class Accounts(Protocol):
    """Where accounts are: PAM, or an LDAP server. For any thread; each question may take seconds.

    Both raise Transient when it can't be found out now: nobody logs in then.
    """

    def proven(self, name: str, password: str) -> Identity | None:
        """Who that is; None for an unknown user and for a wrong password alike."""

    def current(self, name: str) -> Identity | None:
        """An account that was proven once, as it is now; None when it may come in no more."""

    def close(self) -> None:
        """Let go of whatever is held for asking."""
