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
from tests.lab.waiting import until

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


def test_memory_and_processors_are_taken_as_later_clients_say_them(api: LiveApi) -> None:
    later = {"memory": {"current": 1024, "maxmemory": 4096}, "cpu_info": {"vcpus": 2, "maxvcpus": 4}}
    made = make(api, source_media={"type": "netboot"}, **later)
    assert (made["memory"], made["max_memory"], made["cpus"]) == (1024, 4096, 2)
    assert made["cpu_info"] == {"vcpus": 2, "maxvcpus": 4}
    ended = api.task(api.client.post("/vms", json={"name": "web", "template": "/templates/small"}))
    assert ended["status"] == "finished", ended
    machine = api.client.get("/vms/web").json()
    assert (machine["memory"], machine["max_memory"], machine["cpu_info"]["maxvcpus"]) == (1024, 4096, 4)

    topology = {"sockets": 1, "cores": 4, "threads": 1}
    changed = api.client.put("/templates/small", json={"memory": {"current": 8192}, "cpu_info": {"topology": topology}})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["memory"], changed.json()["max_memory"]) == (8192, 8192)
    assert changed.json()["cpu_info"] == {"vcpus": 2, "maxvcpus": 4, "topology": topology}
    for body, code in (
        ({"memory": {}}, "KCHTMPL0030E"),
        ({"memory": {"current": 2048, "maxmemory": 1024}}, "KCHTMPL0031E"),
        ({"memory": {"current": 1}}, "KCHTMPL0013E"),
        ({"cpu_info": {"maxvcpus": 1}}, "KCHCPUINF0001E"),
        ({"cpu_info": {"maxvcpus": 3}}, "KCHTMPL0025E"),
        ({"cpus": 1, "cpu_info": {"vcpus": 2}}, "KCHTMPL0012E"),
    ):
        answer = api.client.put("/templates/small", json=body)
        assert (answer.status_code, answer.json()["reason"].partition(":")[0]) == (400, code), body


def test_an_interface_of_the_host_is_the_network_that_goes_through_it(api: LiveApi, hand: libvirt.virConnect) -> None:
    hand.networkDefineXML("<network><name>way</name><forward mode='bridge'><interface dev='eth1'/></forward></network>")
    until(lambda: api.client.get("/networks/way").status_code == 200, 60, "the network is seen")
    made = make(api, netboot=True, interfaces=[{"type": "macvtap", "name": "eth1", "mode": "bridge"}])
    assert made["networks"] == ["way"]
    again = {"networks": ["default"], "interfaces": [{"type": "macvtap", "name": "eth1"}]}
    assert api.client.put("/templates/small", json=again).json()["networks"] == ["default", "way"]
    for interface, code in (
        ({"type": "macvtap", "name": "eth9"}, "KCHTMPL0003E"), ({"type": "nat", "name": "eth1"}, "KCHTMPL0034E"),
        ({"type": "macvtap", "name": "eth1", "mode": "vepa"}, "KCHTMPL0036E"), ({"type": "ovs"}, "KCHTMPL0038E"),
    ):  # fmt: skip
        answer = api.client.put("/templates/small", json={"interfaces": [interface]})
        assert (answer.status_code, answer.json()["reason"].partition(":")[0]) == (400, code), interface
