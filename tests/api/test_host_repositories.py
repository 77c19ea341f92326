"""Repositories of packages through HTTP, in the files of a scratch root."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.api.host import harmless_host
from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository

ADDRESS = "http://example.org/debian"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "machine/etc/apt").mkdir(parents=True)
    (tmp_path / "machine/etc/apt/sources.list").write_text(f"# ours\ndeb {ADDRESS} bookworm main\n")
    return tmp_path / "machine"


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path, root: Path) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", host=harmless_host(root)) as running:
        yield running


def reason(api: LiveApi, method: str, path: str, status: int, **more: object) -> str:
    answer = api.client.request(method, path, **more)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    return str(answer.json()["reason"]).partition(":")[0]


def test_one_is_added_changed_switched_and_removed(api: LiveApi, root: Path) -> None:
    made = api.client.post(
        "/host/repositories",
        json={"repo_id": "tools", "baseurl": "https://example.org/tools", "config": {"dist": "stable", "comps": ["x"]}},
    )
    assert made.status_code == 201
    expected = {
        "repo_id": "tools",
        "baseurl": "https://example.org/tools",
        "enabled": True,
        "config": {"dist": "stable", "comps": ["x"]},
        "actions": ["disable", "enable"],
    }
    assert made.json() == expected == api.client.get("/host/repositories/tools").json()
    file = root / "etc/apt/sources.list.d/tools.sources"
    assert "Suites: stable" in file.read_text()
    changed = api.client.put("/host/repositories/tools", json={"config": {"comps": ["x", "y"]}})
    assert changed.json()["config"] == {"dist": "stable", "comps": ["x", "y"]}
    assert api.client.post("/host/repositories/tools/disable").json()["enabled"] is False
    assert reason(api, "POST", "/host/repositories/tools/disable", 400) == "KCHREPOS0016E"
    assert api.client.post("/host/repositories/tools/enable").json()["enabled"] is True
    assert reason(api, "POST", "/host/repositories/tools/enable", 400) == "KCHREPOS0015E"
    assert api.client.delete("/host/repositories/tools").status_code == 204
    assert not file.exists()
    assert reason(api, "GET", "/host/repositories/tools", 404) == "KCHREPOS0012E"


def test_one_without_an_id_of_its_own_is_found_under_its_new_one(api: LiveApi, root: Path) -> None:
    (found,) = api.client.get("/host/repositories").json()
    answer = api.client.put(f"/host/repositories/{found['repo_id']}", json={"baseurl": "http://example.com/debian"})
    assert answer.status_code == 303
    there = api.client.get(answer.headers["Location"])
    assert there.json()["baseurl"] == "http://example.com/debian"
    assert (root / "etc/apt/sources.list").read_text() == "# ours\ndeb http://example.com/debian bookworm main\n"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"config": {"dist": "x"}}, "KCHREPOS0002E"),
        ({"baseurl": 7, "config": {"dist": "x"}}, "KCHREPOS0002E"),
        ({"baseurl": "gopher://example.org/", "config": {"dist": "x"}}, "KCHREPOS0002E"),
        ({"baseurl": "http://example.org/ x\ndeb http://evil ./", "config": {"dist": "x"}}, "KCHREPOS0002E"),
        ({"baseurl": "http://-oDir::Etc=/x/", "config": {"dist": "x"}}, "KCHREPOS0002E"),
        ({"baseurl": ADDRESS}, "KCHREPOS0019E"),
        ({"baseurl": ADDRESS, "config": {"dist": "a b"}}, "KCHREPOS0004E"),
        ({"baseurl": ADDRESS, "config": {"dist": "x", "comps": "main"}}, "KCHREPOS0005E"),
        ({"baseurl": ADDRESS, "config": {"dist": "x", "comps": [1]}}, "KCHREPOS0006E"),
        ({"baseurl": ADDRESS, "config": {"dist": "x", "gpgcheck": True}}, "KCHREPOS0028E"),
        ({"baseurl": ADDRESS, "config": {"dist": "x", "rice": True}}, "KCHREPOS0003E"),
        ({"baseurl": ADDRESS, "config": {"dist": "bookworm"}}, "KCHREPOS0022E"),
        ({"baseurl": ADDRESS, "repo_id": "../x", "config": {"dist": "x"}}, "KCHREPOS0001E"),
        ({"baseurl": ADDRESS, "rice": 1, "config": {"dist": "x"}}, "KCHAPI0001E"),
    ],
)
def test_what_cant_be_is_refused_and_nothing_is_written(
    api: LiveApi, root: Path, body: dict[str, object], code: str
) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert reason(api, "POST", "/host/repositories", 400, json=body) == code
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_an_id_that_is_made_up_stays(api: LiveApi) -> None:
    (found,) = api.client.get("/host/repositories").json()
    path = f"/host/repositories/{found['repo_id']}"
    assert api.client.put(path, json={"repo_id": found["repo_id"]}).status_code == 200
    assert reason(api, "PUT", path, 400, json={"repo_id": "other"}) == "KCHREPOS0001E"
    assert api.client.get("/host/repositories").json() == [found]


def test_an_id_that_is_written_down_can_be_another(api: LiveApi) -> None:
    (first,) = api.client.get("/host/repositories").json()
    body = {"repo_id": "tools", "baseurl": "https://example.org/tools", "config": {"dist": "stable", "comps": ["x"]}}
    made = api.client.post("/host/repositories", json=body).json()
    path = "/host/repositories/tools"
    assert reason(api, "PUT", path, 400, json={"repo_id": "../x"}) == "KCHREPOS0001E"
    assert reason(api, "PUT", path, 400, json={"repo_id": first["repo_id"]}) == "KCHREPOS0022E"
    assert api.client.get(path).json() == made
    changed = api.client.put(path, json={"repo_id": "toys", "baseurl": "https://example.org/toys"})
    assert changed.status_code == 303
    assert changed.headers["location"].endswith("/host/repositories/toys")
    assert api.client.get(path).status_code == 404
    assert api.client.get("/host/repositories/toys").json() == {
        **made, "repo_id": "toys", "baseurl": "https://example.org/toys"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["a%2Fb", "...", "-rf", "%00"])
def test_an_odd_id_is_nobodys(api: LiveApi, name: str) -> None:
    assert api.client.get(f"/host/repositories/{name}").status_code == 404
    assert api.client.delete(f"/host/repositories/{name}").status_code in (404, 405)


def test_a_host_without_a_tool_says_so(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> None:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", host=harmless_host(tmp_path / "empty")) as api:
        assert reason(api, "GET", "/host/repositories", 501) == "KCHREPOS0014E"
        assert reason(api, "GET", "/host/packagesupdate", 501) == "KCHPKGUPD0004E"
        assert reason(api, "POST", "/host/swupdate", 501) == "KCHPKGUPD0004E"


def test_dnfs_have_their_own_settings(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> None:
    root = tmp_path / "fedora"
    (root / "etc/yum.repos.d").mkdir(parents=True)
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", host=harmless_host(root)) as api:
        made = api.client.post("/host/repositories", json={"repo_id": "r", "baseurl": "https://example.org/r"})
        assert made.json()["config"] == {
            "repo_name": "r", "gpgcheck": False, "gpgkey": "", "mirrorlist": "", "metalink": ""
        }  # fmt: skip
        changed = api.client.put(
            "/host/repositories/r", json={"config": {"gpgcheck": True, "gpgkey": "https://example.org/key"}}
        )
        assert changed.json()["config"]["gpgcheck"] is True
        assert "gpgkey" in (root / "etc/yum.repos.d/r.repo").read_text()
        assert api.client.get("/config/capabilities").json()["repo_mngt_tool"] == "yum"
