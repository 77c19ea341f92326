"""Whether a hypervisor is on this machine, so that the paths and devices that it tells of are those seen from here.

By the address of its connection alone: one that names a host, though it were this one, counts as elsewhere.
"""

from __future__ import annotations

from urllib.parse import urlsplit


def is_here(uri: str) -> bool:
    """True when the connection `uri` doesn't leave this machine."""
    return not urlsplit(uri).netloc


def hands_over(uri: str) -> bool:
    """Whether that hypervisor hands over a socket to a machine's screen: QEMU's does on its own machine."""
    return is_here(uri) and urlsplit(uri).scheme == "qemu"


def is_uri(text: str) -> bool:
    """True for what can be a connection's address: everybody who takes it apart finds a host and a port that can be."""
    if not text or any(character.isspace() or not character.isprintable() for character in text):
        return False
    try:
        parts = urlsplit(text)
        _ = parts.hostname, parts.port
    except ValueError:
        return False
    return True
