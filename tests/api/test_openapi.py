"""/openapi.json: a sound document of everything that is served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from api.app import create_app
from api.http.discovery import resource_classes
from api.http.endpoint import endpoints
from api.http.openapi import openapi
from api.server import Server
from api.services import Services


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """An API without an agent behind it."""
    server = Server(create_app(Services(ready=lambda: False, alive=lambda: True, info=dict)), "127.0.0.1:0")
    server.start()
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client
    server.stop()


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "post", "put", "delete"}:
            yield method, path, item[method]


def test_the_document_is_sound(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_every_method_of_every_address_is_in_it(document: dict[str, Any]) -> None:
    declared = sum(len(endpoints(resource)) for resource in resource_classes())
    found = list(operations(document))
    assert len(found) == declared
    assert len({operation["operationId"] for _, _, operation in found}) == declared
    assert all(operation["summary"].endswith(".") for _, _, operation in found)


def test_every_operation_documents_how_it_can_fail(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert {"400", "403", "500", "503"} <= operation["responses"].keys(), (method, path)
        assert ("{" not in path) or "404" in operation["responses"], (method, path)
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert answer == {"$ref": f"#/components/responses/Error{status}"}


def test_what_is_used_often_is_a_component(document: dict[str, Any]) -> None:
    assert {"Error", "Task", "Template", "Interface"} <= document["components"]["schemas"].keys()
    task = document["paths"]["/tasks/{number}"]["get"]["responses"]["200"]
    assert task["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Task"}


def test_nothing_that_only_the_server_reads_is_told(document: dict[str, Any]) -> None:
    def keys(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, each in value.items():
                yield key
                yield from keys(each)
        if isinstance(value, list):
            for each in value:
                yield from keys(each)

    assert not [key for key in keys(document) if key.startswith("x-")]


def test_filters_are_parameters_of_a_list(document: dict[str, Any]) -> None:
    references = [each["$ref"] for each in document["paths"]["/tasks"]["get"]["parameters"]]
    assert "#/components/parameters/filter_status" in references
    assert document["components"]["parameters"]["filter_status"]["name"] == "status"


def test_the_document_is_the_same_each_time() -> None:
    assert openapi(resource_classes(), "1") == openapi(resource_classes(), "1")


def test_it_is_sent_once(client: httpx.Client) -> None:
    tag = client.get("/openapi.json").headers["etag"]
    again = client.get("/openapi.json", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_the_root_lists_what_there_is(client: httpx.Client) -> None:
    told = client.get("/").json()
    assert (told["name"], told["docs"], told["openapi"]) == ("onggi", "/docs", "/openapi.json")
    assert {"/vms", "/templates", "/events"} <= told["addresses"].keys()
