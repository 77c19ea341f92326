"""Debug reports through HTTP: made by the real sos, downloaded whole and in parts, renamed, removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import psutil
import pytest

from tests.api.host import harmless_host
from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository
from tests.lab.waiting import until

CONTENT = bytes(range(256)) * 4096  # more than one piece


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "machine/debugreports"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path, folder: Path) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", host=harmless_host(folder.parent)) as running:
        yield running


@pytest.fixture
def report(folder: Path) -> str:
    (folder / "monday.tar.xz").write_bytes(CONTENT)
    return "/debugreports/monday"


def test_one_is_made_by_a_task_and_downloaded(api: LiveApi) -> None:
    begun = api.client.post("/debugreports", json={"name": "first"})
    assert begun.json()["target_uri"] == "/debugreports/first"
    twice = api.client.post("/debugreports", json={"name": "first"})
    assert twice.status_code == 400
    assert twice.json()["reason"].startswith("KCHDR0008E: ")
    assert api.task(begun)["status"] == "finished"
    (found,) = api.client.get("/debugreports").json()
    assert found == api.client.get("/debugreports/first").json()
    assert (found["name"], found["uri"]) == ("first", "/debugreports/first/content")
    archive = api.client.get(found["uri"])
    assert archive.content[:6] == b"\xfd7zXZ\x00"
    assert archive.headers["Content-Disposition"] == 'attachment; filename="first.tar.xz"'
    assert int(archive.headers["Content-Length"]) == len(archive.content)


def test_several_are_made_one_after_the_other(api: LiveApi) -> None:
    begun = [api.client.post("/debugreports", json={"name": name}) for name in ("a", "b")]
    assert [api.task(each)["status"] for each in begun] == ["finished", "finished"]
    assert [each["name"] for each in api.client.get("/debugreports").json()] == ["b", "a"]


def test_a_report_is_renamed_and_removed(api: LiveApi, report: str) -> None:
    renamed = api.client.put(report, json={"name": "tuesday"})
    assert renamed.status_code == 303
    assert api.client.get(renamed.headers["Location"]).json()["name"] == "tuesday"
    assert api.client.put("/debugreports/tuesday", json={"name": "tuesday"}).status_code == 200
    assert api.client.get(report).status_code == 404
    assert api.client.delete("/debugreports/tuesday").status_code == 204
    assert api.client.get("/debugreports").json() == []


def test_a_name_that_is_taken_or_cant_be_is_refused(api: LiveApi, report: str, folder: Path) -> None:
    (folder / "tuesday.tar.xz").write_bytes(b"x")
    for name, code in (("tuesday", "KCHDR0008E"), ("a b", "KCHDR0007E"), ("../x", "KCHDR0007E"), ("", "KCHDR0007E")):
        answer = api.client.put(report, json={"name": name})
        assert answer.status_code == 400
        assert answer.json()["reason"].startswith(f"{code}: ")
    assert api.client.put(report, json={}).status_code == 400
    assert api.client.put(report, json={"name": "x", "time": 1}).status_code == 400
    assert api.client.post("/debugreports", json={"name": "monday"}).json()["reason"].startswith("KCHDR0008E: ")
    assert api.client.post("/debugreports", json={"name": "a/b"}).json()["reason"].startswith("KCHDR0007E: ")
    assert api.client.post("/debugreports", json={"name": 7}).status_code == 400
    assert sorted(path.name for path in folder.iterdir()) == ["monday.tar.xz", "tuesday.tar.xz"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("name", ["sunday", "..%2F..%2Fetc", ".making-x", "-rf"])
def test_an_unknown_one_is_not_found(api: LiveApi, method: str, name: str) -> None:
    assert api.client.request(method, f"/debugreports/{name}").status_code == 404
    assert api.client.get(f"/debugreports/{name}/content").status_code == 404


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=1000000-", slice(1_000_000, None)),
        ("bytes=-5", slice(-5, None)),
        ("bytes=10-99999999", slice(10, None)),
        ("bytes=-99999999", slice(0, None)),
    ],
)
def test_a_part_is_downloaded(api: LiveApi, report: str, wanted: str, part: slice) -> None:
    answer = api.client.get(f"{report}/content", headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == CONTENT[part]
    first, last, _ = part.indices(len(CONTENT))
    assert answer.headers["Content-Range"] == f"bytes {first}-{last - 1}/{len(CONTENT)}"


@pytest.mark.parametrize("wanted", ["bytes=1048576-", "bytes=9999999-", "bytes=-0"])
def test_a_part_that_isnt_there_is_416(api: LiveApi, report: str, wanted: str) -> None:
    answer = api.client.get(f"{report}/content", headers={"Range": wanted})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert answer.json().keys() == {"code", "reason"}


@pytest.mark.parametrize("wanted", ["bytes=5-2", "bytes=a-b", "bytes=0-1,5-6", "lines=1-2", "bytes=-", ""])
def test_what_is_no_range_gives_the_whole(api: LiveApi, report: str, wanted: str) -> None:
    answer = api.client.get(f"{report}/content", headers={"Range": wanted})
    assert answer.status_code == 200
    assert answer.content == CONTENT


def test_a_download_goes_on_only_with_the_same_file(api: LiveApi, report: str, folder: Path) -> None:
    tag = api.client.get(f"{report}/content").headers["ETag"]
    more = {"Range": "bytes=10-", "If-Range": tag}
    assert api.client.get(f"{report}/content", headers=more).status_code == 206
    (folder / "monday.tar.xz").write_bytes(b"another report that is longer")
    assert api.client.get(f"{report}/content", headers=more).status_code == 200


def test_a_download_that_is_broken_off_lets_go_of_the_file(api: LiveApi, report: str, folder: Path) -> None:
    (folder / "monday.tar.xz").write_bytes(CONTENT * 16)
    with api.client.stream("GET", f"{report}/content") as answer:
        next(answer.iter_bytes(1000))
    assert api.client.delete(report).status_code == 204

    def held() -> list[str]:
        return [each.path for each in psutil.Process().open_files() if each.path.startswith(str(folder))]

    until(lambda: not held(), 60, "the file is closed")
