"""Every address × every method, as a browser with another site's page in it would ask: what each answer promises.

The addresses come from the API's own description. There is no agent behind the server: whatever a request is refused by
comes before that, and what an answer promises doesn't go by what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import httpx
import pytest

from api.app import create_app
from api.http.admission import names_of
from api.http.discovery import resource_classes
from api.http.openapi import openapi
from api.http.response_headers import PAGE, RETURN, SPECIFICATION, STYLE, with_policy
from api.server import Server
from api.services import Services
from tests.api.live import whole_api
from tests.hostile.raw import answer_to

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
SAME_EVERYWHERE = {PAGE, STYLE, SPECIFICATION}
WRITES = ("POST", "PUT", "DELETE")
DESCRIBED = openapi(resource_classes(), "0")["paths"]
ADDRESSES = sorted({re.sub(r"\{[^}]*\}", "x", path) for path in DESCRIBED} | {"/nowhere"})
EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    names = names_of("127.0.0.1")
    services = Services(ready=lambda: False, alive=lambda: True, info=dict, hosts=lambda: names)
    server = Server(create_app(services), "127.0.0.1:0")
    server.start()
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client
    server.stop()


def assert_promises(path: str, headers: Mapping[str, str]) -> None:
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["content-security-policy"].startswith("default-src 'none'") or path == PAGE
    assert headers.get("cache-control") == "no-store" or path in SAME_EVERYWHERE
    assert not [name for name in headers if name.lower().startswith("access-control-")]


def promises_of(raw: str) -> dict[str, str]:
    lines = raw.partition("\r\n\r\n")[0].splitlines()[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_an_answer_is_kept_by_nobody_and_shown_in_no_frame(client: httpx.Client) -> None:
    for path in ADDRESSES:
        for method in METHODS:
            answer = client.request(method, path, headers={"Content-Type": "application/json"})
            assert_promises(path, answer.headers)
            assert answer.status_code != 500, f"{method} {path}"


@pytest.mark.parametrize(
    "policy",
    [
        b"default-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
        b"script-src 'self' 'unsafe-eval'; frame-ancestors 'none'",
        b"default-src 'none'; frame-ancestors *",
    ],
)
def test_no_part_of_the_server_loosens_what_holds_for_all(policy: bytes) -> None:
    told = with_policy("/plugins/some", [(b"Content-Security-Policy", policy), (b"X-Frame-Options", b"ALLOW")])
    assert_promises("/plugins/some", {name.decode().lower(): value.decode() for name, value in told})
    for own in (b"default-src 'none'; sandbox; frame-ancestors 'none'", b"default-src 'none'; sandbox"):
        kept = b"default-src 'none'; sandbox; frame-ancestors 'none'"
        assert (b"content-security-policy", kept) in with_policy("/images/a", [(b"content-security-policy", own)])


def test_another_sites_page_does_and_reads_nothing(client: httpx.Client) -> None:
    for path in ADDRESSES:
        foreign = (
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Origin": EVIL},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "frame"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "object"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        )
        for headers in foreign:
            for method in ("GET", "POST"):
                assert client.request(method, path, headers=headers).status_code == 403, f"{method} {path} {headers}"
        for method in WRITES:
            for origin in (EVIL, "null", "https://127.0.0.1:1"):
                assert client.request(method, path, headers={"Origin": origin}).status_code == 403, (
                    f"{method} {path} {origin}"
                )
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        # A login provider sends browsers back; here there is none.
        assert client.get(path, headers=link).status_code == {PAGE: 200, RETURN: 404}.get(path, 403), path


def test_a_name_that_was_bound_to_this_machine_is_not_this_server(client: httpx.Client) -> None:
    for path in ADDRESSES:
        for method in ("GET", *WRITES):
            assert client.request(method, path, headers={"Host": "evil.example"}).status_code == 403, f"{method} {path}"
    for name in ("localhost.evil.example", "127.0.0.1.evil.example:8010", "0.0.0.0", "169.254.169.254"):
        assert client.get("/", headers={"Host": name}).status_code == 403, name


def test_a_preflight_allows_nothing(client: httpx.Client) -> None:
    asked = {"Origin": EVIL, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    for path in ADDRESSES:
        assert_promises(path, client.options(path, headers=asked).headers)


@pytest.mark.parametrize(
    "request_text",
    [
        b"\x16\x03\x01 hello\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["no request", "no host", "a long address"],
)
def test_what_is_refused_unread_promises_the_same(client: httpx.Client, request_text: bytes) -> None:
    assert_promises("", promises_of(answer_to(str(client.base_url), request_text)))


def test_the_pages_own_site_reads_it(client: httpx.Client) -> None:
    for own in (
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {},
    ):
        for path in SAME_EVERYWHERE | {"/"}:
            assert client.get(path, headers=own).status_code == 200


def test_good_answers_of_an_agent_promise_it_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    with whole_api(tmp_path_factory.mktemp("promises")) as api:
        for path in (
            "/vms",
            "/vms/test",
            "/networks",
            "/events",
            "/metrics",
            "/config",
            "/healthz",
            "/status",
            "/plan",
        ):
            answer = api.client.get(path)
            assert answer.status_code == 200, path
            assert_promises(path, answer.headers)
            if tag := answer.headers.get("etag"):
                again = api.client.get(path, headers={"If-None-Match": tag})
                assert again.status_code in (200, 304)
                assert_promises(path, again.headers)
        with api.client.stream("GET", "/events?follow=true") as stream:
            assert_promises("/events", stream.headers)
