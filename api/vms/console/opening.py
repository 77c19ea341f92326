"""Opens a machine's screen or serial line over a WebSocket, by whichever address who has a ticket of `connect` came.

It lasts as long as its request does: it ends with the server, with the machine, and with the right to it.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import falcon.asgi

from api.http.audited import note_console
from api.http.refusal import Refusal
from api.http.responder import client_of, write_beside
from api.http.shutdown import shutdown_of
from api.http.standing import Standing
from api.http.upgrade import upgrade_of
from api.services import Services
from api.vms.console.connecting import held_by, holder_of
from api.vms.console.relay import Code, Relay, Session, Words, accepted, handshake
from api.vms.console.rfb import Heard, Unheard, ViewersWords
from api.vms.devices import MachineDevices
from reconciler.identity.role import Role
from reconciler.observed.snapshot import Observed
from reconciler.serving.client import Client
from reconciler.serving.consoles import Claim, ConsoleKind, Holder, OpenLine

_LOOK_S: Final = 1.0  # whether the right is still there
_LEAVES_S: Final = 5.0  # who is sent away from a serial line
_USED_S: Final = 30.0
_SWITCHING: Final = 101


Claimed = Callable[[Holder], tuple[Observed | None, Claim | None]]


class ConsoleOpening(MachineDevices):
    """What addresses at which consoles are opened have in common, the relay and its places too."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._relay = services.common(Relay)

    async def open_console(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, claimed: Claimed
    ) -> None:
        """101 and a console, or what is in its way. `claimed` gives the machine that is meant and what its ticket
        stands for, which is spent by that; None for what isn't there.
        """
        take, websocket = upgrade_of(request), handshake()
        if take is None:
            response.set_header("Upgrade", "websocket")
            raise Refusal(426, "This is a WebSocket; open it with a client that speaks it.")
        answer = accepted(websocket, request.scope["headers"])
        if answer.status_code != _SWITCHING:
            raise Refusal(400, "That is no handshake of a WebSocket as RFC 6455 has it.")
        client, serving = client_of(request), self.serving
        observed, claim = claimed(holder_of(self.services, request))
        if claim is None or observed is None or not self._is_as_then(client, claim, observed):
            raise Refusal(403, "There is no such ticket, or none any more; ask for one by `connect`.")
        who = client.user if self.services.logins is not None else client.peer
        most = serving.settings.most_consoles
        if not self._relay.places.acquire(who, most):
            raise Refusal(503, "Too many consoles are open; close one, or allow more with --most-consoles.")
        try:
            machine = await self._opened(claim, observed)
            taken = take()
            if taken is None:  # the client has left
                machine.close()
                return
            note_console(request, observed.ref.name)
            await self._shown(request, self._relay.open(
                taken, websocket, answer, machine, _words(claim), _Used(self.services, claim)
            ), claim, observed)  # fmt: skip
        finally:
            self._relay.places.release(who)

    async def _opened(self, claim: Claim, observed: Observed) -> socket.socket:
        """The machine's end. Raises Refusal 409 for a serial line that somebody has, and what the host says."""
        hypervisor, consoles, ref = self.serving.hypervisor, self.serving.consoles, observed.ref
        if claim.kind is ConsoleKind.VNC:
            return await write_beside(lambda: hypervisor.display(ref, claim.uid))
        line = consoles.line(claim.uid)
        if line is not None:
            if not claim.take_over:
                raise held_by(ref.name, line.user)
            await write_beside(lambda: line.end(f"Taken over by {claim.client.user}."))
        return await write_beside(lambda: hypervisor.serial(ref, claim.uid, force=claim.take_over))

    async def _shown(self, request: falcon.asgi.Request, session: Session, claim: Claim, observed: Observed) -> None:
        """Until it is over."""
        consoles = self.serving.consoles
        line = OpenLine(claim.client.user, lambda sentence: _send_away(session, sentence))
        if claim.kind is ConsoleKind.SERIAL:
            consoles.opened(claim.uid, line)
        standing = Standing(self.services, request)
        closing: asyncio.Future[Any] = asyncio.ensure_future(shutdown_of(request).wait())
        ended: asyncio.Future[Any] = asyncio.wrap_future(session.ended)
        try:
            while not ended.done():
                await asyncio.wait({ended, closing}, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                if closing.done():
                    session.end(Code.AGENT_ENDS, "The agent is ending.")
                    await ended
                elif not ended.done() and (why := await self._over(claim, observed, standing)) is not None:
                    session.end(*why)
        finally:
            closing.cancel()
            session.end(Code.AGENT_ENDS, "The agent is ending.")
            consoles.closed(claim.uid, line)

    async def _over(self, claim: Claim, before: Observed, standing: Standing) -> tuple[Code, str] | None:
        """Why it can't go on; None while it can."""
        snapshot = self.serving.world.snapshot
        if snapshot.connected:
            now = snapshot.get(before.ref)
            if now is None or now.uid != claim.uid:
                return Code.STOPPED, "The machine was removed."
            if not now.active:
                return Code.STOPPED, "The machine stopped."
        if not await self._may(claim, before, standing):
            return Code.RIGHT_GONE, "You may not use this console any more: log in again, or ask an administrator."
        return None

    async def _may(self, claim: Claim, observed: Observed, standing: Standing) -> bool:
        if not await standing.holds():
            return False
        return self._is_as_then(standing.client, claim, observed)

    def _is_as_then(self, client: Client, claim: Claim, observed: Observed) -> bool:
        """Whether they may do with the machine what they might when they were given the ticket, no less and no more."""
        sight = self.serving.sight(client)
        is_same = client.role == claim.client.role and sight.sees(observed.ref)
        return is_same and (sight.role_on(observed.ref) < Role.OPERATOR) == claim.read_only


def _send_away(session: Session, sentence: str) -> None:
    session.end(Code.TAKEN_OVER, sentence)
    with suppress(TimeoutError):
        session.ended.result(_LEAVES_S)


def _words(claim: Claim) -> Words:
    if claim.kind is ConsoleKind.VNC:
        return ViewersWords(read_only=claim.read_only)
    return Unheard() if claim.read_only else Heard()


class _Used:
    """Lets a session count as used while its user works in a console, by a word now and then."""

    def __init__(self, services: Services, claim: Claim) -> None:
        self._logins, self._session = services.logins, claim.holder.session
        self._again = 0.0

    def __call__(self) -> None:
        """Something was typed or clicked."""
        if self._logins is not None and self._session and (now := time.monotonic()) >= self._again:
            self._again = now + _USED_S
            self._logins.sessions.use(self._session)
