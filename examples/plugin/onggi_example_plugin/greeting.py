"""/plugins/example/greeting: says hello, and whether the agent is through with its first pass."""

from __future__ import annotations

import falcon.asgi

from api.services import Services


class Greeting:
    """A resource is made once, with what the API may use, and then asked from many requests."""

    def __init__(self, services: Services) -> None:
        self.services = services

    async def on_get(self, _request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """200 {"greeting": "hello", "ready": true | false}."""
        response.media = {"greeting": "hello", "ready": self.services.ready()}
