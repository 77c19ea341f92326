"""Who may use what: the least role for each method of each address, as the endpoints declare it.

An address at or below `/vms/{name}`, or whose resource says so (`machine_variable`), is about one machine: who owns
that has an operator's role there, and for a user who doesn't it isn't there. That is decided here, before the endpoint
is asked.

What doesn't declare it isn't served: whatever falcon would call of a resource is looked at before it gets a route.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from falcon.constants import COMBINED_METHODS

from api.http.endpoint import ANYBODY, Endpoint, NoRoleError, NotTheirsError, Resource, endpoint_of, is_role
from api.http.refusal import Refusal, not_found
from reconciler.identity.role import Role
from reconciler.serving.sight import Sight
from specs.reference import VIRTUAL_MACHINE, Ref

_METHODS: Final = (*COMBINED_METHODS, "WEBSOCKET")
_RESPONDER: Final = re.compile(rf"on_({'|'.join(_METHODS).lower()})(_\w+)?")
_MACHINE: Final = re.compile(r"/vms/{(\w+)}(?:/.*)?")
MISSING: Final = "KCHVM0002E"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may use a method of an address: from `role` on, None: anybody. `machine` is the address' variable that names
    the machine that it is about, empty for none; with `owners`, who owns it may use it whatever the role.
    """

    role: Role | None
    machine: str = ""
    owners: bool = False

    def check(self, sight: Sight, params: Mapping[str, str]) -> None:
        """Raises Refusal 403, 404 for a machine that isn't there for this client; Transient where nobody knows yet."""
        if self.role is ANYBODY:
            return
        role = sight.client.role
        if not self.machine or self.machine not in params:
            if role < self.role:
                raise _too_little(self.role, role)
            return
        if role >= max(self.role, Role.VIEWER):  # that needs no look at whose it is
            return
        if role >= Role.VIEWER and not owner_may(self):
            raise _too_little(self.role, role)
        machine = Ref(VIRTUAL_MACHINE, params[self.machine])
        if not sight.sees(machine):
            raise not_found(MISSING, f"The machine {machine.name}")
        role = sight.role_on(machine)
        if role < self.role and not (self.owners and not sight.client.read_only and sight.owns(machine)):
            raise _too_little(self.role, role)


class Access:
    """The table of one application."""

    def __init__(self) -> None:
        self._rules: dict[str, dict[str, Rule]] = {}

    def declare(self, template: str, method: str, rule: Rule) -> None:
        """What holds for a method of an address."""
        self._rules.setdefault(template, {})[method] = rule

    def rule(self, template: str, method: str) -> Rule:
        """Who may use it. Of a method that the address doesn't have: who may use any, and is told which there are."""
        declared = self._rules.get(template)
        if declared is None:
            return Rule(Role.ADMIN, machine_in(template))
        return declared[method] if method in declared else min(declared.values(), key=lambda rule: rule.role or 0)

    def declare_plain(self, template: str, resource: Any) -> None:
        """For one of falcon's own resources, whose class has one `role` for all that it answers.

        Raises NoRoleError.
        """
        kind = type(resource)
        role: Any = getattr(kind, "role", "")
        if not is_role(role):
            raise NoRoleError(f"{kind.__module__}.{kind.__qualname__}")
        if role is Role.USER and not getattr(kind, "theirs", ""):
            raise NotTheirsError(f"{kind.__module__}.{kind.__qualname__}")
        for method in _METHODS:
            self.declare(template, method, Rule(role, machine_in(template, kind)))


def machine_in(template: str, resource: type | None = None) -> str:
    """The variable of an address that names the machine which it is about; empty for none."""
    declared = str(getattr(resource, "machine_variable", ""))
    found = _MACHINE.fullmatch(template)
    return declared or (found[1].partition(":")[0] if found is not None else "")


def owner_may(declared: Rule | Endpoint) -> bool:
    """Whether a machine's owner may, of what is about one and declared so."""
    return declared.owners or declared.role is ANYBODY or declared.role <= Role.OPERATOR


def _too_little(least: Role, role: Role) -> Refusal:
    return Refusal(403, f"The role {least} is needed for that, and yours is {role}; ask an administrator.")


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
