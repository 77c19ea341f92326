"""/websockify: the WebSocket of a machine's screen for clients of Kimchi, which name the machine and show no ticket.

They have asked by `connect` before, as all do, and so there is a ticket: it is looked up by who asks, and spent.
"""

from __future__ import annotations

import base64
from typing import Final

import falcon.asgi

from api.http.access import Rule
from api.http.endpoint import raw
from api.http.refusal import Refusal, bad
from api.http.responder import client_of
from api.http.schema import text
from api.vms.console.opening import ConsoleOpening
from reconciler.identity.role import Role
from reconciler.observed.snapshot import Observed
from reconciler.serving.consoles import Claim, ConsoleKind, Holder

_RULE: Final = Rule(Role.VIEWER, "name")  # that of /vms/{name}/console
_MOST: Final = 1024  # more characters than any name's token has


class Websockify(ConsoleOpening):
    """Of the machine that the token names."""

    address = "/websockify"
    since = "2.0"

    @raw(
        "GET", "A WebSocket of a machine's screen, for clients of Kimchi.", None, status=101,
        statuses=(400, 403, 404, 426),
        query={"token": text("The machine's name in base64 that is safe in addresses, with or without padding.")},
        description="It is opened within 30 seconds of `connect`, by who called that; else as /vms/{name}/console.",
        role=Role.USER, theirs="Users see the screens of their machines; of others' there is none.",
    )  # fmt: skip
    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """101 and a screen, or what is in its way."""
        client = client_of(request)

        def claimed(holder: Holder) -> tuple[Observed | None, Claim | None]:
            serving, name = self.serving, _named(request.get_param("token") or "")
            _RULE.check(serving.sight(client), {"name": name})
            _check_subprotocols(request)
            observed = serving.world.snapshot.get(self.ref(name))
            if observed is None:
                return None, None
            return observed, serving.consoles.redeem_held(holder, client.peer, observed.uid, ConsoleKind.VNC)

        await self.open_console(request, response, claimed)


def _named(token: str) -> str:
    """The name that a token stands for. Raises Refusal 400."""
    bare = token[: _MOST + 1].rstrip("=")
    try:
        name = base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        name = ""
    if not name or len(token) > _MOST:
        raise bad("", "`token` has to be a machine's name in base64 that is safe in addresses.")
    return name


def _check_subprotocols(request: falcon.asgi.Request) -> None:
    """Raises Refusal 400 for a client that would get messages which it can't read."""
    offered = {each.strip() for each in (request.get_header("Sec-WebSocket-Protocol") or "").split(",")} - {""}
    if offered and "binary" not in offered:
        raise Refusal(400, "Messages are binary here; offer the subprotocol `binary`, or none.")
