"""Who reads by a session, when the request before it on the same connection came by that session: known at once.

A connection remembers which session its last request's cookies named. Whether that one still lives, and may do what it
might, is asked each time; only looking for it is spared.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

import falcon.asgi

from api.http.peer import user_of_request
from api.http.proxied import is_of_proxy
from api.http.safe_methods import SAFE
from api.http.session_cookie import session_token
from reconciler.identity.logins import Logins
from reconciler.identity.sessions import LoggedIn, Session

_REMEMBERED: Final = "onggi.session"  # of a request's scope


class Remembered:
    """One connection's. Behind a proxy its requests may be of many: only one with just these cookies is the same."""

    __slots__ = ("cookies", "session")

    def __init__(self) -> None:
        self.cookies: str | None = None
        self.session: Session | None = None


def mark_remembered(scope: MutableMapping[str, Any], remembered: Remembered) -> None:
    """Let a request know what its connection remembers."""
    scope[_REMEMBERED] = remembered


def known_lately(logins: Logins, request: falcon.asgi.Request) -> LoggedIn | None:
    """Whose session it is that this request reads by; None where it has to be asked in full who that is."""
    remembered = request.scope.get(_REMEMBERED)
    if not isinstance(remembered, Remembered) or request.method not in SAFE or proven_otherwise(request):
        return None
    cookies = request.get_header("Cookie")
    if cookies is None:
        return None
    if cookies != remembered.cookies or remembered.session is None:
        token = session_token(request)
        remembered.session = logins.sessions.find(token, counts=False) if token is not None else None
        remembered.cookies = cookies
    return logins.still(remembered.session) if remembered.session is not None else None


def proven_otherwise(request: falcon.asgi.Request) -> bool:
    """Whether something else than a session says who makes a request."""
    return (
        is_of_proxy(request) or user_of_request(request) is not None or request.get_header("Authorization") is not None
    )
