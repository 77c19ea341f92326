"""Where a download may be led to: a server on the network must not make this host fetch what only it can reach.

It may go on over http or https, never from https to http, and never further inside than the address that was declared:
from the Internet to a private network, or from either to this machine itself. What a name resolves to may change
between this look and the connection; the declared address is what is trusted, and sha256 is what protects the bytes.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from reconciler.errors import Terminal

_OUTSIDE, _PRIVATE, _ITSELF = range(3)


def check_redirect(declared: str, here: str, to: str) -> None:
    """Raises Terminal when the URL `here`, where `declared` has led so far, may not lead `to`. Blocks for a name."""
    try:
        first, now, target = (urlsplit(each) for each in (declared, here, to))
        _ = target.port
    except ValueError:
        raise Terminal("The server leads to an address that can't be one; use another URL.") from None
    if target.scheme not in ("http", "https"):
        raise Terminal(f"{_site(first)} leads to something that is neither http nor https; use another URL.")
    if now.scheme == "https" and target.scheme == "http":
        raise Terminal(
            f"{_site(first)} leads from https to http, where anybody could change the file; use another URL."
        )
    if target.hostname != first.hostname and _depth(target) > _depth(first):
        raise Terminal(
            f"{_site(first)} leads to an address inside of this network; declare that itself if it's wanted."
        )


def _site(url: SplitResult) -> str:
    return f"{url.scheme}://{url.hostname or ''}"


def _depth(url: SplitResult) -> int:
    """How far inside any address of the URL's host is. One that nobody knows can't be reached anyway."""
    try:
        found = socket.getaddrinfo(url.hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return _OUTSIDE
    return max((_depth_of(str(address[0])) for *_, address in found), default=_OUTSIDE)


def _depth_of(text: str) -> int:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
        return _ITSELF
    return _OUTSIDE if address.is_global else _PRIVATE
