"""The cookies of a session: what stands for it, which no page can read, and beside it a token that pages of this server
can, and send back to show that they are.

The token follows from the session's own, so that there is nothing to keep, and it fits no other session.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import Final

import falcon.asgi

COOKIE: Final = "__Host-onggi"
CSRF_COOKIE: Final = "__Host-onggi-csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
_FOR_FORGERY: Final = b"onggi csrf"
_EVERYWHERE: Final = "Path=/; Secure; SameSite=Strict"


def session_token(request: falcon.asgi.Request) -> str | None:
    """The session that a request names. One of two is nobody's: somebody else may have set the other."""
    return only_cookie(request, COOKIE)


def only_cookie(request: falcon.asgi.Request, name: str) -> str | None:
    """A cookie's value; None where it is missing, or there twice."""
    values = request.get_cookie_values(name) or ()
    return values[0] if len(values) == 1 else None


def csrf_token(session: str) -> str:
    """What a page of this server knows, and no other's."""
    made = hmac.new(session.encode("utf-8", "surrogatepass"), _FOR_FORGERY, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def fits(session: str, token: str) -> bool:
    """Whether that is the session's."""
    return hmac.compare_digest(csrf_token(session).encode(), token.encode("utf-8", "surrogatepass"))


def cookies_of(session: str) -> Iterator[str]:
    """What begins a session in a browser."""
    yield f"{COOKIE}={session}; {_EVERYWHERE}; HttpOnly"
    yield f"{CSRF_COOKIE}={csrf_token(session)}; {_EVERYWHERE}"


def cookies_of_none() -> Iterator[str]:
    """What ends one there."""
    yield f"{COOKIE}=; {_EVERYWHERE}; HttpOnly; Max-Age=0"
    yield f"{CSRF_COOKIE}=; {_EVERYWHERE}; Max-Age=0"
