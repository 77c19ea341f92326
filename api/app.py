"""The ASGI application: the resources of all nouns, found by scanning, on one set of services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import falcon.asgi

from api.errors import add_handlers
from api.http.access import Access
from api.http.action_names import ActionNames
from api.http.admission import Admission
from api.http.audited import Audit
from api.http.discovery import resource_classes
from api.http.prefix import without_prefix
from api.http.responder import add_resource
from api.plugins.routing import add_plugins
from api.services import Services
from specs.plain import Json, NewJson

_Receive = Callable[[], Awaitable[Json]]
_Send = Callable[[NewJson], Awaitable[None]]


def create_app(services: Services) -> falcon.asgi.App[Any, Any]:
    """The application: every resource that is declared in a folder of `api`, at its address."""
    access = Access()
    admission = Admission(services, access)
    app = _Application(middleware=[admission])
    app.audit = Audit(services.audit_log, has_login=services.logins is not None)
    app.req_options.strip_url_path_trailing_slash = True
    app.req_options.auto_parse_qs_csv = False
    app.req_options.keep_blank_qs_values = True
    add_handlers(app)
    names = ActionNames(resource_classes())
    for resource in resource_classes():
        add_resource(app, resource(services), names, access)
    add_plugins(app, services, access)
    return app


class _Application(falcon.asgi.App[Any, Any]):
    """Hands a request on as soon as its headers are there, and by its plain address where it came by another name.

    Falcon by itself waits for the first bytes of a body. A resource that would refuse the body unread, or that limits
    the time for it, has to be asked before.
    """

    audit: Audit

    async def __call__(  # type: ignore[override]  # as falcon's own is
        self, scope: NewJson, receive: _Receive, send: _Send
    ) -> None:
        if scope["type"] == "http":
            with self.audit.of(scope, send) as noted:
                await super().__call__(without_prefix(scope), _at_once(receive), noted)
        elif scope["type"] != "websocket":  # those begin as requests: see `api/http/upgrade.py`
            await super().__call__(scope, receive, send)


def _at_once(receive: _Receive) -> _Receive:
    """The same events behind one that says that more will come."""
    first = True

    async def received() -> Json:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": b"", "more_body": True}
        return await receive()

    return received
