"""Somebody whom another server vouches for, a proxy or a provider: what it may say they are called.

The name signs commits and stands in lists, so that it has to be one that looks like no other, and none that means
somebody of this host.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from reconciler.identity.identity import Identity
from specs.name import UNSEEN, name_problem

_OURS: Final = re.compile(r"root|api|onggi|(?:uid|user) [0-9]+")  # root, and who asks without a name of their own
_MOST_GROUPS: Final = 2_000
_UNNAMEABLE: Final = re.compile(f"[{UNSEEN}]")


class BadNameError(ValueError):
    """Nobody can be called so here; the sentence says why."""


def vouched(name: str, groups: Iterable[str] = ()) -> Identity:
    """Who that is. A group that nobody could name in the settings gives nothing. Raises BadNameError."""
    if problem := name_problem(name):
        raise BadNameError(problem)
    if is_this_hosts(name):
        raise BadNameError("That name means somebody of this host, whom nobody else vouches for; use another account.")
    found: set[str] = set()
    for group in groups:
        if group and not _UNNAMEABLE.search(group) and len(found) < _MOST_GROUPS:
            found.add(group)
    return Identity(name, frozenset(found))


def is_this_hosts(name: str) -> bool:
    """Whether that is somebody whose power comes from having this host, and is nobody else's to give."""
    return _OURS.fullmatch(unicodedata.normalize("NFKC", name).casefold()) is not None


class NoAccounts:
    """`Accounts` where none has a password."""

    def proven(self, name: str, password: str) -> Identity | None:  # noqa: ARG002
        """Nobody."""
        return None

    def current(self, name: str) -> Identity | None:  # noqa: ARG002
        """Nobody."""
        return None

    def close(self) -> None:
        """Nothing is held."""
