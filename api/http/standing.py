"""Whether who began something that lasts may still have it: a stream goes on without further requests to be judged.

It is asked again what was asked at the admission: the session by which somebody came is looked at each time, for which
it doesn't count as used; whatever else proves who they are every few seconds. Whoever isn't let in now, or has another
role by now, has no standing any more. Whom a proxy vouched for can't be asked about again: that lasts as long as a
session at most.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

import falcon.asgi

from api.http.authentication import session_alone, still_in_session
from api.http.proven import proven
from api.http.proxied import is_of_proxy
from api.http.refusal import Refusal
from api.http.responder import client_of
from api.services import Services
from reconciler.errors import OnggiError
from reconciler.identity.sessions import LONGEST_S, LoggedIn
from reconciler.serving.client import Client

AGAIN_S: Final = 5.0


class Standing:
    """Of who made one request."""

    def __init__(self, services: Services, request: falcon.asgi.Request) -> None:
        self.client: Client = client_of(request)
        self._services = services
        self._request = request
        self._begun = time.monotonic()
        self._again = self._begun + AGAIN_S

    async def holds(self) -> bool:
        """Whether they may go on. `client` has the groups that they are in now."""
        if is_of_proxy(self._request) and time.monotonic() > self._begun + LONGEST_S:
            return False
        try:
            asked, who = await self._who()
        except Refusal:
            return False
        except OnggiError:  # nobody knows: who was let in stays until it can be said
            return True
        if not asked:
            return True
        if who is None or (who.identity.name, who.role) != (self.client.user, self.client.role):
            return False
        if who.identity.groups != self.client.groups:
            self.client = replace(self.client, groups=who.identity.groups)
        return True

    async def _who(self) -> tuple[bool, LoggedIn | None]:
        """Whether it was asked now, and who that is."""
        logins, token = self._services.logins, session_alone(self._request)
        if logins is not None and token is not None:
            return True, await still_in_session(logins, token)
        if time.monotonic() < self._again:
            return False, None
        self._again = time.monotonic() + AGAIN_S
        who = await proven(self._services, self._request, falcon.asgi.Response())
        return who is not None, who  # nobody, where nobody has to log in
