"""Plugins through HTTP: the example answers, a broken one is listed with its error and hurts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import falcon.asgi
import falcon.testing
import pytest
from openapi_spec_validator import validate

from api.app import create_app
from api.http.endpoint import Call, Resource, action, get
from api.http.schema import integer, obj
from api.services import ServedPlugins, Services
from reconciler.host.plugins import Plugin, Plugins, load_plugins
from reconciler.identity.role import Role
from specs import registry
from specs.document import parse
from tests.host.test_plugins import EXAMPLE, install, site

__all__ = ["site"]


@pytest.fixture
def client(site: Path) -> Iterator[falcon.testing.TestClient]:
    install(EXAMPLE, site)
    (example,) = load_plugins().all

    def broken(_services: Services) -> Any:
        raise RuntimeError("no rice")

    class Odd:
        """Has no method that answers."""

        role = Role.VIEWER

        def __init__(self, _services: Services) -> None:
            self.on_get = "nothing that can be called"

    class Declared(Resource):
        """Says what it takes."""

        address = "/plugins/more/a-b"

        @get("A number.", obj({"number": integer()}, required=("number",), title="PluginsNumber"), role=Role.VIEWER)
        def read(self, _call: Call) -> dict[str, int]:
            return {"number": 7}

        @action("turn-on", "Turn it on.", None, status=204, role=Role.ADMIN)
        def turn_on(self, _call: Call) -> None:
            """Nothing to do."""

    class Plain:
        """Says nothing but how it is called, and by whom."""

        role = Role.VIEWER

        def __init__(self, services: Services) -> None:
            self.services = services

        async def on_get(self, _request: falcon.asgi.Request, response: falcon.asgi.Response, number: int) -> None:
            """As many grains as
            <b>wanted</b>.

            Of *rice*.
            """
            response.media = number

    class Also(Declared):
        """Is read nearly the same."""

        address = "/plugins/more/a_b"

    class Elsewhere(Declared):
        """Thinks that it is somewhere else."""

    class Undocumentable(Resource):
        """Has a schema that is none."""

        address = "/plugins/undocumentable"

        @get("A thing.", {"properties": {"x": object()}}, role=Role.VIEWER)
        def read(self, _call: Call) -> None:
            """Nothing."""

    found = (
        example,
        Plugin(
            "more",
            "1",
            {
                "/plugins/more/a-b": Declared,
                "/plugins/more/a_b": Also,
                "/plugins/more/grains/{number:int(2)}": Plain,
            },
        ),
        Plugin("elsewhere", "1", {"/plugins/elsewhere": Elsewhere}),
        Plugin("undocumentable", "1", {"/plugins/undocumentable": Undocumentable}),
        Plugin("broken", "2", {"/plugins/broken/a": lambda _: object(), "/plugins/broken/b": broken}),
        Plugin("odd", "3", {"/plugins/odd": Odd}),
        Plugin("unloadable", error="The plugin 'unloadable' isn't used: no rice; update it or switch it off."),
        Plugin("off", disabled=True),
    )
    services = Services(ready=lambda: True, alive=lambda: True, info=dict, plugins=ServedPlugins(Plugins(found)))
    yield falcon.testing.TestClient(create_app(services))


def test_they_are_listed_unless_switched_off(client: falcon.testing.TestClient) -> None:
    assert client.simulate_get("/plugins").json == [
        "example", "more", "elsewhere", "undocumentable", "broken", "odd", "unloadable",
    ]  # fmt: skip


def test_the_example_answers_below_its_own_address(client: falcon.testing.TestClient) -> None:
    assert client.simulate_get("/plugins/example/greeting").json["greeting"] == "hello"
    assert client.simulate_get("/plugins/example").json == {
        "name": "example", "version": "1.0.0", "active": True, "error": ""
    }  # fmt: skip


def test_what_plugins_add_is_documented_like_everything_else(client: falcon.testing.TestClient) -> None:
    document = client.simulate_get("/openapi.json").json
    validate(document)
    paths = document["paths"]
    greeting = paths["/plugins/example/greeting"]["get"]
    assert greeting["tags"] == ["Plugins"]
    assert greeting["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Greeting"
    }
    assert paths["/plugins/more/a-b/turn-on"]["post"]["summary"] == "Turn it on."
    grains = paths["/plugins/more/grains/{number}"]
    assert (grains["get"]["summary"], grains["get"]["description"]) == (
        "As many grains as <b>wanted</b>.",
        "Of *rice*.",
    )
    assert [each["name"] for each in grains["parameters"]] == ["number"]
    names = [each["operationId"] for path in paths.values() for key, each in path.items() if key != "parameters"]
    assert len(names) == len(set(names))
    assert "/plugins/example/greeting" in client.simulate_get("/").json["addresses"]
    told = client.simulate_get("/docs").text
    assert "/plugins/example/greeting" in told
    assert "<b>wanted" not in told


def test_what_plugins_add_answers_as_it_declares(client: falcon.testing.TestClient) -> None:
    answer = client.simulate_get("/plugins/more/a-b")
    assert (answer.json, answer.headers["etag"] != "") == ({"number": 7}, True)
    assert client.simulate_post("/plugins/more/a-b/turn-on").status_code == 204
    assert client.simulate_get("/plugins/more/grains/12").json == 12


@pytest.mark.parametrize("name", ["elsewhere", "undocumentable"])
def test_one_that_declares_what_cant_be_hurts_nothing(client: falcon.testing.TestClient, name: str) -> None:
    assert "isn't served" in client.simulate_get(f"/plugins/{name}").json["error"]
    assert f"/plugins/{name}" not in client.simulate_get("/openapi.json").json["paths"]


def test_an_api_without_plugins_tells_of_none(client: falcon.testing.TestClient) -> None:
    assert "/plugins/example/greeting" in client.simulate_get("/openapi.json").json["paths"]
    alone = falcon.testing.TestClient(create_app(Services(ready=lambda: True, alive=lambda: True, info=dict)))
    assert "/plugins/example/greeting" not in alone.simulate_get("/openapi.json").json["paths"]


@pytest.mark.parametrize("name", ["broken", "unloadable"])
def test_one_that_cant_be_used_says_why_and_hurts_nothing(client: falcon.testing.TestClient, name: str) -> None:
    told = client.simulate_get(f"/plugins/{name}").json
    assert told["active"] is False
    assert "update it or switch it off" in told["error"]
    assert client.simulate_get(f"/plugins/{name}/a").status_code == 404
    assert client.simulate_get("/config").status_code == 200


def test_one_that_is_switched_off_isnt_active(client: falcon.testing.TestClient) -> None:
    assert client.simulate_get("/plugins/off").json["active"] is False
    assert client.simulate_get("/plugins/rice").status_code == 404


def test_its_kind_can_be_declared_from_then_on(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(EXAMPLE, site)
    monkeypatch.setattr(registry, "_added", {})
    registry.kinds.cache_clear()
    try:
        found = load_plugins(found=entry_points(group="onggi.plugins"))
        (kind,) = found.kinds
        text = kind.example.encode()
        assert "There is no kind" in str(parse("contact.yaml", text).problems[0])
        registry.look_further(lambda: found.kinds)
        (document,) = parse("contact.yaml", text).documents
        assert document.kind == "Contact"
        with pytest.raises(ValueError, match="there already"):
            registry.register([replace(kind, package="other")])
    finally:
        registry._added.clear()
        registry.kinds.cache_clear()
