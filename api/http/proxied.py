"""Somebody for whom a proxy vouches: it has logged them in, and says in a header who they are.

Whoever else sends such a header is refused rather than not believed: it is an attack, or a proxy that isn't named and
would seem to work.
"""

from __future__ import annotations

import logging

import falcon.asgi

from api.http.forwarding import Said, said_of
from api.http.peer import peer_of_request
from api.http.refusal import Refusal
from reconciler.identity.elsewhere import BadNameError, vouched
from reconciler.identity.identity import Identity

log = logging.getLogger("onggi.api")


def check_said(request: falcon.asgi.Request) -> None:
    """Raises Refusal 403 for a request that says who it is, and may not."""
    said = said_of(request)
    if said.twins:
        raise _refused(request, "A header is spelled so that it could be taken for that of the proxy; leave it away.")
    if (said.users or said.groups) and not said.named:
        raise _refused(request, "Who asks is said by a proxy, and this one isn't named by --trusted-proxy.")


def is_of_proxy(request: falcon.asgi.Request) -> bool:
    """Whether a proxy sends it that vouches for others, and isn't somebody itself."""
    return said_of(request).named


def vouched_for(request: falcon.asgi.Request) -> Identity | None:
    """Whom the proxy vouches for; None when it names nobody. Raises Refusal 403 for what it may not say."""
    said = said_of(request)
    if not said.users:
        return None
    if len(said.users) > 1 or len(said.groups) > 1:
        raise _refused(request, "The proxy says twice who asks; have it take the client's own header away.")
    try:
        name = said.users[0].decode()
        if not name:
            return None
        return vouched(name, _groups(said))
    except UnicodeDecodeError:
        raise _refused(request, "The proxy's header isn't UTF-8; correct what it sends.") from None
    except BadNameError as error:
        raise _refused(request, str(error)) from None


def _groups(said: Said) -> list[str]:
    return [each.strip() for each in b"".join(said.groups).decode().split(",")]


def _refused(request: falcon.asgi.Request, reason: str) -> Refusal:
    log.warning("%s says who it is by a header, and is refused: %s", peer_of_request(request) or "somebody", reason)
    return Refusal(403, reason)
