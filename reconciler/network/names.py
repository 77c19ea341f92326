"""Asks for the addresses of a name, once and within a time. The system's resolver can't be called off: whoever gives up
leaves it to end by itself, and only so many are under way at once.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any, Final

from reconciler.network.addresses import Address

_AT_ONCE: Final = 16
_free = threading.BoundedSemaphore(_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name leads to, as the kernel wants it."""

    family: int
    target: tuple[Any, ...]

    @property
    def address(self) -> Address:
        """The address alone, without a link's name."""
        return ipaddress.ip_address(str(self.target[0]).partition("%")[0])


def resolve(host: str, port: int, within_s: float) -> tuple[Place, ...]:
    """Every address of `host`, as the system orders them. Raises OSError."""
    if not _free.acquire(blocking=False):
        raise OSError("too many names are being looked up")
    answer: Future[tuple[Place, ...]] = Future()
    threading.Thread(target=_look_up, args=(host, port, answer), name="onggi-names", daemon=True).start()
    try:
        return answer.result(within_s)
    except FutureTimeout:
        raise OSError(f"no name server told of {host} within {within_s:.0f} s") from None


def _look_up(host: str, port: int, answer: Future[tuple[Place, ...]]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        places = (Place(family, target) for family, _, _, _, target in found)
        answer.set_result(tuple(dict.fromkeys(places)))
    except OSError as error:
        answer.set_exception(error)
    except Exception as error:  # a name that no encoding has
        answer.set_exception(OSError(f"{type(error).__name__}: a name that can't be one"))
    finally:
        _free.release()


def own_addresses() -> frozenset[Address]:
    """The addresses of this machine's interfaces: its own services take who comes from there for a neighbour."""
    import psutil  # only where something is connected to

    families = (socket.AF_INET, socket.AF_INET6)
    return frozenset(
        ipaddress.ip_address(each.address.partition("%")[0])
        for several in psutil.net_if_addrs().values()
        for each in several
        if each.family in families
    )
