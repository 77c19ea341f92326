"""Whether a hypervisor is on this machine, so that the paths and devices that it tells of are those seen from here.

By the address of its connection alone: one that names a host, though it were this one, counts as elsewhere.
"""

from __future__ import annotations

from urllib.parse import urlsplit


def is_here(uri: str) -> bool:
    """True when the connection `uri` doesn't leave this machine."""
    return not urlsplit(uri).netloc
