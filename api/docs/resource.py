"""/, /openapi.json and /docs: what there is, for programs and for people."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from operator import itemgetter
from typing import Final

from api.docs.page import page
from api.http.cacheable import cacheable
from api.http.discovery import resource_classes
from api.http.endpoint import ANYBODY, OURS, Answer, Call, Resource, get
from api.http.openapi import openapi
from api.http.responder import to_json
from api.http.response_headers import PAGE, SPECIFICATION, STYLE
from api.http.schema import obj, text
from reconciler.version import VERSION
from specs.plain import NewJson

_KEPT: Final = 4  # documents: one for each application of this process
_POLICY: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


_Routes = frozenset[tuple[str, type]]  # what plugins add: a class by its URI template


@lru_cache(_KEPT)
def _document(routes: _Routes) -> NewJson:
    return openapi(resource_classes(), VERSION, dict(sorted(routes, key=itemgetter(0))))


@lru_cache(_KEPT)
def _specification(routes: _Routes) -> bytes:
    return to_json(_document(routes))


@lru_cache(_KEPT)
def _page(routes: _Routes) -> bytes:
    return page(_document(routes)).encode()


@cache
def _style() -> bytes:
    return files("api.docs").joinpath("style.css").read_bytes()


class _Family(Resource):
    tag = "Service"
    since = OURS

    @property
    def routes(self) -> _Routes:
        """What plugins add to this API."""
        return frozenset(self.services.plugins.routes.items())


class Index(_Family):
    """The root."""

    address = "/"

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
        role=ANYBODY,
    )
    def read(self, _call: Call) -> NewJson:
        """Also while no agent runs."""
        paths = _document(self.routes)["paths"].items()
        listed = {path: item["get"]["summary"] for path, item in paths if "get" in item and "{" not in path}
        return {
            "name": "onggi", "version": VERSION, "docs": "/docs", "openapi": "/openapi.json",
            "addresses": {path: summary for path, summary in listed.items() if path != "/"},
        }  # fmt: skip


class Specification(_Family):
    """For programs."""

    address = SPECIFICATION

    @get(
        "This API as an OpenAPI 3.1 document.",
        obj({"openapi": text()}, required=("openapi",), closed=False),
        role=ANYBODY,
    )
    def read(self, call: Call) -> Answer:
        """Made once."""
        return cacheable(call, _specification(self.routes), "application/json")


class Page(_Family):
    """For people."""

    address = PAGE

    @get("This documentation.", text(), content_type="text/html", role=ANYBODY)
    def read(self, call: Call) -> Answer:
        """Made once. It loads nothing from elsewhere."""
        return cacheable(call, _page(self.routes), "text/html; charset=utf-8", _POLICY)


class Style(_Family):
    """How the page looks."""

    address = STYLE

    @get("How the documentation looks.", text(), content_type="text/css", role=ANYBODY)
    def read(self, call: Call) -> Answer:
        """A file of this package."""
        return cacheable(call, _style(), "text/css; charset=utf-8")
