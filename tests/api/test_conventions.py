"""What holds at every address: unknown methods, members and bodies get the same kind of answer everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.http.body import MAX_BODY
from api.http.discovery import resource_classes
from api.http.openapi import openapi
from tests.api.live import LiveApi, live_api, whole_api
from tests.lab.repositories import Repository, git

PATHS = openapi(resource_classes(), "0")["paths"]
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
UNDOCUMENTED = [(path, verb) for path, item in PATHS.items() for verb in METHODS if verb.lower() not in item]
JSON_BODIES = [
    (path, verb.upper())
    for path, item in PATHS.items()
    for verb, operation in item.items()
    if verb in ("post", "put") and set(operation.get("requestBody", {}).get("content", {})) == {"application/json"}
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    with whole_api(tmp_path_factory.mktemp("conventions")) as running:
        yield running


def is_told(answer: httpx.Response, status: int) -> bool:
    body = answer.json()
    is_coded = re.match(r"[A-Z]{4,12}[0-9]{4}E: .", body["reason"]) is not None
    has_both = set(body) == {"code", "reason"} and body["code"].startswith(f"{status} ")
    return answer.status_code == status and has_both and is_coded


def concrete(path: str) -> str:
    """The address of something that isn't there, with a name as odd as a name may be."""
    return re.sub(r"{\w+}", "no such thing é", path)


@pytest.mark.parametrize(("path", "verb"), UNDOCUMENTED, ids=lambda value: str(value))
def test_a_method_that_an_address_does_not_have_is_405_and_tells_which_it_has(
    api: LiveApi, path: str, verb: str
) -> None:
    answer = api.client.request(verb, concrete(path))
    assert is_told(answer, 405), answer.text
    allowed = {each.strip() for each in answer.headers["Allow"].split(",")}
    assert allowed - {"OPTIONS"} == {each.upper() for each in PATHS[path] if each.upper() in METHODS}


@pytest.mark.parametrize(("path", "verb"), JSON_BODIES, ids=lambda value: str(value))
def test_a_body_that_is_not_a_json_object_is_refused_unread(api: LiveApi, path: str, verb: str) -> None:
    address, is_json = concrete(path), {"Content-Type": "application/json"}
    for content in (b"{", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000):
        answer = api.client.request(verb, address, content=content, headers=is_json)
        assert is_told(answer, 400), answer.text
        assert answer.json()["reason"].startswith("KCHAPI0006E: ")
    for value in ([], "text", 5, None, True):
        answer = api.client.request(verb, address, content=json.dumps(value), headers=is_json)
        assert is_told(answer, 400), f"{value!r}: {answer.text}"
    other = api.client.request(verb, address, content=b"<a/>", headers={"Content-Type": "text/xml"})
    assert is_told(other, 415)
    assert other.json()["reason"].startswith("KCHAPI0007E: ")
    large = api.client.request(verb, address, content=b"x" * (MAX_BODY + 1), headers=is_json)
    assert is_told(large, 413)
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert api.client.request(verb, address, content=b"{}", headers=kind).status_code != 415


def test_an_address_that_is_none_is_404(api: LiveApi) -> None:
    for path in ("/nonsense", "/vms/test/nonsense", "/vms/test/storages/vda/nonsense", "/host/nonsense"):
        assert is_told(api.client.get(path), 404), path
    for path in ("/vms/test/bogus", "/networks/default/bogus"):
        assert is_told(api.client.post(path), 404), path


def test_every_answer_is_json_with_a_name_and_is_never_guessed_at(api: LiveApi) -> None:
    answer = api.client.get("/vms", headers={"Accept": "text/html;q=0.9, */*"})
    assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-Id"])
    bad = api.client.get("/vms", headers={"X-Request-Id": "a\tb" * 99})
    assert re.fullmatch(r"[0-9a-f-]{36}", bad.headers["X-Request-Id"])


def test_a_commit_names_its_request_and_who_made_it(api: LiveApi) -> None:
    body = {"name": "named", "connection": "isolated"}
    assert api.client.post("/networks", json=body, headers={"X-Request-Id": "r-1"}).status_code == 201
    message = git(api.repository.path, "log", "-1", "--format=%an%n%B")
    assert message.splitlines()[0] == "api"
    assert git(api.repository.path, "log", "-1", "--format=%(trailers:key=Onggi-Request-Id,valueonly)").strip() == "r-1"
    assert git(api.repository.path, "log", "-1", "--format=%(trailers:key=Onggi-Source,valueonly)").strip() == "api"
    assert api.client.delete("/networks/named").status_code == 204


def test_where_the_api_does_not_write_it_says_where_to_commit(hand: object, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", api_writes="off") as api:
        assert api.client.get("/networks/default").status_code == 200
        for verb, path, body in (
            ("POST", "/networks", {"name": "x", "connection": "isolated"}),
            ("PUT", "/vms/test", {"cpus": 2}),
            ("POST", "/vms/test/poweroff", None),
            ("DELETE", "/vms/test", None),
            ("POST", "/templates", {"name": "t", "disks": [{"index": 0, "size": 1, "base": "/x"}]}),
            ("PUT", "/storagepools/default-pool", {"autostart": True}),
        ):
            answer = api.client.request(verb, path, json=body)
            assert is_told(answer, 403), f"{verb} {path}: {answer.text}"
            assert str(repository.path) in answer.json()["reason"]
        assert api.log() == []
