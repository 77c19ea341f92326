"""What is wrong with the head of a request that the parser lets pass: too much of it, or two that could be meant.

Where a server in front of this one and this one would understand a request differently, it is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import falcon

MOST_HEADERS: Final = 100
LONGEST_ADDRESS: Final = 8 * 1024

_ONCE: Final = frozenset({
    b"authorization", b"content-length", b"content-type", b"cookie", b"host", b"if-match", b"origin", b"range",
    b"referer", b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site", b"transfer-encoding", b"x-csrf-token",
    b"x-request-id", b"x-requested-with",
})  # fmt: skip
_HOST: Final = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_ABSOLUTE: Final = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)


def head_problem(address: bytes, version: str, headers: Sequence[tuple[bytes, bytes]]) -> tuple[str, str] | None:
    """The status and the sentence to refuse it with; None: it is as it should be. Names are in lower case."""
    if version not in ("1.0", "1.1"):
        return falcon.HTTP_505, "That version of HTTP isn't spoken here; speak HTTP/1.1."
    if len(address) > LONGEST_ADDRESS:
        return falcon.HTTP_414, f"A request's address can have at most {LONGEST_ADDRESS} bytes."
    if len(headers) > MOST_HEADERS:
        return falcon.HTTP_431, f"A request can have at most {MOST_HEADERS} headers."
    counts = Counter(name for name, _ in headers)
    for name in sorted(_ONCE & counts.keys()):
        if counts[name] > 1:
            return falcon.HTTP_400, f"The header {name.decode().title()} is there more than once; send one."
    host = next((value.strip() for name, value in headers if name == b"host"), None)
    if host is None and version != "1.0":
        return falcon.HTTP_400, "The header Host is missing; send the name that this server was called by."
    if host is not None and not _HOST.fullmatch(host):
        return falcon.HTTP_400, "The header Host is no name with or without a port; correct it."
    return _address_problem(address, host)


def _address_problem(address: bytes, host: bytes | None) -> tuple[str, str] | None:
    if address.startswith(b"/"):
        return None
    whole = _ABSOLUTE.match(address)
    if whole is None or (host is not None and whole[1].lower() != host.lower()):
        return falcon.HTTP_400, "A request's address begins with /, or names the same server as the header Host."
    return None
