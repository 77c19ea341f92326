"""What the settings say of the provider, and what this server is to it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

USER_CLAIM: Final = "preferred_username"
GROUPS_CLAIM: Final = "groups"
SCOPES: Final = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True)
class Registration:
    """`secret` is asked at each login, and gives nothing where the provider knows the client without one."""

    issuer: str
    client_id: str
    secret: Callable[[], str] = str
    user_claim: str = USER_CLAIM
    groups_claim: str = GROUPS_CLAIM
    scopes: tuple[str, ...] = SCOPES


def is_safe(url: str, *, from_loopback: bool = True) -> bool:
    """Whether what is said there can't be read or changed on the way: by https, or within this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if not url.isascii() or not url.isprintable() or parts.username is not None or parts.fragment or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and from_loopback and is_loopback(host))


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine is called so."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
