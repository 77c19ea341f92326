"""What somebody may do: one of four roles, each of which may do all that the ones before it may."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum
from typing import Final

from reconciler.identity.identity import Identity

EVERYBODY: Final = "*"  # instead of a group: every account that can log in


class Role(IntEnum):
    """user sees their own machines alone and works with them, viewer looks at everything, operator works with what
    there is, admin decides about the host.
    """

    USER = 1
    VIEWER = 2
    OPERATOR = 3
    ADMIN = 4

    def __str__(self) -> str:
        return self.name.lower()


def role_of(identity: Identity, groups: Mapping[Role, Collection[str]]) -> Role | None:
    """The highest role that one of somebody's groups has; root is an admin everywhere. None: they may do nothing."""
    if identity.name == "root":
        return Role.ADMIN
    held = [
        role
        for role, names in groups.items()
        if not identity.groups.isdisjoint(names) or (role is Role.USER and EVERYBODY in names)
    ]
    return max(held, default=None)
