"""Where a server may lead a download to: on over http or https, never from https to http.

To which addresses is decided where they are connected to, as for every other connection, and there too that it never
leads further inside than the server lies that led there.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from reconciler.errors import Terminal


def check_redirect(declared: str, here: str, to: str) -> None:
    """Raises Terminal when the URL `here`, where `declared` has led so far, may not lead `to`."""
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


def _site(url: SplitResult) -> str:
    return f"{url.scheme}://{url.hostname or ''}"
