"""POST /hooks/{github,gitlab,gitea,forgejo,generic}: a forge tells of a push, and the source is asked for news.

That is all a webhook can do. Its body is taken in bounds of size and time, proven by the secret, and never looked into.
Without a secret every webhook is refused: 403. A repeated one is refused too: 409.
"""

from __future__ import annotations

import logging
import time
from typing import Final

import falcon
import falcon.asgi

from api.errors import refuse
from api.hooks.deliveries import Deliveries
from api.hooks.providers import PROVIDERS, NotGenuineError, Provider
from api.http.body import TooLargeError, read_bounded
from api.http.endpoint import ANYBODY, OURS, Resource, raw
from api.http.schema import boolean, obj
from api.services import Services
from reconciler.errors import OnggiError

log = logging.getLogger("onggi.api")

MAX_BODY: Final = 3 * 1024 * 1024
BODY_TIME_S: Final = 10.0
_AT_ONCE: Final = 64  # bodies in memory
_LOG_GAP_S: Final = 10.0


class _RefusedError(Exception):
    """Answer `status` with `reason`; counted as `result`."""

    def __init__(self, result: str, status: str, reason: str) -> None:
        super().__init__(reason)
        self.result = result
        self.status = status
        self.reason = reason


class Hooks(Resource):
    """One provider's webhooks."""

    address = "/hooks/{provider}"
    tag = "Service"
    since = OURS

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.deliveries = Deliveries()
        self._reading = 0
        self._told: dict[tuple[str, str], float] = {}

    @raw(
        "POST", "A forge tells of a push: the source is asked for news.", obj({"accepted": boolean()}), status=202,
        statuses=(403, 408, 409, 413), other={200: obj({"accepted": boolean()})},
        role=ANYBODY,  # a forge proves itself by the secret
    )  # fmt: skip
    async def on_post(self, request: falcon.asgi.Request, response: falcon.asgi.Response, provider: str) -> None:
        """202 {"accepted": true|false}, 200 for a greeting, 403, 404, 408, 409, 413 or 503."""
        response.cache_control = ["no-store"]
        found = PROVIDERS.get(provider)
        if found is None:
            raise falcon.HTTPNotFound(description=f"Webhooks are taken from {', '.join(sorted(PROVIDERS))}.")
        try:
            result, status = await self._take(request, found)
        except _RefusedError as refused:
            self.services.webhooks.requests[provider, refused.result] += 1
            self._tell(found, refused)
            refuse(request, response, refused.status, refused.reason)
            return
        self.services.webhooks.requests[provider, result] += 1
        response.status = status
        response.media = {"accepted": result == "accepted"}

    def _tell(self, provider: Provider, refused: _RefusedError) -> None:
        """Anybody can have webhooks refused; the log learns of it in bounds, and the counter of each."""
        now = time.monotonic()
        if now - self._told.get((provider.name, refused.result), -_LOG_GAP_S) >= _LOG_GAP_S:
            self._told[provider.name, refused.result] = now
            log.warning("a webhook of %s was refused: %s", provider.name, refused.reason)

    async def _take(self, request: falcon.asgi.Request, provider: Provider) -> tuple[str, str]:
        """What became of it, and the status to answer with. Raises _RefusedError."""
        try:
            secrets = self.services.webhooks.secrets()
        except OnggiError as error:
            log.error("%s", error)  # noqa: TRY400  # a sentence; the trace says no more
            secrets = ()
        if not secrets:
            raise _RefusedError(
                "disabled", falcon.HTTP_403, "No webhook is taken without a secret; set webhook-secret-file."
            )
        body = await self._body(request)
        header = request.get_header
        try:
            provider.proof(header, body, secrets, time.time())
        except NotGenuineError as error:
            raise _RefusedError("forged", falcon.HTTP_403, str(error)) from None
        if provider.greets(header):
            return "greeting", falcon.HTTP_200
        if not provider.matters(header):
            return "ignored", falcon.HTTP_202
        if not self.deliveries.first(provider.delivered(header, body)):
            raise _RefusedError(
                "repeated", falcon.HTTP_409, "This delivery was taken before; the source was asked then."
            )
        self.services.webhooks.fetch_now()
        return "accepted", falcon.HTTP_202

    async def _body(self, request: falcon.asgi.Request) -> bytes:
        """All of it, in bounds. What announces itself as too large isn't read at all."""
        if self._reading >= _AT_ONCE and (request.content_length or 0) <= MAX_BODY:
            raise _RefusedError("busy", falcon.HTTP_503, "Too many webhooks come in at once; send it again soon.")
        self._reading += 1
        try:
            return await read_bounded(request, MAX_BODY, BODY_TIME_S)
        except TooLargeError:
            raise _RefusedError(
                "too_large", falcon.HTTP_413, f"A webhook has at most {MAX_BODY} bytes; have the forge send less."
            ) from None
        except TimeoutError:
            raise _RefusedError(
                "slow", falcon.HTTP_408, f"The body didn't come within {BODY_TIME_S:g} s; check the connection."
            ) from None
        finally:
            self._reading -= 1
