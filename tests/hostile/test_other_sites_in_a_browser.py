"""Pages of other sites in a real browser, whose user is logged in here: what they try does nothing and tells nothing.

One is of another site altogether. The other has this server's name and another port: a browser takes that for the same
site, and lends it the session's cookie.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import falcon.asgi
import pytest
from playwright.sync_api import Browser, Page, Response

from api.app import create_app
from api.http.admission import names_of
from api.server import Server
from api.services import ServedPlugins, Services
from reconciler.host.plugins import Plugin, Plugins
from reconciler.identity.role import Role
from tests.api.test_oidc import served
from tests.lab.browser import HANGS_MS, chromium
from tests.lab.people import logins_of_each_role

SECRET: Final = "what-only-ada-may-read"
DONE: Final[list[str]] = []


class Valuable:
    """What an administrator can do and read here."""

    role = Role.ADMIN

    def __init__(self, _services: Services) -> None: ...

    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        response.media = {"secret": SECRET}

    async def on_post(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        DONE.append(request.get_header("X-Who") or "somebody")
        response.media = {}


@dataclass(frozen=True)
class Places:
    """Our server, and the two of an attacker."""

    here: str
    same_site: str
    other_site: str


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    plugins = ServedPlugins(Plugins((Plugin("valuable", "1", {"/plugins/valuable": Valuable}),)))
    names = names_of("127.0.0.1")
    services = Services(
        ready=lambda: True, alive=lambda: True, info=dict, hosts=lambda: names,
        logins=logins_of_each_role(), plugins=plugins,
    )  # fmt: skip
    server = Server(create_app(services), "127.0.0.1:0")
    server.start()
    with attackers_pages() as port:
        yield Places(server.url, f"http://127.0.0.1:{port}", f"http://localhost:{port}")
    server.stop()


@contextmanager
def attackers_pages() -> Iterator[int]:
    """An empty page at every address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "21")
            self.end_headers()
            self.wfile.write(b"<!doctype html><body>")

        def log_message(self, *_: Any) -> None: ...

    pages = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=pages.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield pages.server_port
    finally:
        pages.shutdown()
        pages.server_close()
        thread.join(60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def ada(browser: Browser, places: Places) -> Iterator[Page]:
    """An administrator, logged in, on a page of this server."""
    DONE.clear()
    with ExitStack() as stack:
        context = browser.new_context()
        stack.callback(context.close)
        context.set_default_timeout(HANGS_MS)
        page = context.new_page()
        page.goto(f"{places.here}/docs")
        assert page.evaluate(LOG_IN) == 200
        yield page


LOG_IN: Final = """async () => (await fetch("/login", {
    method: "POST", headers: {"Content-Type": "application/json"},
    body: JSON.stringify({username: "ada", password: "decides"}),
})).status"""
POST: Final = """async ([url, headers]) => (await fetch(url, {method: "POST", headers})).status"""
# As pages do that ask their user themselves: else a browser would, and wait for the answer.
READ: Final = """async (url) => (await fetch(url, {headers: {"X-Requested-With": "XMLHttpRequest"}})).status"""

# Each gives what it could learn; whatever it is refused counts as nothing.
ATTACKS: Final = """async (here) => {
    const target = here + "/plugins/valuable";
    const learnt = [];
    const attempt = async (what) => { try { learnt.push(await what()); } catch (error) { learnt.push(""); } };
    const body = JSON.stringify({username: "vera", password: "looks"});
    const withAll = {credentials: "include"};
    for (const method of ["GET", "POST"])
        for (const mode of ["no-cors", "cors"])
            await attempt(async () => (await fetch(target, {...withAll, method, mode})).text());
    for (const headers of [{"X-Requested-With": "XMLHttpRequest"}, {"Content-Type": "application/json"},
                           {"X-CSRF-Token": "guessed"}, {"Authorization": "Bearer guessed"}])
        await attempt(async () => (await fetch(target, {...withAll, method: "POST", headers})).text());
    await attempt(async () => String(navigator.sendBeacon(target, "a")) && "");
    for (const [place, type] of [["/login", "text/plain"], ["/logout", "text/plain"]])
        await attempt(async () => (await fetch(here + place, {
            ...withAll, method: "POST", mode: "no-cors", headers: {"Content-Type": type}, body,
        })).text());
    for (const tag of ["img", "script", "iframe", "embed"])
        await attempt(() => new Promise((resolve) => {
            const made = document.createElement(tag);
            made.onload = () => { try { resolve(made.contentDocument?.body?.innerText ?? ""); }
                                  catch (error) { resolve(""); } };
            made.onerror = () => resolve("");
            made.src = target;
            document.body.append(made);
            setTimeout(() => resolve(""), 1000);
        }));
    await attempt(() => new Promise((resolve) => {
        const socket = new WebSocket(here.replace("http", "ws") + "/vms/web/console?ticket=guessed");
        socket.onopen = () => resolve("opened");
        socket.onerror = () => resolve("");
    }));
    return learnt.join("");
}"""
# A form leads the whole window there, so that cookies which are kept from parts of pages are shown.
FORM: Final = """([url, type]) => {
    const form = document.createElement("form");
    Object.assign(form, {method: "POST", action: url, enctype: type});
    const field = document.createElement("input");
    Object.assign(field, {name: '{"username": "vera", "password": "looks", "a": "', value: '"}'});
    form.append(field);
    document.body.append(form);
    form.submit();
}"""


def status(answer: Response | None) -> int:
    return answer.status if answer is not None else 0


@pytest.mark.parametrize("site", ["same_site", "other_site"])
def test_a_page_of_another_origin_does_nothing_and_reads_nothing(ada: Page, places: Places, site: str) -> None:
    evil = ada.context.new_page()
    evil.goto(getattr(places, site))
    assert evil.evaluate(ATTACKS, places.here) == ""
    for place in ("/plugins/valuable", "/login", "/logout"):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            evil.goto(getattr(places, site))
            with evil.expect_navigation(url=f"{places.here}{place}") as told:
                evil.evaluate(FORM, [f"{places.here}{place}", kind])
            assert status(told.value) == 403, f"{place} {kind}"
    evil.goto(getattr(places, site))
    with evil.expect_navigation(url=f"{places.here}/plugins/valuable") as told:
        evil.evaluate("(url) => { location.href = url; }", f"{places.here}/plugins/valuable")
    assert status(told.value) == 403
    assert DONE == []
    assert ada.evaluate(READ, "/plugins/valuable") == 200  # still logged in, as who they were


def test_a_session_that_another_page_has_set_beforehand_ends_with_the_login(
    browser: Browser, places: Places, ada: Page
) -> None:
    planted = next(each for each in ada.context.cookies() if each["name"] == "__Host-onggi")["value"]
    context = browser.new_context()
    try:
        context.set_default_timeout(HANGS_MS)
        victim = context.new_page()
        for text in ("__Host-onggi=chosen; path=/plugins", "__Host-onggi=chosen; domain=localhost; path=/; secure"):
            victim.goto(places.other_site)
            victim.evaluate("(text) => { document.cookie = text; }", text)
        assert context.cookies() == []  # what the name begins with is a browser's promise
        victim.goto(places.same_site)
        victim.evaluate("(value) => { document.cookie = `__Host-onggi=${value}; path=/; secure`; }", planted)
        victim.goto(f"{places.here}/docs")
        assert victim.evaluate(LOG_IN) == 200
        assert planted not in [each["value"] for each in context.cookies()]
    finally:
        context.close()
    assert ada.evaluate(READ, "/plugins/valuable") == 401


def test_a_page_of_this_server_works_with_the_token_that_it_can_read(ada: Page) -> None:
    cookies = {each["name"]: each for each in ada.context.cookies()}
    assert cookies["__Host-onggi"]["httpOnly"] and cookies["__Host-onggi"]["sameSite"] == "Strict"
    readable = ada.evaluate("() => document.cookie")
    assert readable == f"__Host-onggi-csrf={cookies['__Host-onggi-csrf']['value']}"
    token = readable.partition("=")[2]
    assert ada.evaluate(POST, ["/plugins/valuable", {}]) == 200
    assert ada.evaluate(POST, ["/plugins/valuable", {"X-CSRF-Token": token, "X-Who": "page"}]) == 200
    assert ada.evaluate(POST, ["/plugins/valuable", {"X-CSRF-Token": "another"}]) == 403
    assert DONE == ["somebody", "page"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_who_comes_back_from_a_provider_is_logged_in_where_they_go_on(browser: Browser) -> None:
    import oidc_provider_mock  # takes a while

    kim = oidc_provider_mock.User(sub="kim", claims={"preferred_username": "kim", "groups": ["deciders"]})
    with (
        oidc_provider_mock.run_server_in_thread(user_claims=[kim], require_nonce=True) as mock,
        served(f"http://localhost:{mock.server_port}") as server,
    ):
        context = browser.new_context()
        try:
            context.set_default_timeout(HANGS_MS)
            page = context.new_page()
            page.goto(f"{server.client.base_url}/login/oidc?next=/tasks")
            with page.expect_response("**/tasks") as told:
                page.click("text=kim")
            assert told.value.status == 503  # no agent runs behind this server; nobody would be told 401
            assert "No agent runs" in told.value.text()
            assert {each["name"]: each["sameSite"] for each in context.cookies()} == {
                "__Host-onggi": "Strict",
                "__Host-onggi-csrf": "Strict",
            }
        finally:
            context.close()
