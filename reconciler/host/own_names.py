"""What this host calls itself: its name and the addresses that its networks know it by.

No name server is asked. What one answers may be somebody else's word.
"""

from __future__ import annotations

import socket
from typing import Final

from reconciler.network.names import own_addresses as addresses_here

HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def own_addresses() -> frozenset[str]:
    """Those of all its networks, without the loopback's."""
    return frozenset(str(each) for each in addresses_here() if not each.is_loopback)


def own_names() -> frozenset[str]:
    """The host's name, whole and up to its first dot, in lower case."""
    name = socket.gethostname().lower()
    return frozenset({name, name.partition(".")[0]} - {""})
