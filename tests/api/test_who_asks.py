"""Each request knows who is at the other end, by whichever way it came."""

from __future__ import annotations

import os
from pathlib import Path

import falcon.asgi
import httpx

from api.app import create_app
from api.http.responder import client_of
from api.server import Server
from api.services import ServedPlugins, Services
from reconciler.confined.unix_socket import UnixSocket
from reconciler.host.plugins import Plugin, Plugins
from reconciler.identity.role import Role
from tests.lab.other_user import public_folder

__all__ = ["public_folder"]


class Mirror:
    role = Role.VIEWER

    def __init__(self, _services: Services) -> None: ...

    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        response.media = client_of(request).peer


def test_the_client_knows_from_where_it_asks(public_folder: Path) -> None:
    plugins = ServedPlugins(Plugins((Plugin("mirror", "1", {"/plugins/mirror": Mirror}),)))
    app = create_app(Services(ready=lambda: True, alive=lambda: True, info=dict, plugins=plugins))
    server = Server(app, "127.0.0.1:0", unix=UnixSocket(public_folder / "api.sock"))
    server.start()
    try:
        for transport, url in (
            (httpx.HTTPTransport(), server.url),
            (httpx.HTTPTransport(uds=str(public_folder / "api.sock")), "http://localhost"),
        ):
            with httpx.Client(transport=transport, base_url=url, timeout=60) as client:
                assert client.get("/plugins/mirror").json() == f"user {os.getuid()}"
    finally:
        server.stop()
