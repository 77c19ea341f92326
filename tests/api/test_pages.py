"""The pages in the browser: a shell for each, and files by names that change with their content."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from lxml import html

from api.app import create_app
from api.server import Server
from api.services import Services
from tests.lab.people import logins_of_each_role
from tests.lab.web import web

__all__ = ["web"]

FOR_PEOPLE = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
PAGES = ("/login", "/console/web", "/console/web?kind=vnc", "/console/there%20is%20none?kind=serial")


@pytest.fixture(scope="module")
def client(web: Path) -> Iterator[httpx.Client]:
    """Somebody who isn't logged in, at an API without an agent behind it."""
    services = Services(ready=lambda: False, alive=lambda: True, info=dict, logins=logins_of_each_role())
    server = Server(create_app(services), "127.0.0.1:0")
    server.start()
    with httpx.Client(base_url=server.url, timeout=60, headers=FOR_PEOPLE) as client:
        yield client
    server.stop()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_a_shell_whose_policy_lets_nothing_in_but_files_of_this_server(
    client: httpx.Client, page: str
) -> None:
    answer = client.get(page)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    nothing = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    assert policy["style-src"] == f"'self' 'sha256-{nothing}'", "an empty style may stand in the page, and no other"
    assert (policy["require-trusted-types-for"], policy["trusted-types"]) == ("'script'", "'none'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    shell = html.document_fromstring(answer.text)
    assert not shell.xpath("//script[text()] | //style | //@style | //@*[starts-with(name(), 'on')]")
    loaded = shell.xpath("//script/@src | //link[@rel='stylesheet']/@href")
    assert len(loaded) == 2 and all(each.startswith("/assets/") for each in loaded)
    assert all(client.get(each).status_code == 200 for each in loaded)


def test_a_page_tells_nobody_which_machines_there_are(client: httpx.Client) -> None:
    assert len({client.get(page).text for page in PAGES[1:]}) == 1
    assert client.get("/console/%3Cscript%3E'%22").text == client.get("/console/web").text


def test_a_built_file_is_kept_for_good(client: httpx.Client, web: Path) -> None:
    files = [path for path in web.iterdir() if path.suffix in (".js", ".css")]
    assert {path.suffix for path in files} == {".js", ".css"}
    for path in files:
        answer = client.get(f"/assets/{path.name}")
        assert answer.content == path.read_bytes()
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        kind = {".js": "text/javascript", ".css": "text/css"}[path.suffix]
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"


@pytest.mark.parametrize(
    "name",
    [
        *("manifest.json", "made-from", "licences", "licences%2FREADME", "..%2Fshell.py", "%2E%2E%2Fbuilt.py"),
        *("nothing-ABCDEFGH.js", "console-", "console-ABCDEFGH.js%00", "%2Fetc%2Fpasswd", "a" * 5000),
    ],
)
def test_nothing_but_a_built_file_is_given(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/assets/{name}")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_no_built_file_names_a_server(web: Path) -> None:
    """Whatever is loaded at run time comes from here."""
    for path in web.glob("*.css"):
        assert not re.search(r"@import|url\((?!['\"]?data:)", path.read_text()), path.name
    for path in web.glob("*.js"):
        assert not re.search(r"import\(?\s*['\"](?!\./)|sourceMappingURL", path.read_text()), path.name


def test_the_licences_of_what_was_bundled_lie_with_it(web: Path) -> None:
    told = (web / "licences/README").read_text()
    assert "@novnc/novnc 1.7.0: MPL-2.0" in told and "@xterm/xterm 6.0.0: MIT" in told
    texts = " ".join(path.read_text() for path in (web / "licences").iterdir())
    assert "Mozilla Public License Version 2.0" in texts and "The xterm.js authors" in texts and "pako" in texts


def test_the_page_to_log_in_on_is_for_browsers(client: httpx.Client) -> None:
    for accepted in ("application/json", "*/*"):
        answer = client.get("/login", headers={"Accept": accepted})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert answer.json()["code"].startswith("405 ")


def test_without_what_is_built_a_page_says_how_to_build_it(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.assets.built._folder", lambda: tmp_path)
    for page in PAGES:
        answer = client.get(page)
        assert answer.status_code == 503
        assert "`make web`" in html.document_fromstring(answer.text).text_content()
        assert "script" not in answer.text
    assert client.get("/assets/console-ABCDEFGH.js").status_code == 404


def test_the_lock_has_every_package_with_its_digest_and_names_no_place() -> None:
    folder = Path(__file__).parents[2] / "web"
    asked, text = json.loads((folder / "package.json").read_text()), (folder / "package-lock.json").read_text()
    locked = json.loads(text)["packages"]
    assert "://" not in text and '"resolved"' not in text
    for name, version in {**asked["dependencies"], **asked["devDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version, "an exact one: python web/build.py --lock"
    assert all(each["integrity"].startswith("sha512-") for name, each in locked.items() if name)
