"""Admits every request or refuses it: the one place where it gets a name and who asks is found out.

A web page of somebody else, open in a browser on this machine, must not be able to do anything here: requests are
refused when a browser says that another site makes them, reading and following a link included (it can't see the
answer, though it could have the host work, or ask other machines), and so are all that call this server by a name that
isn't its own. Only the documentation may be linked to, and a login provider sends browsers back.

Where nobody has to log in, who asks by the Unix socket is who the kernel says, and all others are nobody in particular.
Where they have to, each may use what their role suffices for, and only what is public is told to anybody.
"""

from __future__ import annotations

import pwd
import re
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import falcon.asgi

from api.http.access import Access
from api.http.audited import note_request
from api.http.authentication import know
from api.http.endpoint import ANYBODY
from api.http.lately import known_lately
from api.http.peer import real_peer, user_of_request
from api.http.proven import proven
from api.http.proxied import check_said
from api.http.refusal import Refusal
from api.http.response_headers import PAGE, RETURN
from api.http.safe_methods import SAFE
from api.http.upgrade import upgrade_of
from api.services import Services
from reconciler.identity.names import OddNameError, check_name
from reconciler.identity.role import Role
from reconciler.serving.client import Client
from reconciler.serving.sight import Sight

NOBODY: Final = "api"  # who it is that comes by the port, where nobody logs in

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


class Admission:
    """Middleware. `access` says who may use what."""

    def __init__(self, services: Services, access: Access) -> None:
        self._services = services
        self._hosts = services.hosts
        self._logins = services.logins
        self._access = access

    async def process_request(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """Name the request and look at who sent it. Raises Refusal 403."""
        given = request.get_header("X-Request-Id") or ""
        number = given if _ID.fullmatch(given) else str(uuid.uuid4())
        response.set_header("X-Request-Id", number)
        role = Role.ADMIN if self._logins is None else Role.USER  # until it is known who that is
        request.context.client = Client(_name(user_of_request(request)), number, role, peer=real_peer(request))
        note_request(request)
        check_said(request)
        hosts = self._hosts()
        if hosts is not None and request.host.lower() not in hosts:
            raise Refusal(
                403,
                "This server isn't called by that name; use the address that it listens on, or --public-name.",
            )
        if (request.method not in SAFE or upgrade_of(request) is not None) and self._is_foreign(request):
            raise Refusal(403, "Another site's page can't change anything here.")
        if self._is_within_foreign(request) and not _may_be_led_to(request):
            raise Refusal(403, "Another site's page can't read anything here, or link to it; type the address.")

    async def process_resource(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, _resource: object, params: Mapping[str, str]
    ) -> None:
        """Find out who asks, before anything of a body is read. Raises Refusal 401, 403, 404 or 429, and
        Transient.
        """
        rule = self._access.rule(request.uri_template or "", request.method)
        if rule.role is ANYBODY:
            return
        who = known_lately(self._logins, request) if self._logins is not None else None
        if who is None:
            who = await proven(self._services, request, response)
        if who is None:
            return
        sight = Sight(know(request, who), lambda: self._services.serving.world)
        rule.check(sight, params)
        request.context.sight = sight

    @staticmethod
    def _is_within_foreign(request: falcon.asgi.Request) -> bool:
        return (request.get_header("Sec-Fetch-Site") or "none") not in ("none", "same-origin")

    @classmethod
    def _is_foreign(cls, request: falcon.asgi.Request) -> bool:
        if cls._is_within_foreign(request):
            return True
        origin = request.get_header("Origin")
        if origin is None:
            return False
        try:
            asked = urlsplit(origin)
            return (asked.scheme, asked.netloc.lower()) != (request.scheme, request.netloc.lower())
        except ValueError:  # no address at all, such as `http://[`
            return True


def _name(user: int | None) -> str:
    """A user's name on this machine; a number for one without."""
    if user is None:
        return NOBODY
    try:
        return check_name(pwd.getpwuid(user).pw_name)
    except (KeyError, OddNameError):
        return f"uid {user}"


def _may_be_led_to(request: falcon.asgi.Request) -> bool:
    """Whether another site's page may lead a browser there: the documentation, and the end of a login."""
    return (
        request.path in (PAGE, RETURN)
        and request.get_header("Sec-Fetch-Mode") == "navigate"
        and request.get_header("Sec-Fetch-Dest") == "document"  # no frame
    )


def names_of(listen_host: str) -> frozenset[str]:
    """What a server on this address of this machine may be called."""
    return frozenset({"localhost", "127.0.0.1", "::1", "[::1]", listen_host.lower()})
