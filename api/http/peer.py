"""Who is at the other end of a connection: on this machine the user whose process it is, else an address.

The kernel tells it of one connection at once (sock_diag(7)); where it doesn't, the address has to do.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import falcon.asgi

from reconciler.confined.unix_socket import user_of

_PEER: Final = "onggi.peer"  # of a request's scope
_USER: Final = "onggi.user"  # likewise
_REAL: Final = "onggi.real_peer"  # likewise
_ON_THIS_MACHINE: Final = "user "
_SOCK_DIAG: Final = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY: Final = 20  # SOCK_DIAG_BY_FAMILY, also of the answer
_REQUEST: Final = 1
_HEAD: Final = struct.Struct("=IHHII")
_ASKED: Final = struct.Struct("=BBBBI")
_NO_COOKIE: Final = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
_USER_AND_INODE: Final = struct.Struct("=II")
_BEFORE_USER: Final = _HEAD.size + 4 + 48 + 12  # the state, the addresses, the timers and queues


def peer_of(connection: socket.socket | None) -> str:
    """`user 1000`, or the peer's address; empty when neither can be told."""
    if connection is None:
        return ""
    if connection.family == socket.AF_UNIX:
        user = user_of(connection)
        return "" if user is None else f"{_ON_THIS_MACHINE}{user}"
    try:
        peer, own = connection.getpeername(), connection.getsockname()
    except OSError:  # it has left already
        return ""
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return ""
    process = _user(connection.family, peer, own)  # also by another address of this machine than the loopback's
    return str(peer[0]) if process is None else f"{_ON_THIS_MACHINE}{process}"


def mark_peer(scope: MutableMapping[str, Any], peer: str, user: int | None) -> None:
    """Let a request tell who is at the other end of its connection, and which user of a Unix socket it is."""
    scope[_PEER], scope[_USER] = peer, user


def user_of_request(request: falcon.asgi.Request) -> int | None:
    """The user of this machine who asks by a Unix socket; None for who asks otherwise."""
    user = request.scope.get(_USER)
    return user if isinstance(user, int) else None


def peer_of_request(request: falcon.asgi.Request) -> str:
    """A user of this machine or an address; behind a proxy that of the proxy."""
    return peer_of_scope(request.scope)


def peer_of_scope(scope: Mapping[str, Any]) -> str:
    """The same of a request that nobody has read yet."""
    return str(scope.get(_PEER, ""))


def number_of(peer: str) -> int | None:
    """The user of this machine that a peer is; None for an address."""
    number = peer.removeprefix(_ON_THIS_MACHINE)
    return int(number) if number != peer and number.isdigit() else None


def mark_real_peer(scope: MutableMapping[str, Any], peer: str) -> None:
    """Let a request tell for whom a proxy asks that is believed."""
    scope[_REAL] = peer


def real_peer(request: falcon.asgi.Request) -> str:
    """Who asks, and guesses, if somebody does: the user or address at the other end; behind a proxy that is believed
    the one that it asks for.
    """
    return str(request.scope.get(_REAL, "")) or peer_of_request(request)


def _user(family: int, peer: tuple[Any, ...], own: tuple[Any, ...]) -> int | None:
    ports = struct.pack("!HH", peer[1], own[1])
    addresses = b"".join(socket.inet_pton(family, each[0]).ljust(16, b"\0") for each in (peer, own))
    asked = _ASKED.pack(family, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + ports + addresses + _NO_COOKIE
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _SOCK_DIAG) as kernel:
            kernel.settimeout(0)  # it answers before it returns, or never
            kernel.send(_HEAD.pack(_HEAD.size + len(asked), _BY_FAMILY, _REQUEST, 1, 0) + asked)
            answer = kernel.recv(4096)
    except OSError:
        return None
    if len(answer) < _BEFORE_USER + _USER_AND_INODE.size or _HEAD.unpack_from(answer)[1] != _BY_FAMILY:
        return None
    user, inode = _USER_AND_INODE.unpack_from(answer, _BEFORE_USER)
    return int(user) if inode else None  # without one nobody has it open any more
