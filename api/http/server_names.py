"""The names that this server may be called by. A page whose own name was made to lead here (DNS rebinding) has another.

On the loopback those of the loopback. For others the names that the settings say; where they say none, what the host
calls itself, whose addresses may change.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable
from typing import Final

from api.http.admission import names_of
from api.http.ttl_cache import TtlCache
from reconciler.host.own_names import own_addresses, own_names
from reconciler.settings.reachable import is_loopback

_KEEP_S: Final = 5.0


def server_names(listen_host: str, public_names: Collection[str] = ()) -> Callable[[], Collection[str]]:
    """The names by now, in lower case, each IPv6 address with and without brackets. `listen_host` is what is listened
    on, empty for a Unix socket alone.
    """
    listened = listen_host or "localhost"
    fixed = names_of("localhost" if _is_unspecified(listened) else listened) | _spelled(public_names)
    if public_names or is_loopback(listened):
        return lambda: fixed
    fixed |= own_names()
    return TtlCache(lambda: fixed | _spelled(own_addresses()), _KEEP_S) if _is_unspecified(listened) else lambda: fixed


def _spelled(names: Iterable[str]) -> frozenset[str]:
    found = set()
    for name in map(str.lower, names):
        bare = name.removeprefix("[").removesuffix("]")
        found |= {bare, f"[{bare}]"} if ":" in bare else {bare}
    return frozenset(found)


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
