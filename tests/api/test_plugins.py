"""Plugins through HTTP: the example answers, a broken one is listed with its error and hurts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import falcon.testing
import pytest

from api.app import create_app
from api.services import Services
from reconciler.host.plugins import Plugin, Plugins, load_plugins
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

        def __init__(self, _services: Services) -> None:
            self.on_get = "nothing that can be called"

    found = (
        example,
        Plugin("broken", "2", {"/plugins/broken/a": lambda _: object(), "/plugins/broken/b": broken}),
        Plugin("odd", "3", {"/plugins/odd": Odd}),
        Plugin("unloadable", error="The plugin 'unloadable' isn't used: no rice; update it or switch it off."),
        Plugin("off", disabled=True),
    )
    services = Services(ready=lambda: True, alive=lambda: True, info=dict, plugins=Plugins(found))
    yield falcon.testing.TestClient(create_app(services))


def test_they_are_listed_unless_switched_off(client: falcon.testing.TestClient) -> None:
    assert client.simulate_get("/plugins").json == ["example", "broken", "odd", "unloadable"]


def test_the_example_answers_below_its_own_address(client: falcon.testing.TestClient) -> None:
    assert client.simulate_get("/plugins/example/greeting").json["greeting"] == "hello"
    assert client.simulate_get("/plugins/example").json == {
        "name": "example", "version": "1.0.0", "active": True, "error": ""
    }  # fmt: skip


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
