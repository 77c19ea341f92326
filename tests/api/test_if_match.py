"""If-Match is heeded by every write to what can be read, forms among them: who saw something else changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.http.discovery import resource_classes
from api.http.endpoint import endpoints
from api.http.openapi import openapi
from tests.api.live import LiveApi, live_api
from tests.hostile.documents import pool
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

KIB = 1 << 10
POOLS = "/storagepools/default-pool/storagevolumes"
STALE = {"If-Match": '"stale.stale"'}
WRITES = {"post", "put", "delete"}

PoolOfFiles = tuple[LiveApi, str]


@pytest.fixture
def qemu_pool(
    qemu_system: str, host_objects: HostObjects, dir_pool_folder: Path, repository: Repository, tmp_path: Path
) -> Iterator[PoolOfFiles]:
    """An API on the real host, and the address of the volumes of a pool in an empty folder."""
    name = host_objects.name("pool")
    repository.commit({"pool.yaml": pool(name, dir_pool_folder / "pool")})
    with live_api(repository, tmp_path / "state", connect=qemu_system) as api:
        yield api, f"/storagepools/{name}/storagevolumes"


def is_changed(answer: httpx.Response) -> bool:
    """It says that something changed since it was read."""
    return answer.status_code == 412 and "changed" in answer.json()["reason"]


def test_every_write_to_what_can_be_read_documents_if_match_and_its_412() -> None:
    readable = {
        re.sub(r"{(\w+)(:\w+)?}", r"{\1}", resource.address)
        for resource in resource_classes()
        if any(each.tells_version for each in endpoints(resource).values())
    }
    paths, seen = openapi(resource_classes(), "0")["paths"], 0
    for address in readable:
        for method in paths[address].keys() & WRITES:
            operation = paths[address][method]
            assert {"$ref": "#/components/parameters/If-Match"} in operation["parameters"], (method, address)
            assert "412" in operation["responses"], (method, address)
            seen += 1
    assert seen >= 30


# Making a volume


@pytest.mark.qemu
@pytest.mark.parametrize(
    "volume",
    [{"json": {"name": "new", "capacity": KIB}}, {"data": {"name": "new"}, "files": {"file": ("new", b"bytes")}}],
    ids=["json", "form"],
)
def test_a_volume_is_not_made_beside_others_than_were_seen(qemu_pool: PoolOfFiles, volume: dict[str, object]) -> None:
    api, volumes = qemu_pool
    seen = {"If-Match": api.client.get(volumes).headers["ETag"]}
    api.task(api.client.post(volumes, json={"name": "theirs", "capacity": KIB}))
    assert is_changed(api.client.request("POST", volumes, headers=seen, **volume))  # type: ignore[arg-type]
    assert [each["name"] for each in api.client.get(volumes).json()] == ["theirs"]
    seen = {"If-Match": api.client.get(volumes).headers["ETag"]}
    made = api.task(api.client.request("POST", volumes, headers=seen, **volume))  # type: ignore[arg-type]
    assert made["status"] == "finished", made
    assert {each["name"] for each in api.client.get(volumes).json()} == {"new", "theirs"}


def test_who_saw_another_pool_makes_no_volume_in_it_and_who_takes_any_does(api: LiveApi) -> None:
    volume = {"name": "new", "capacity": KIB}
    assert is_changed(api.client.post(POOLS, json=volume, headers=STALE))
    assert api.client.post("/storagepools/none/storagevolumes", json=volume, headers=STALE).status_code == 404
    anything = {"If-Match": "*"}
    assert api.task(api.client.post(POOLS, json=volume, headers=anything))["status"] == "finished"
    assert api.client.delete(f"{POOLS}/new").status_code == 204


# Chunks of an upload


@pytest.mark.qemu
def test_a_chunk_is_only_taken_for_the_volume_that_was_seen(qemu_pool: PoolOfFiles, dir_pool_folder: Path) -> None:
    api, volumes = qemu_pool
    begun = api.client.post(volumes, json={"name": "data", "capacity": 2 * KIB, "upload": True})
    number, volume = begun.json()["id"], f"{volumes}/data"

    def put(letter: bytes, headers: dict[str, str]) -> httpx.Response:
        chunk = {"chunk": ("chunk", letter * KIB)}
        return api.client.put(volume, data={"chunk_size": str(KIB)}, files=chunk, headers=headers)

    seen = {"If-Match": api.client.get(volume).headers["ETag"]}
    assert is_changed(put(b"x", STALE))
    assert api.client.get(f"/tasks/{number}").json()["message"] == "ready for upload", "nothing of it was taken"
    assert put(b"a", seen).status_code == 200
    assert is_changed(put(b"x", STALE))
    assert put(b"b", seen).status_code == 200, "how much of it is there moves by itself"
    assert api.client.get(f"/tasks/{number}").json()["status"] == "finished"
    assert (dir_pool_folder / "pool/data").read_bytes() == b"a" * KIB + b"b" * KIB
    gone = api.client.put(f"{volumes}/none", data={"chunk_size": "1"}, files={"chunk": ("c", b"x")}, headers=STALE)
    assert gone.status_code == 404
