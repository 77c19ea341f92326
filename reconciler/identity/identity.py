"""Who somebody is, once it was proven, and what proves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reconciler.identity.names import TOKEN, check_name


@dataclass(frozen=True, slots=True)
class Identity:
    """A user's name, as accounts have it, and the groups that they are in; or `token NAME`, whose `maker` is a user.

    Raises OddNameError for what nobody can be called, wherever it comes from.
    """

    name: str
    groups: frozenset[str] = frozenset()
    maker: str = ""

    def __post_init__(self) -> None:
        if not self.maker:
            check_name(self.name)
        elif not self.name.startswith(TOKEN):
            raise ValueError("only a token has a maker")
        else:
            check_name(self.name.removeprefix(TOKEN))
            check_name(self.maker)


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
