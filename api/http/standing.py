"""Whether who began something that lasts may still have it: a stream goes on without further requests to be judged.

It is asked again what was asked at the admission: the session by which somebody came is looked at each time, for which
it doesn't count as used; whatever else proves who they are every few seconds. Whoever isn't let in now, or has another
role by now, has no standing any more.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

import falcon.asgi

from api.http.authentication import authenticated, session_alone, still_in_session
from api.http.refusal import Refusal
from api.http.responder import client_of
from reconciler.errors import Transient
from reconciler.identity.logins import Logins
from reconciler.identity.sessions import LoggedIn
from reconciler.serving.client import Client

AGAIN_S: Final = 5.0


class Standing:
    """Of who made one request. `logins` None: nobody has to log in, and everybody stays who they are."""

    def __init__(self, logins: Logins | None, request: falcon.asgi.Request) -> None:
        self.client: Client = client_of(request)
        self._logins = logins
        self._request = request
        self._again = time.monotonic() + AGAIN_S

    async def holds(self) -> bool:
        """Whether they may go on. `client` has the groups that they are in now."""
        if self._logins is None:
            return True
        token = session_alone(self._request)
        if token is None and time.monotonic() < self._again:
            return True
        self._again = time.monotonic() + AGAIN_S
        who = await (still_in_session(self._logins, token) if token is not None else self._asked_again(self._logins))
        if who is None or (who.identity.name, who.role) != (self.client.user, self.client.role):
            return False
        if who.identity.groups != self.client.groups:
            self.client = replace(self.client, groups=who.identity.groups)
        return True

    async def _asked_again(self, logins: Logins) -> LoggedIn | None:
        try:
            return await authenticated(logins, self._request, falcon.asgi.Response())
        except Refusal:
            return None
        except Transient:  # nobody knows: who was let in stays until it can be said
            return self._as_before()

    def _as_before(self) -> LoggedIn:
        from reconciler.identity.identity import Identity

        return LoggedIn(Identity(self.client.user, self.client.groups), self.client.role)
