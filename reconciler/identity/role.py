"""What somebody may do: one of three roles, each of which may do all that the ones before it may."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum

from reconciler.identity.identity import Identity


class Role(IntEnum):
    """viewer looks, operator works with what there is, admin decides about the host."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    def __str__(self) -> str:
        return self.name.lower()


def role_of(identity: Identity, groups: Mapping[Role, Collection[str]]) -> Role | None:
    """The highest role that one of somebody's groups has; root is an admin everywhere. None: they may do nothing."""
    if identity.name == "root":
        return Role.ADMIN
    held = [role for role, names in groups.items() if not identity.groups.isdisjoint(names)]
    return max(held, default=None)
