"""Which proxies are believed: by their address, or on this machine by the user whose process it is.

On this machine everybody has the same address, so that a user says more there.
"""

from __future__ import annotations

import ipaddress
import pwd
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from reconciler.errors import SettingsError

_USER: Final = "user:"
_LOOPBACK: Final = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}[A-Za-z0-9]")
_OURS: Final = frozenset({
    "accept", "authorization", "connection", "content-length", "content-type", "cookie", "forwarded", "host",
    "if-match", "if-none-match", "last-event-id", "origin", "range", "referer", "transfer-encoding", "upgrade",
    "x-csrf-token", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "x-request-id",
    "x-requested-with",
})  # fmt: skip

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Proxies:
    """Those that are named."""

    networks: tuple[Network, ...] = ()
    users: frozenset[int] = frozenset()

    @classmethod
    def of(cls, named: Iterable[str]) -> Self:
        """By addresses, networks, and users as in `user:www-data`. Raises SettingsError."""
        networks, users = [], set()
        for each in named:
            if each.startswith(_USER):
                users.add(_number(each))
            else:
                networks.append(_network(each))
        return cls(tuple(networks), frozenset(users))

    def has_address(self, text: str) -> bool:
        """Whether a proxy at this address is named; one of IPv4 counts as such in either spelling."""
        address = plain_address(text)
        return address is not None and any(address in each for each in self.networks)

    def has_user(self, user: int | None) -> bool:
        """Whether the proxies of a user of this machine are named."""
        return user is not None and user in self.users


def plain_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address in its plainest form; None for what is none."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def check_proxies(named: Iterable[str], *, prove_users: bool) -> None:
    """Raises SettingsError for what can't be meant. With `prove_users` a proxy says who somebody is, so that it has to
    be one that nobody else can pass for.
    """
    proxies = Proxies.of(named)
    if not prove_users:
        return
    if not proxies.networks and not proxies.users:
        raise SettingsError("auth proxy believes nobody so far; name the proxy by trusted-proxy.")
    for each in proxies.networks:
        if any(each.overlaps(loopback) for loopback in _LOOPBACK):
            raise SettingsError(
                f"trusted-proxy {each} is everybody on this machine, who could be any user by auth proxy; name the "
                "user that the proxy runs as instead, such as user:www-data."
            )
    if 0 in proxies.users:
        raise SettingsError("trusted-proxy user:root can't be told from root itself; run the proxy as another user.")


def check_header(key: str, name: str) -> None:
    """Raises SettingsError for what is no header that a proxy could say it by."""
    if not _HEADER.fullmatch(name) or name.lower() in _OURS:
        raise SettingsError(f"{key} {name!r} isn't a header that tells it; give one such as X-Forwarded-User.")


def _number(named: str) -> int:
    name = named.removeprefix(_USER)
    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        raise SettingsError(
            f"trusted-proxy {named!r}: there is no user {name!r} on this machine; give the one that the proxy runs as."
        ) from None


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise SettingsError(
            f"trusted-proxy {text!r} is neither an address nor a network nor a user; give one such as 192.0.2.7, "
            "::1 or user:www-data."
        ) from None
