"""/docs: one page for people, without scripts and without anybody else's server."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from html import unescape
from itertools import pairwise

import httpx
import pytest
from lxml import html

from api.app import create_app
from api.docs.page import page
from api.docs.prose import inline
from api.docs.samples import curl, sample
from api.server import Server
from api.services import Services


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    server = Server(create_app(Services(ready=lambda: False, alive=lambda: True, info=dict)), "127.0.0.1:0")
    server.start()
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client
    server.stop()


@pytest.fixture(scope="module")
def told(client: httpx.Client) -> html.HtmlElement:
    return html.document_fromstring(client.get("/docs").text)


def test_the_page_needs_nothing_from_elsewhere(client: httpx.Client, told: html.HtmlElement) -> None:
    answer = client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert not told.xpath("//script | //@style | //@onclick | //style")
    (style,) = told.xpath("//link[@rel='stylesheet']/@href")
    assert client.get(style).headers["content-type"] == "text/css; charset=utf-8"
    assert "url(" not in client.get(style).text
    assert not re.findall(r"(?:src|href)=['\"](?:https?:)?//", answer.text)


def test_every_operation_is_on_it_with_an_example(client: httpx.Client, told: html.HtmlElement) -> None:
    document = client.get("/openapi.json").json()
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "post", "put", "delete"}:
            (article,) = told.xpath(f"//article[@id='{item[method]['operationId']}']")
            assert article.xpath("string(h3)") == f"{method.upper()} {path}"
            words = shlex.split(article.xpath("string(pre)").replace("\\\n", " "))
            assert words[0] == "curl", path


def test_every_link_of_the_page_leads_to_a_place_of_it(told: html.HtmlElement) -> None:
    places = set(told.xpath("//@id"))
    assert len(places) == len(told.xpath("//@id"))
    for link in told.xpath("//a/@href"):
        assert link == "/openapi.json" or link.removeprefix("#") in places, link


def test_people_who_cant_see_it_find_their_way(told: html.HtmlElement) -> None:
    assert told.get("lang") == "en"
    assert told.xpath("//title/text()")
    assert told.xpath("//body/a[1]/@href") == ["#content"]
    levels = [int(each.tag[1]) for each in told.xpath("//main//*[self::h1 or self::h2 or self::h3 or self::h4]")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(cell.get("scope") for cell in told.xpath("//th"))
    for region in told.xpath("//*[@tabindex]"):  # what can be scrolled can be reached by keyboard, and says what it is
        assert region.get("aria-label")


def test_text_from_elsewhere_stays_text() -> None:
    evil = "<script>alert(1)</script>"
    document = {
        "info": {"title": evil, "version": evil, "description": evil},
        "tags": [{"name": evil}],
        "paths": {
            "/x": {
                "get": {
                    "operationId": "x", "tags": [evil], "summary": evil, "description": evil,
                    "responses": {"200": {"description": evil, "content": {
                        "application/json": {"schema": {"type": "object", "properties": {evil: {"description": evil}}}}
                    }}},
                }
            }
        },
        "components": {"schemas": {}, "responses": {}, "parameters": {}},
    }  # fmt: skip
    made = page(document)
    assert "<script" not in made
    assert evil in unescape(made)
    assert inline("`a<b` **c**") == "<code>a&lt;b</code> <strong>c</strong>"


def test_samples_are_what_schemas_ask_for() -> None:
    shape = {
        "type": "object",
        "required": ["name", "mode", "count", "parts"],
        "properties": {
            "name": {"$ref": "#/components/schemas/Name"},
            "mode": {"type": "string", "enum": ["nat", "bridge"]},
            "count": {"type": "integer", "minimum": 512},
            "parts": {"type": "array", "minItems": 1, "items": {"type": ["string", "null"]}},
            "more": {"type": "string"},
        },
    }
    components = {"Name": {"type": "string", "examples": ["it's"]}}
    assert sample(shape, components) == {"name": "it's", "mode": "nat", "count": 512, "parts": ["…"]}
    operation = {"requestBody": {"content": {"application/json": {"schema": shape}}}}
    words = shlex.split(curl("POST", "/vms/{name}/clone", operation, components).replace("\\\n", " "))
    assert words[:4] == ["curl", "-X", "POST", "http://127.0.0.1:8010/vms/web/clone"]
