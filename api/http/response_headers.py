"""What every answer tells browsers and caches, whoever made it: a resource, a plugin, an error, a refused connection.

The connection applies it to all that leaves, so that no resource can forget it. Nothing may be kept, since an answer
may hold a password, but for what is the same on every host; nothing may be shown in a frame, guessed at, or used by
another site's page. The documentation is the only place that another site may link to.

What was asked by TLS is to be asked so for a year.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

PAGE: Final = "/docs"
STYLE: Final = "/docs/style.css"
SPECIFICATION: Final = "/openapi.json"
PICTURES: Final = "/images/"
ASSETS: Final = "/assets/"
FOREVER: Final = "public, max-age=31536000, immutable"  # what has another name when it is another
RETURN: Final = "/login/oidc/callback"  # where a login provider sends the browser back to
_SAME_EVERYWHERE: Final = frozenset({PAGE, STYLE, SPECIFICATION})

Headers = list[tuple[bytes, bytes]]

_ALWAYS: Final = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
}
_POLICY: Final = b"content-security-policy"
_NOTHING: Final = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_UNSAFE: Final = b"'unsafe-"
_FRAMES: Final = b"frame-ancestors"
_FRAMELESS: Final = b"frame-ancestors 'none'"
_KEEP: Final = b"cache-control"
_BY_TLS: Final = b"strict-transport-security"
_FOR_A_YEAR: Final = b"max-age=31536000"


def with_policy(path: str, headers: Iterable[tuple[bytes, bytes]], *, by_tls: bool = False) -> Headers:
    """An answer's headers as they leave. A policy of its own may let its page load something, though nothing
    unsafe, and in no frame.
    """
    made, headers = [], list(headers)
    # Of files those that are there say for how long; that there is none may be otherwise tomorrow.
    is_file = path.startswith((PICTURES, ASSETS)) and any(name.lower() == _KEEP for name, _ in headers)
    has_policy, may_be_kept = False, path in _SAME_EVERYWHERE or is_file
    for name, value in headers:
        lower = name.lower()
        if lower in _ALWAYS or lower == _BY_TLS or (lower == _KEEP and not may_be_kept):
            continue
        if lower == _POLICY:
            if _FRAMES not in value:
                value = value + b"; " + _FRAMELESS  # which no other directive stands for
            if _UNSAFE in value or _FRAMELESS not in value:
                continue  # a page that needs that isn't shown here
            has_policy = True
        made.append((name, value))
    if not has_policy:
        made.append((_POLICY, _NOTHING))
    if not may_be_kept:
        made.append((_KEEP, b"no-store"))
    made.extend(_ALWAYS.items())
    if by_tls:
        made.append((_BY_TLS, _FOR_A_YEAR))
    return made
