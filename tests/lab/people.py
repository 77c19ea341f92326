"""Somebody of each role, whose accounts a test has in a dictionary: PAM's own are tried in tests/api/test_login.py."""

from __future__ import annotations

from typing import Final

import httpx

from reconciler.identity.identity import Identity
from reconciler.identity.logins import Logins
from reconciler.identity.role import Role

USER: Final = httpx.BasicAuth("uma", "owns")  # and in the group `makers`
OTHER: Final = httpx.BasicAuth("olaf", "owns nothing")
VIEWER: Final = httpx.BasicAuth("vera", "looks")
OPERATOR: Final = httpx.BasicAuth("otto", "works")
ADMIN: Final = httpx.BasicAuth("ada", "decides")
BY_ROLE: Final = {Role.USER: USER, Role.VIEWER: VIEWER, Role.OPERATOR: OPERATOR, Role.ADMIN: ADMIN}

_PASSWORDS: Final = {
    "uma": ("owns", {"people", "makers"}),
    "olaf": ("owns nothing", {"people"}),
    "vera": ("looks", {"lookers"}),
    "otto": ("works", {"workers"}),
    "ada": ("decides", {"deciders"}),
}
BY_NAME: Final = {name: password for name, (password, _groups) in _PASSWORDS.items()}


class Known:
    """`Accounts` of these."""

    def proven(self, name: str, password: str) -> Identity | None:
        """Whose password that is."""
        known = _PASSWORDS.get(name)
        return self.current(name) if known is not None and known[0] == password else None

    def current(self, name: str) -> Identity | None:
        """They stay as they are."""
        known = _PASSWORDS.get(name)
        return Identity(name, frozenset(known[1])) if known is not None else None

    def close(self) -> None:
        """Nothing is held."""


def logins_of_each_role() -> Logins:
    """A group for each role."""
    groups = {Role.USER: ["people"], Role.VIEWER: ["lookers"], Role.OPERATOR: ["workers"], Role.ADMIN: ["deciders"]}
    return Logins(Known(), groups)


def proof(who: httpx.BasicAuth) -> dict[str, str]:
    """The header that says who asks, for what isn't asked by httpx."""
    return {"Authorization": who._auth_header}
