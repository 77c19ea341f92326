"""Requests that nobody sends by mistake: each is refused in a sentence, and nobody else waits for it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.api.host import harmless_host
from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    folder = tmp_path_factory.mktemp("requests")
    repository = Repository(folder / "repository")
    repository.commit({}, "Begin")
    (folder / "machine/etc/apt/sources.list.d").mkdir(parents=True)
    with live_api(repository, folder / "state", host=harmless_host(folder / "machine")) as running:
        yield running


def is_refused(answer: httpx.Response, status: int = 400) -> bool:
    told = answer.json()
    return answer.status_code == status and set(told) == {"code", "reason"} and bool(told["reason"])


@pytest.mark.parametrize("origin", ["http://[", "null", "", "http://127.0.0.1:99999999", "http://[::1]:x"])
def test_an_origin_that_is_no_address_is_another_site(api: LiveApi, origin: str) -> None:
    assert is_refused(api.client.post("/networks/default/activate", headers={"Origin": origin}), 403)


@pytest.mark.parametrize("depth", [200, 900, 100_000])
def test_a_body_may_not_be_nested_without_end(api: LiveApi, depth: int) -> None:
    content = '{"users": ' + "[" * depth + "]" * depth + "}"
    assert is_refused(api.client.put("/vms/test", content=content, headers=JSON))


@pytest.mark.parametrize(
    "body",
    [
        {"users": [1] * 300_000},
        {"users": [{}] * 200_000},
        {f"k{number}": number for number in range(60_000)},
        {"cpus": 10**30},
        {"graphics": {f"k{number}": number for number in range(60_000)}},
    ],
    ids=["numbers", "objects", "keys", "a number", "keys deeper down"],
)
def test_a_body_full_of_mistakes_is_refused_for_one_of_them(api: LiveApi, body: object) -> None:
    answer = api.client.put("/vms/test", content=json.dumps(body, separators=(",", ":")), headers=JSON)
    assert is_refused(answer)
    assert len(answer.json()["reason"]) < 1000


@pytest.mark.parametrize("charset", ["punycode", "idna", "utf-7", "zlib", "nonsense"])
def test_a_form_does_not_choose_how_its_text_is_read(api: LiveApi, charset: str) -> None:
    head = f'Content-Disposition: form-data; name="chunk_size"\r\nContent-Type: text/plain; charset={charset}'
    content = f"--b\r\n{head}\r\n\r\n-{'a' * 1_000_000}\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    url = "/storagepools/default-pool/storagevolumes/x"
    assert is_refused(api.client.put(url, content=content, headers=headers, timeout=30))


def test_a_text_of_a_form_that_is_no_text_is_refused(api: LiveApi) -> None:
    form = {"chunk_size": (None, b"\xff\xfe"), "chunk": ("c", b"x")}
    assert is_refused(api.client.put("/storagepools/default-pool/storagevolumes/x", files=form))
