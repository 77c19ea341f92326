"""Connects to a server by an address that was checked: the name is resolved once, and never again behind the check."""

from __future__ import annotations

import logging
import socket

from reconciler.errors import Terminal
from reconciler.network.addresses import Networks, depth
from reconciler.network.exchange import Exchange, GivenUp
from reconciler.network.names import Place, own_addresses, resolve

log = logging.getLogger("onggi.network")


class NotAllowed(Terminal):
    """The server lies where onggi doesn't go."""


def connect(host: str, port: int, exchange: Exchange, networks: Networks, *, led: bool = True) -> socket.socket:
    """A connection that belongs to the exchange. Raises OSError, NotAllowed.

    A server that has `led` on to another, by a redirect, leads no further inside than it lies itself.
    """
    places = allowed_places(host, port, networks, exchange.left_s(exchange.patience.connect_s))
    if led:
        _check_depth(host, places, exchange)
    failed: OSError = OSError("no address")
    for place in places:
        try:
            return connect_to(place, exchange)
        except GivenUp:
            raise
        except OSError as error:
            failed = error
    raise failed


def _check_depth(host: str, places: tuple[Place, ...], exchange: Exchange) -> None:
    own = own_addresses()
    lies = max(depth(each.address, own) for each in places)
    if exchange.depth is None:
        exchange.depth = lies
    if lies > exchange.depth:
        raise NotAllowed(
            f"{host} lies further inside of this network than the server that leads to it; declare it itself if it's "
            "wanted."
        )


def connect_to(place: Place, exchange: Exchange) -> socket.socket:
    """A connection to exactly this address. Raises OSError."""
    wire = socket.socket(place.family, socket.SOCK_STREAM)
    try:
        exchange.hold(wire)
        wire.settimeout(exchange.left_s(exchange.patience.connect_s))
        wire.connect(place.target)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        exchange.left_s()
    except BaseException:
        wire.close()
        raise
    return wire


def allowed_places(host: str, port: int, networks: Networks, within_s: float) -> tuple[Place, ...]:
    """The addresses of a name that may be connected to. Raises OSError for an unknown name, NotAllowed for none."""
    found = resolve(host, port, within_s)
    own = own_addresses()
    allowed = tuple(each for each in found if networks.allows(each.address, own))
    if not allowed:
        # Which addresses a name has inside of this network isn't every client's business.
        log.warning("%s is at %s, which isn't allowed", host, ", ".join(str(each.address) for each in found))
        raise NotAllowed(
            f"{host} isn't on the Internet, and onggi may not go there; use another server, or allow its network "
            "by the setting allowed-network."
        )
    return allowed
