"""Where a server may lead a download to. Addresses stand for themselves, so that no name is asked for."""

from __future__ import annotations

import pytest

from reconciler.errors import Terminal
from reconciler.network.redirects import check_redirect

OUTSIDE = "https://192.88.99.1/image"
PRIVATE = "http://10.1.2.3/image"


@pytest.mark.parametrize(
    ("declared", "to"),
    [
        (OUTSIDE, "https://192.88.99.2/other"),
        (PRIVATE, "http://10.1.2.3:8080/other"),
        (PRIVATE, "https://8.8.8.8/other"),
        (PRIVATE, "http://nosuchname.invalid/other"),
    ],
)
def test_it_may_lead_on_over_http(declared: str, to: str) -> None:
    check_redirect(declared, declared, to)


@pytest.mark.parametrize(
    ("declared", "to"),
    [
        (OUTSIDE, "http://192.88.99.1/image"),
        (PRIVATE, "file:///etc/passwd"),
        (PRIVATE, "ftp://10.1.2.3/x"),
        (PRIVATE, "http://10.1.2.3:99999/x"),
    ],
)
def test_it_may_not_lead_elsewhere(declared: str, to: str) -> None:
    with pytest.raises(Terminal):
        check_redirect(declared, declared, to)


def test_it_may_not_lead_from_https_to_http_on_the_way() -> None:
    with pytest.raises(Terminal, match="from https to http"):
        check_redirect("http://10.1.2.3/a", "https://10.1.2.3/b", "http://10.1.2.3/c")
