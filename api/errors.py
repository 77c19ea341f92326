"""One table: error → HTTP status. Every answer that isn't a success has the body {code, reason}.

`code` is the status line's text such as `404 Not Found`, `reason` one sentence for a person behind a code
(`api/http/error_body.py`). What is unexpected goes to the log; the client learns only that it happened.
"""

from __future__ import annotations

import logging
from typing import Any

import falcon
import falcon.asgi

from api.http.error_body import error_body_of
from api.http.refusal import Refusal
from reconciler.errors import (
    Conflict,
    Forbidden,
    NotApplied,
    NotFound,
    OnggiError,
    SourceError,
    StateError,
    Terminal,
    Transient,
    Unsupported,
    WritesRefused,
)
from reconciler.serving.sight import Sight
from specs.plain import NewJson

log = logging.getLogger("onggi.api")

# The nearest class of an error's own decides, so that a subclass may have a line of its own.
_STATUSES: dict[type[OnggiError], str] = {
    WritesRefused: falcon.HTTP_403,
    Forbidden: falcon.HTTP_403,
    NotFound: falcon.HTTP_404,
    Conflict: falcon.HTTP_409,
    Unsupported: falcon.HTTP_501,
    Transient: falcon.HTTP_503,
    SourceError: falcon.HTTP_503,
    StateError: falcon.HTTP_503,
    NotApplied: falcon.HTTP_409,
    Terminal: falcon.HTTP_400,
    OnggiError: falcon.HTTP_500,
}
# falcon says little of these by itself.
_REASONS = {
    falcon.HTTP_404: "There is nothing at this address; check its path.",
    falcon.HTTP_405: "This address doesn't take that method; the header Allow lists those that it does.",
}


def add_handlers(app: falcon.asgi.App[Any, Any]) -> None:
    """Make every error of `app` answer as above."""
    app.set_error_serializer(_serialise)
    app.add_error_handler(Exception, _unexpected)
    app.add_error_handler(OnggiError, _domain)
    app.add_error_handler(Refusal, _refused)


def refuse(request: falcon.Request, response: falcon.Response, status: str, reason: str) -> None:
    """Answer with an error."""
    response.status = status
    response.media = error_body_of(request, status, reason)


def _serialise(request: falcon.Request, response: falcon.Response, error: falcon.HTTPError) -> None:
    status = falcon.code_to_http_status(error.status)
    reason = error.description or _REASONS.get(status) or error.title or status
    response.media = error_body_of(request, status, reason)


def status_of(error: OnggiError) -> str:
    """The status line's text of an error; of a change that failed on the host that of what it failed with."""
    if isinstance(error, NotApplied):
        if error.reason == "InvalidDocument":
            return falcon.HTTP_400
        if error.cause is not None:
            return status_of(error.cause)
    return next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)


async def _refused(
    request: falcon.asgi.Request, response: falcon.asgi.Response, error: Refusal, _params: NewJson
) -> None:
    refuse(request, response, falcon.code_to_http_status(error.status), error.reason)


async def _domain(
    request: falcon.asgi.Request, response: falcon.asgi.Response, error: OnggiError, _params: NewJson
) -> None:
    refuse(request, response, status_of(error), _as_told(request, str(error)))
    if isinstance(error, Transient):
        response.retry_after = max(1, round(error.retry_after_s))


def _as_told(request: falcon.asgi.Request, reason: str) -> str:
    """A sentence of the host's or of the agent's, which may name what keeps it from doing something."""
    sight: Sight | None = getattr(request.context, "sight", None)
    if sight is None or sight.is_whole:
        return reason
    try:
        return sight.told(reason, said=request.path)
    except Transient:
        return reason  # nothing is known of any machine


async def _unexpected(
    request: falcon.asgi.Request, response: falcon.asgi.Response, error: Exception, _params: NewJson
) -> None:
    if isinstance(error, falcon.HTTPError):
        raise error
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    refuse(request, response, falcon.HTTP_500, "Something unexpected went wrong; the agent's log tells what.")
