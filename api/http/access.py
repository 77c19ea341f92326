"""Who may use what: the least role for each method of each address, as the endpoints declare it.

What doesn't declare it isn't served: whatever falcon would call of a resource is looked at before it gets a route.
"""

from __future__ import annotations

import re
from typing import Any, Final

from falcon.constants import COMBINED_METHODS

from api.http.endpoint import Endpoint, NoRoleError, Resource, endpoint_of, is_role
from reconciler.identity.role import Role

_METHODS: Final = (*COMBINED_METHODS, "WEBSOCKET")
_RESPONDER: Final = re.compile(rf"on_({'|'.join(_METHODS).lower()})(_\w+)?")


class Access:
    """The table of one application."""

    def __init__(self) -> None:
        self._roles: dict[str, dict[str, Role | None]] = {}

    def declare(self, template: str, method: str, role: Role | None) -> None:
        """From this role on, a method of an address may be used; None: by anybody."""
        self._roles.setdefault(template, {})[method] = role

    def least(self, template: str, method: str) -> Role | None:
        """Who may use it. Of a method that the address doesn't have: who may use any, and is told which there are."""
        declared = self._roles.get(template)
        if declared is None:
            return Role.ADMIN
        return declared[method] if method in declared else min(declared.values(), key=lambda role: role or 0)

    def declare_plain(self, template: str, resource: Any) -> None:
        """For one of falcon's own resources, whose class has one `role` for all that it answers.

        Raises NoRoleError.
        """
        kind = type(resource)
        role: Any = getattr(kind, "role", "")
        if not is_role(role):
            raise NoRoleError(f"{kind.__module__}.{kind.__qualname__}")
        for method in _METHODS:
            self.declare(template, method, role)


def check_declared(resource: Resource) -> None:
    """Raises NoRoleError for a responder that no endpoint declares, or that is declared as something else."""
    for name in filter(_RESPONDER.fullmatch, dir(resource)):
        endpoint = endpoint_of(responder := getattr(resource, name))
        if callable(responder) and (endpoint is None or name != responder_name(endpoint)):
            kind = type(resource)
            raise NoRoleError(f"{kind.__module__}.{kind.__qualname__}.{name}")


def responder_name(endpoint: Endpoint) -> str:
    """What falcon calls for it."""
    return f"on_{endpoint.method.lower()}{f'_{suffix(endpoint.name)}' if endpoint.name else ''}"


def suffix(name: str) -> str:
    """Of an action's responders."""
    return name.replace("-", "_")
