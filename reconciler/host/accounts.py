"""The people and groups that a host knows, so that a VM can be given to one of them. Logging in isn't done here.

Here from the system's own database (NSS: files, SSSD, ...); `directory` asks an LDAP server instead.
"""

from __future__ import annotations

import grp
import pwd
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

# Of accounts that nobody logs in to: by the last part of their shell.
_NO_SHELLS = frozenset({"nologin", "false", "sync", "halt", "shutdown", "git-shell"})


@dataclass(frozen=True, slots=True)
class Names:
    """Sorted names. `reason` is a sentence when some are missing, or all."""

    names: tuple[str, ...] = ()
    reason: str = ""


class Accounts(Protocol):
    """Whom the host knows, wherever that is written down. What is asked elsewhere may raise Transient or Terminal."""

    def users(self) -> Names:
        """Everybody who may log in."""

    def groups(self) -> Names:
        """Every group."""

    def entry(self, user_id: str) -> Mapping[str, tuple[str, ...]] | None:
        """What is told of one user, also of one that isn't listed; None when there is no such user. Nothing secret."""

    def missing_user(self, user_ids: Iterable[str]) -> str | None:
        """The first of them that is no user; None when all are."""

    def missing_group(self, names: Iterable[str]) -> str | None:
        """The first of them that is no group; None when all are."""


class SystemAccounts:
    """From NSS. Nothing here raises."""

    def users(self) -> Names:
        """Users with a shell to log in to; an empty shell is the system's default one."""
        try:
            found = {each.pw_name for each in pwd.getpwall() if each.pw_shell.rpartition("/")[2] not in _NO_SHELLS}
        except OSError as error:
            return Names(reason=f"The system's users can't be listed: {error.strerror}.")
        return Names(tuple(sorted(found)))

    def groups(self) -> Names:
        """Every group that NSS lists."""
        try:
            return Names(tuple(sorted({each.gr_name for each in grp.getgrall()})))
        except OSError as error:
            return Names(reason=f"The system's groups can't be listed: {error.strerror}.")

    def entry(self, user_id: str) -> Mapping[str, tuple[str, ...]] | None:
        """Nothing beside the name. Asks for this one: a directory behind NSS often lists nobody."""
        try:
            pwd.getpwnam(user_id)
        except (KeyError, ValueError, OSError):  # ValueError: no name at all, with a NUL or half a character in it
            return None
        return {}

    def missing_user(self, user_ids: Iterable[str]) -> str | None:
        """The first of them that is no user; None when all are."""
        return next((each for each in user_ids if self.entry(each) is None), None)

    def missing_group(self, names: Iterable[str]) -> str | None:
        """The first of them that is no group; None when all are. Asks for each by its name."""
        return next((each for each in names if not _is_group(each)), None)


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
