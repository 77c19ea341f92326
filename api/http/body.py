"""A request's body as a JSON object, in bounds of size and time, checked by a schema before anybody looks into it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import falcon.asgi
import orjson

from api.http.refusal import Refusal
from api.http.schema import Checked
from specs.plain import Json

MAX_BODY: Final = 1024 * 1024
_TIME_S: Final = 30.0


async def read_object(request: falcon.asgi.Request, schema: Checked) -> Json:
    """The body, {} when there is none. Raises Refusal: 400, 408, 413 or 415."""
    content = await _content(request)
    if content:
        _check_type(request)
    try:
        body: Any = orjson.loads(content) if content.strip() else {}
    except orjson.JSONDecodeError:
        raise Refusal(400, "The request's body isn't JSON; check its quotes and brackets.", "KCHAPI0006E") from None
    schema.check(body)
    if not isinstance(body, Mapping):  # a schema that doesn't say so itself
        raise Refusal(400, "The request's body has to be a JSON object.", "KCHAPI0008E")
    return body


def _check_type(request: falcon.asgi.Request) -> None:
    kind = (request.content_type or "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, "This address takes a body of type application/json; set Content-Type.", "KCHAPI0007E")


async def _content(request: falcon.asgi.Request) -> bytes:
    try:
        return await read_bounded(request, MAX_BODY, _TIME_S)
    except TooLargeError:
        raise Refusal(413, f"The body of this request can have at most {MAX_BODY} bytes.") from None
    except TimeoutError:
        raise Refusal(408, f"The body didn't come within {_TIME_S:g} s; check the connection.") from None


class TooLargeError(Exception):
    """A body has more bytes than it may."""


async def read_bounded(request: falcon.asgi.Request, most: int, time_s: float) -> bytes:
    """The whole body. What announces itself as larger isn't read at all. Raises TooLargeError, TimeoutError."""
    if (request.content_length or 0) > most:
        raise TooLargeError
    content = bytearray()
    async with asyncio.timeout(time_s):
        async for chunk in request.stream:
            content += chunk
            if len(content) > most:
                raise TooLargeError
    return bytes(content)
