"""What a resource may use, and nothing else: what there is without an agent, and `serving`, which is the agent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from reconciler.errors import Transient
from reconciler.host.plugins import Plugins
from reconciler.identity.logins import Logins
from reconciler.identity.oidc.login import OidcLogin
from reconciler.identity.tokens import Tokens
from reconciler.serving.audit_log import AuditLog
from reconciler.serving.serving import Serving

_T = TypeVar("_T")


def _nothing() -> None:
    """For an application without an agent behind it."""


def _nobody() -> Serving:
    raise Transient("No agent runs behind this server.")


def _any_name() -> None:
    """For a server that isn't reached by browsers."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """`fetch_now` has the source asked for news, soon and once for many calls. `secrets` are those that a webhook may
    be proven by, none when webhooks aren't wanted; it may raise OnggiError. `requests` counts them by provider and
    result.
    """

    fetch_now: Callable[[], None] = _nothing
    secrets: Callable[[], tuple[bytes, ...]] = tuple
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class ServedPlugins:
    """`found` are all that there are. Those of them whose resources can't be served are in `errors` by name, each with
    a sentence; the classes of all others' resources in `routes` by URI template.
    """

    found: Plugins = field(default_factory=Plugins)
    errors: dict[str, str] = field(default_factory=dict)
    routes: dict[str, type] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Services:
    """`alive`: the agent's loop runs. `ready`: its first pass is through. `info`: what else a health check may show.
    `problem`: why no pass comes through now, empty while they do.

    `serve` gives the agent to work with, and raises Transient while there is none. `hosts` are the names that this
    server may be called by; None: any. `logins` is how somebody logs in; None where nobody has to; `oidc` where that
    is at a provider. `tokens` are taken in the place of a login. `audit_log` is where it is written down who did what.
    """

    ready: Callable[[], bool]
    alive: Callable[[], bool]
    info: Callable[[], Mapping[str, str]]
    problem: Callable[[], str] = str
    serve: Callable[[], Serving] = _nobody
    hosts: Callable[[], Collection[str] | None] = _any_name
    logins: Logins | None = None
    tokens: Tokens | None = None
    oidc: OidcLogin | None = None
    audit_log: AuditLog | None = None
    webhooks: Webhooks = field(default_factory=Webhooks)
    plugins: ServedPlugins = field(default_factory=ServedPlugins)
    _common: dict[type, Any] = field(default_factory=dict)

    @property
    def serving(self) -> Serving:
        """The agent to work with. Raises Transient while there is none."""
        return self.serve()

    def common(self, kind: type[_T]) -> _T:
        """The one of its kind that several resources of an application work with; made for the first."""
        made: _T = self._common.setdefault(kind, kind())
        return made
