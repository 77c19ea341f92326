"""What the agent is and what its host can do, through HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.version import VERSION
from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository
from tests.lab.waiting import until

_OURS = """\
apiVersion: onggi/v1
kind: Distribution
metadata: {name: Rice 1}
spec: {path: /srv/rice.iso, osDistro: rice, osVersion: "1"}
---
apiVersion: onggi/v1
kind: Distribution
metadata: {name: Elsewhere}
spec: {path: "https://example.org/x.iso", osArch: s390x}
"""


def test_the_version_is_told(api: LiveApi) -> None:
    port = api.url.rpartition(":")[2]  # consoles are opened where all else is
    assert api.client.get("/config").json() == {"display_proxy_port": port, "version": VERSION, "actions": []}


def test_what_a_driver_that_runs_nothing_can_do(api: LiveApi) -> None:
    found = api.client.get("/config/capabilities").json()
    assert (found["qemu_spice"], found["qemu_stream"], found["kernel_vfio"]) == (False, False, False)
    assert found["libvirt_stream_protocols"] == []
    assert found["screenshot"] is True
    assert (found["federation"], found["auth"]) == ("off", "none")
    assert found["update_tool"] is False
    assert found["repo_mngt_tool"] is None
    assert "apt-get or dnf" in [each["tool"] for each in found["missing"]]


@pytest.mark.qemu
def test_what_qemu_can_do(qemu_system: str, repository: Repository, tmp_path: Path) -> None:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", qemu_system) as api:
        found = api.client.get("/config/capabilities").json()
        assert {"http", "https"} <= set(found["libvirt_stream_protocols"])
        assert found["screenshot"] is True
        assert found["mem_hotplug_support"] is True
        assert "libvirt" not in [each["tool"] for each in found["missing"]]


def test_images_are_those_of_the_repository_and_of_osinfo(api: LiveApi) -> None:
    known = {each["name"]: each for each in api.client.get("/config/distros").json()}
    assert "Rice 1" not in known
    api.repository.commit({"images.yaml": _OURS}, "Offer rice")
    expected = {
        "name": "Rice 1", "os_distro": "rice", "os_version": "1", "os_arch": "all", "path": "/srv/rice.iso",
        "actions": [],
    }  # fmt: skip
    until(lambda: api.client.get("/config/distros/Rice 1").status_code == 200, 60, "the image is offered")
    assert api.client.get("/config/distros/Rice 1").json() == expected
    now = {each["name"]: each for each in api.client.get("/config/distros").json()}
    assert now == known | {"Rice 1": expected}  # not the one for another architecture
    assert [each["name"] for each in api.client.get("/config/distros?os_distro=rice").json()] == ["Rice 1"]


def test_an_unknown_image_is_not_found(api: LiveApi) -> None:
    answer = api.client.get("/config/distros/rice")
    assert answer.status_code == 404
    assert answer.json()["reason"].startswith("KCHDISTRO0001E: ")
