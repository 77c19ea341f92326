"""What a proxy in front of this server says of a request: for whom it asks, and how it was asked itself.

It is taken from named proxies alone, and then taken away: no header of this kind comes further than here, whoever sent
it, so that nothing behind it can believe one. What says by which name the proxy was asked (`X-Forwarded-Host`), and the
header `Forwarded`, are believed of nobody: many proxies hand on what a client says there.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import falcon.asgi

from api.http.peer import mark_real_peer, number_of, peer_of_scope
from api.http.shutdown import Receive, Scope, Send
from reconciler.settings.proxies import Proxies, plain_address

_SAID: Final = "onggi.forwarded"  # of a request's scope
_FOR: Final = "x-forwarded-for"
_PROTO: Final = "x-forwarded-proto"
_PREFIX: Final = "x-forwarded-"
_OTHERS: Final = frozenset({"forwarded", "x-real-ip"})
_SCHEMES: Final = {"http": {"http": "http", "https": "https"}, "websocket": {"http": "ws", "https": "wss"}}


@dataclass(frozen=True, slots=True)
class UserHeaders:
    """By which headers a proxy says who somebody is, in lower case; no `groups`: it doesn't say in which."""

    user: str
    groups: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a request's headers say of who it is. `named`: a proxy sent it that may say so. `twins`: a header is spelled
    so that others would take it for one of these.
    """

    named: bool = False
    users: tuple[bytes, ...] = ()
    groups: tuple[bytes, ...] = ()
    twins: bool = False


class Forwarding:
    """An ASGI application around another one."""

    def __init__(self, app: Any, proxies: Proxies, headers: UserHeaders | None = None) -> None:
        self._app = app
        self._proxies = proxies
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The same request, as its client made it."""
        await self._app(self.read(scope) if scope["type"] in _SCHEMES else scope, receive, send)

    def read(self, scope: Scope) -> Scope:
        """The request without what was said of it."""
        said: dict[str, list[bytes]] = {}
        kept: list[tuple[bytes, bytes]] = []
        twins = False
        user, groups = (self._headers.user, self._headers.groups) if self._headers is not None else ("", "")
        for name, value in scope["headers"]:
            spelled = name.decode("latin-1").lower()
            plain = spelled.replace("_", "-")
            if not (plain.startswith(_PREFIX) or plain in _OTHERS or (plain and plain in (user, groups))):
                kept.append((name, value))
            elif spelled == plain:
                said.setdefault(plain, []).append(value)
            elif plain in (user, groups):
                twins = True
        peer = peer_of_scope(scope)
        address = str((scope.get("client") or ("",))[0])
        by_address, process = self._proxies.has_address(address), number_of(peer)
        by_user = self._proxies.has_user(process)
        made: MutableMapping[str, Any] = {**scope, "headers": kept}
        # An address of this machine is anybody's here, and says of nobody who they are.
        proves = bool(user) and (by_user if process is not None else by_address)
        made[_SAID] = Said(proves, tuple(said.get(user, ())), tuple(said.get(groups, ())), twins)
        if by_address or by_user:
            scheme = _SCHEMES[scope["type"]].get(_only(said.get(_PROTO, [])))
            made["scheme"] = scheme or scope.get("scheme", "http")
            mark_real_peer(made, self._client(said.get(_FOR, [])) or peer)
        return made

    def _client(self, values: list[bytes]) -> str:
        """The last address that no named proxy has; of nothing but those the first. What stands before something that
        is no address was said by nobody who is believed.
        """
        found = ""
        for each in reversed(b",".join(values).decode("latin-1").split(",")):
            address = plain_address(_without_port(each.strip()))
            if address is None:
                return found
            found = str(address)
            if not self._proxies.has_address(found):
                return found
        return found


def said_of(request: falcon.asgi.Request) -> Said:
    """What proxies said of who makes a request."""
    found = request.scope.get(_SAID)
    return found if isinstance(found, Said) else Said()


def _only(values: list[bytes]) -> str:
    return values[0].decode("latin-1").strip().lower() if len(values) == 1 else ""


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, separator, port = text.rpartition(":")
    return host if separator and ":" not in host and port.isdigit() else text
