"""/, /openapi.json and /docs: what there is, for programs and for people."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, Final

from api.docs.page import page
from api.http.endpoint import Answer, Call, Resource, get
from api.http.openapi import openapi
from api.http.responder import to_json
from api.http.schema import obj, text
from reconciler.version import VERSION

_POLICY: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


@cache
def _document() -> dict[str, Any]:
    from api.app import resource_classes  # it scans this folder, so that nothing here can be loaded by it before

    return openapi(resource_classes(), VERSION)


@cache
def _specification() -> bytes:
    return to_json(_document())


@cache
def _page() -> bytes:
    return page(_document()).encode()


@cache
def _style() -> bytes:
    return files("api.docs").joinpath("style.css").read_bytes()


def _kept(call: Call, made: Callable[[], bytes], content_type: str, headers: dict[str, str] | None = None) -> Answer:
    """What stays the same while this process runs."""
    content = made()
    tag = f'"{hashlib.blake2b(content, digest_size=10).hexdigest()}"'
    told = {"ETag": tag, "Cache-Control": "no-cache", **(headers or {})}
    if tag in (call.request.get_header("If-None-Match") or ""):
        return Answer(content=b"", content_type=content_type, status=304, headers=told)
    return Answer(content=content, content_type=content_type, headers=told)


class Index(Resource):
    """The root."""

    address = "/"
    tag = "Service"

    @get(
        "What answers here, and where the rest is.",
        obj(
            {
                "name": text(enum=["onggi"]),
                "version": text("Of onggi."),
                "docs": text("Where people read of it.", enum=["/docs"]),
                "openapi": text("Where programs do.", enum=["/openapi.json"]),
                "addresses": obj({}, closed=False, description="Every collection, and what it has."),
            },
            required=("name", "version", "docs", "openapi", "addresses"),
        ),
    )
    def read(self, _call: Call) -> dict[str, Any]:
        """Also while no agent runs."""
        paths = _document()["paths"].items()
        listed = {path: item["get"]["summary"] for path, item in paths if "get" in item and "{" not in path}
        return {
            "name": "onggi", "version": VERSION, "docs": "/docs", "openapi": "/openapi.json",
            "addresses": {path: summary for path, summary in listed.items() if path != "/"},
        }  # fmt: skip


class Specification(Resource):
    """For programs."""

    address = "/openapi.json"
    tag = "Service"

    @get("This API as an OpenAPI 3.1 document.", obj({"openapi": text()}, required=("openapi",), closed=False))
    def read(self, call: Call) -> Answer:
        """Made once."""
        return _kept(call, _specification, "application/json")


class Page(Resource):
    """For people."""

    address = "/docs"
    tag = "Service"

    @get("This documentation.", text(), content_type="text/html")
    def read(self, call: Call) -> Answer:
        """Made once. It loads nothing from elsewhere."""
        return _kept(call, _page, "text/html; charset=utf-8", _POLICY)


class Style(Resource):
    """How the page looks."""

    address = "/docs/style.css"
    tag = "Service"

    @get("How the documentation looks.", text(), content_type="text/css")
    def read(self, call: Call) -> Answer:
        """A file of this package."""
        return _kept(call, _style, "text/css; charset=utf-8", {"Cross-Origin-Resource-Policy": "same-origin"})
