"""What a resource may use, and nothing else: functions that answer at once, from values that the agent keeps ready."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from reconciler.errors import Transient
from reconciler.host.plugins import Plugins
from reconciler.serving.serving import Serving


def _nothing() -> None:
    """For an application without an agent behind it."""


def _nobody() -> Serving:
    raise Transient("No agent runs behind this server.")


def _any_name() -> None:
    """For a server that isn't reached by browsers."""


@dataclass(frozen=True, slots=True)
class Services:
    """`alive`: the agent's loop runs. `ready`: its first pass is through. `info`: what else a health check may show.
    `problem`: why no pass comes through now, empty while they do.

    `fetch_now` has the source asked for news, soon and once for many calls. `webhook_secrets` are those that a webhook
    may be proven by, none when webhooks aren't wanted; it may raise OnggiError. `webhook_requests` counts them by
    provider and result. `serve` gives the agent to work with, and raises Transient while there is none. `hosts` are the
    names that this server may be called by; None: any. `plugins` are those that were found; those of them whose
    resources can't be served are in `plugin_errors` by name, each with a sentence, and the classes of all others'
    resources in `plugin_routes` by URI template.
    """

    ready: Callable[[], bool]
    alive: Callable[[], bool]
    info: Callable[[], Mapping[str, str]]
    problem: Callable[[], str] = str
    fetch_now: Callable[[], None] = _nothing
    webhook_secrets: Callable[[], tuple[bytes, ...]] = tuple
    webhook_requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    serve: Callable[[], Serving] = _nobody
    hosts: Callable[[], Collection[str] | None] = _any_name
    plugins: Plugins = field(default_factory=Plugins)
    plugin_errors: dict[str, str] = field(default_factory=dict)
    plugin_routes: dict[str, type] = field(default_factory=dict)

    @property
    def serving(self) -> Serving:
        """The agent to work with. Raises Transient while there is none."""
        return self.serve()
