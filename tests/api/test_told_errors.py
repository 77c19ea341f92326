"""Every error, whoever raises it, is `{"code": "<status line>", "reason": "<CODE>: <sentence>"}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import falcon.asgi
import falcon.testing
import pytest

from api.app import create_app
from api.errors import add_handlers
from api.http.access import Access
from api.http.admission import Admission
from api.http.discovery import resource_classes
from api.http.endpoint import Call, Endpoint, Resource, action, endpoints, get, raw
from api.http.error_body import error_body
from api.http.refusal import Refusal
from api.http.responder import add_resource
from api.http.schema import obj
from api.services import Services
from reconciler import errors
from reconciler.identity.role import Role
from specs.problem import Problem
from tests.api.live import LiveApi

CODED = re.compile(r"[A-Z]{4,12}[0-9]{4}E: .+")
SPECIAL = {
    errors.InvalidDocument: errors.InvalidDocument([Problem("a.yaml", 3, 1, "That can't be; correct it.", "/spec")]),
    errors.NotApplied: errors.NotApplied("It isn't done.", reason="InvalidDocument"),
    errors.Refused: errors.Refused("Not now.", reason="InUse"),
}


def kinds_of_errors(base: type[errors.OnggiError] = errors.OnggiError) -> Iterator[type[errors.OnggiError]]:
    yield base
    for each in base.__subclasses__():
        yield from kinds_of_errors(each)


RAISED: list[Exception] = [
    *(
        SPECIAL.get(each) or each("It failed.")
        for each in dict.fromkeys(kinds_of_errors())
        if each in vars(errors).values()
    ),
    *(Refusal(status, "No.") for status in (400, 403, 404, 405, 408, 409, 412, 413, 415, 416, 501, 503)),
    falcon.HTTPMethodNotAllowed(["GET"]),
    falcon.HTTPRangeNotSatisfiable(3),
    RuntimeError("a mistake of ours"),
]
raised: list[Exception] = []


class Failing(Resource):
    """Raises what it is told to."""

    address = "/failing"

    @get("Read.", obj({}), role=Role.VIEWER)
    def read(self, _call: Call) -> dict[str, Any]:
        """Fails."""
        raise raised[-1]

    @action("start", "Start.", obj({}), failure="KCHVM0019E", role=Role.ADMIN)
    def start(self, _call: Call) -> dict[str, Any]:
        """Fails."""
        raise raised[-1]

    @raw("PUT", "Take a chunk.", obj({}), failure="KCHVOL0029E", role=Role.ADMIN)
    async def on_put(self, _request: falcon.asgi.Request, _response: falcon.asgi.Response) -> None:
        """Fails."""
        raise raised[-1]


@pytest.fixture(scope="module")
def client() -> falcon.testing.TestClient:
    app: falcon.asgi.App[Any, Any] = falcon.asgi.App(
        middleware=[Admission(Services(ready=bool, alive=bool, info=dict), Access())]
    )
    add_handlers(app)
    add_resource(app, Failing(Services(ready=lambda: True, alive=lambda: True, info=dict)))
    return falcon.testing.TestClient(app)


@pytest.mark.parametrize("error", RAISED, ids=lambda error: f"{type(error).__name__}-{getattr(error, 'status', '')}")
def test_whatever_is_raised_has_a_code_and_a_sentence(client: falcon.testing.TestClient, error: Exception) -> None:
    raised.append(error)
    for method, path in (("GET", "/failing"), ("POST", "/failing/start"), ("PUT", "/failing")):
        answer = client.simulate_request(method, path)
        body = answer.json
        assert answer.status_code >= 400
        assert set(body) == {"code", "reason"}
        assert body["code"] == answer.status
        assert CODED.fullmatch(body["reason"]), body


def test_what_an_endpoint_cannot_do_has_the_code_of_what_it_was_to_do(client: falcon.testing.TestClient) -> None:
    raised.append(SPECIAL[errors.InvalidDocument])
    for method, path, code in (
        ("GET", "/failing", "KCHAPI0008E"),
        ("POST", "/failing/start", "KCHVM0019E"),
        ("PUT", "/failing", "KCHVOL0029E"),
    ):
        assert client.simulate_request(method, path).json["reason"].startswith(f"{code}: ")
    raised.append(Refusal(400, "The name is taken.", "KCHVM0001E"))
    assert client.simulate_post("/failing/start").json["reason"] == "KCHVM0001E: The name is taken."


def test_a_status_that_the_original_has_no_code_for_is_one_of_ours() -> None:
    assert error_body(falcon.HTTP_412, "It has changed.")["reason"] == "ONGGI0412E: It has changed."
    assert error_body(falcon.HTTP_405, "No.", method="DELETE")["reason"] == "KCHAPI0002E: No."
    assert error_body(falcon.HTTP_405, "No.", method="GET")["reason"] == "ONGGI0405E: No."


def test_every_write_of_a_document_says_what_could_not_be_done() -> None:
    kept = ("/vms", "/templates", "/storagepools", "/networks")
    silent = [
        f"{found.method} {resource.address}/{found.name}"
        for resource in resource_classes()
        for found in endpoints(resource).values()
        if resource.address.startswith(kept) and found.method != "GET" and not found.failure and may_fail(found)
    ]
    assert silent == []


def may_fail(endpoint: Endpoint) -> bool:
    return endpoint.name != "connect"  # there is nothing to be done for it


def test_an_agent_that_is_not_there_yet_says_so_with_a_code() -> None:
    app = create_app(Services(ready=lambda: False, alive=lambda: True, info=dict))
    for path in ("/vms", "/readyz", "/nonsense"):
        answer = falcon.testing.TestClient(app).simulate_get(path)
        assert CODED.fullmatch(answer.json["reason"]), answer.json


def test_a_document_that_the_schema_refuses_is_400_with_a_code(api: LiveApi) -> None:
    body = {"name": "t", "disks": [{"index": 0, "size": 1}], "netboot": True, "icon": f"images/{'x' * 5000}"}
    answer = api.client.post("/templates", json=body)
    assert answer.status_code == 400
    assert answer.json()["reason"].startswith("KCHTMPL0020E: Template/t: `icon` has at most ")
    assert api.log() == []
