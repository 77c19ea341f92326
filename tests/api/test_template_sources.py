"""What machines of a template begin with, in later clients' words: the network, and a pool for each disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest
import yaml

from specs.binding import parse
from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository

POOL = "<pool type='dir'><name>{0}</name><target><path>/{0}</path></target></pool>"


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> Iterator[LiveApi]:
    """With the pools `default` and `fast`, and an ISO image."""
    for name in ("default", "fast"):
        hand.storagePoolDefineXML(POOL.format(name)).create()
    (tmp_path / "some.iso").write_bytes(bytes(2048 * 20))
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", allowed_folders=(str(tmp_path),)) as running:
        yield running


def make(api: LiveApi, **body: Any) -> dict[str, Any]:
    answer = api.client.post("/templates", json={"name": "small", **body})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_machine_is_installed_over_the_network(api: LiveApi, hand: libvirt.virConnect) -> None:
    made = make(api, source_media={"type": "netboot"})
    assert (made["netboot"], made["cdrom"]) == (True, None)
    assert yaml.safe_load(api.text("templates/small.yaml"))["spec"]["bootDevices"] == ["network", "hd"]
    task = api.task(api.client.post("/vms", json={"name": "web", "template": "/templates/small", "title": "The shop"}))
    assert task["status"] == "finished", task
    root = parse(hand.lookupByName("web").XMLDesc())
    assert [each.get("dev") for each in root.iterfind("os/boot")] == ["network", "hd"]
    web = api.client.get("/vms/web").json()
    assert (web["bootorder"], web["title"]) == (["network", "hd"], "The shop")
    changed = api.client.put("/templates/small", json={"netboot": False}).json()
    assert changed["netboot"] is False
    assert "bootDevices" not in yaml.safe_load(api.text("templates/small.yaml"))["spec"]


def test_a_medium_is_what_it_is_called(api: LiveApi, tmp_path: Path) -> None:
    iso = str(tmp_path / "some.iso")
    assert make(api, source_media={"type": "disk", "path": iso})["cdrom"] == iso
    for body in (
        {"source_media": {"type": "disk"}},
        {"source_media": {"type": "tape"}},
        {"source_media": {"type": "netboot"}, "networks": []},
        {"netboot": False},
    ):
        answer = api.client.post("/templates", json={"name": "other", **body})
        assert (answer.status_code, answer.json()["reason"].partition(":")[0]) == (400, "KCHTMPL0016E"), body


def test_each_disk_may_have_a_pool_of_its_own(api: LiveApi) -> None:
    fast = {"name": "/plugins/kimchi/storagepools/fast"}
    disks = [{"size": 1}, {"size": 2, "pool": fast}]
    made = make(api, netboot=True, disks=disks)
    assert [each.get("pool") for each in made["disks"]] == [None, {"name": "/storagepools/fast"}]
    sent_back = api.client.put("/templates/small", json={"disks": made["disks"]})
    assert sent_back.json()["disks"] == made["disks"]
    assert (
        api.task(api.client.post("/vms", json={"name": "web", "template": "/templates/small"}))["status"] == "finished"
    )
    spec = yaml.safe_load(api.text("vms/web.yaml"))["spec"]
    assert [each.get("pool", "default") for each in spec["disks"]] == ["default", "fast"]
    for pool, code in (({"name": "/storagepools/none"}, "KCHTMPL0004E"), ({"name": "fast"}, "KCHTMPL0015E")):
        answer = api.client.put("/templates/small", json={"disks": [{"size": 1, "pool": pool}]})
        assert (answer.status_code, answer.json()["reason"].partition(":")[0]) == (400, code)
