"""Volumes on the test driver: made, copied, listed, removed, and refused where it can't do what is asked."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import libvirt
import pytest
import yaml

from specs.reference import VIRTUAL_MACHINE, Ref
from tests.api.live import LiveApi
from tests.hostile.web_server import WebServer, web_server
from tests.lab.waiting import until

__all__ = ["web_server"]

MIB = 1 << 20
POOL = "/storagepools/lab"
VOLUMES = f"{POOL}/storagevolumes"


@pytest.fixture
def lab(api: LiveApi) -> LiveApi:
    """With an active pool `lab`."""
    answer = api.client.post("/storagepools", json={"name": "lab", "type": "dir", "path": "/var/tmp/onggi/lab"})
    assert answer.status_code == 201, answer.text
    assert api.client.post(f"{POOL}/activate").status_code == 200
    return api


def make(api: LiveApi, name: str, **body: object) -> dict[str, object]:
    task = api.task(api.client.post(VOLUMES, json={"name": name, "capacity": 8 * MIB, **body}))
    assert (task["status"], task["message"]) == ("finished", "OK"), task
    found: dict[str, object] = api.client.get(f"{VOLUMES}/{quote(name)}").json()
    return found


def refused(answer: httpx.Response, code: str, status: int = 400) -> str:
    reason: str = answer.json()["reason"]
    assert (answer.status_code, reason.partition(":")[0]) == (status, code), reason
    return reason


def test_an_empty_volume_is_made_by_a_commit(lab: LiveApi, hand: libvirt.virConnect) -> None:
    answer = lab.client.post(VOLUMES, json={"name": "data.qcow2", "capacity": 8 * MIB, "format": "qcow2"})
    assert answer.status_code == 202
    assert answer.json()["target_uri"] == "/storagepools/lab/storagevolumes/data.qcow2"
    task = lab.task(answer)
    assert (task["status"], task["message"]) == ("finished", "OK")
    view = lab.client.get(f"{VOLUMES}/data.qcow2").json()
    assert view == {
        "name": "data.qcow2", "type": "file", "capacity": 8 * MIB, "allocation": view["allocation"],
        "path": "/var/tmp/onggi/lab/data.qcow2", "used_by": [], "format": "qcow2", "isvalid": True,
        "actions": ["clone", "resize", "wipe"],
    }  # fmt: skip
    assert lab.client.get(VOLUMES).json() == [view]
    assert hand.storagePoolLookupByName("lab").listVolumes() == ["data.qcow2"]
    assert yaml.safe_load(lab.text("volumes/lab/data.qcow2.yaml"))["spec"] == {
        "pool": "lab", "capacity": "8MiB", "format": "qcow2",
    }  # fmt: skip
    assert lab.client.get(POOL).json()["nr_volumes"] == 1
    assert lab.log()[0] == "Create volume lab/data.qcow2"


def test_a_volume_that_is_too_small_for_a_document_is_made_without_one(lab: LiveApi) -> None:
    head = lab.repository.head
    assert make(lab, "tiny", capacity=1024, format="raw")["capacity"] == 1024
    assert lab.repository.head == head
    assert lab.client.delete(f"{VOLUMES}/tiny").status_code == 204
    assert lab.client.get(VOLUMES).json() == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "KCHVOL0018E"),
        ([], "KCHVOL0018E"),
        ({"name": "x"}, "KCHVOL0018E"),
        ({"name": "x", "capacity": MIB, "url": "http://127.0.0.1/x"}, "KCHVOL0018E"),
        ({"capacity": MIB}, "KCHVOL0016E"),
        ({"name": "", "capacity": MIB}, "KCHVOL0016E"),
        ({"name": "x", "capacity": 0}, "KCHVOL0020E"),
        ({"name": "x", "capacity": "many"}, "KCHVOL0020E"),
        ({"name": "x", "capacity": MIB, "allocation": -1}, "KCHVOL0014E"),
        ({"name": "x", "capacity": MIB, "format": "dmg"}, "KCHVOL0015E"),
        ({"name": "x", "capacity": MIB, "format": "qcow3"}, "KCHVOL0015E"),
        ({"name": "x", "capacity": MIB, "upload": "yes"}, "KCHVOL0025E"),
        ({"name": "../x", "capacity": MIB}, "KCHVOL0013E"),
        ({"name": "-x", "capacity": MIB}, "KCHVOL0013E"),
        ({"name": 5, "capacity": MIB}, "KCHVOL0013E"),
        ({"url": "gopher://127.0.0.1/x"}, "KCHVOL0021E"),
        ({"url": "xhttp://127.0.0.1/x"}, "KCHVOL0021E"),
        ({"url": "http://user:secret@127.0.0.1/x"}, "KCHVOL0021E"),
        ({"url": "http://127.0.0.1/"}, "KCHVOL0016E"),
        ({"url": "http://127.0.0.1:1/image.iso"}, "KCHVOL0022E"),
        ({"url": "http://127.0.0.1:99999/image.iso"}, "KCHVOL0021E"),
        ({"url": "http://127.0.0.1/a%00.iso"}, "KCHVOL0021E"),
        ({"url": "http://[::1/image.iso"}, "KCHVOL0021E"),
    ],
)
def test_a_volume_that_cannot_be_is_refused_and_nothing_is_committed(lab: LiveApi, body: object, code: str) -> None:
    head = lab.repository.head
    reason = refused(lab.client.post(VOLUMES, json=body), code)
    assert "secret" not in reason
    assert lab.repository.head == head


def test_a_url_is_looked_at_before_the_task(lab: LiveApi, web_server: WebServer) -> None:
    web_server.redirects["/moved.iso"] = "file:///etc/passwd"
    refused(lab.client.post(VOLUMES, json={"url": web_server.url("/missing.iso")}), "KCHVOL0022E")
    refused(lab.client.post(VOLUMES, json={"url": web_server.url("/moved.iso")}), "KCHVOL0022E")
    assert lab.client.get("/tasks").json() == []


def test_a_download_that_this_connection_cannot_do_leaves_nothing(lab: LiveApi, web_server: WebServer) -> None:
    web_server.files["/image.raw"] = b"x" * MIB
    task = lab.task(lab.client.post(VOLUMES, json={"url": web_server.url("/image.raw")}))
    assert task["status"] == "failed"
    assert "can't be downloaded: this connection takes no data" in task["message"]
    assert lab.client.get(VOLUMES).json() == []
    assert lab.log()[0] == "Take back volume lab/image.raw, which can't be made"


def test_an_upload_that_this_connection_cannot_take_is_told_at_once(lab: LiveApi) -> None:
    answer = lab.client.post(VOLUMES, json={"name": "up", "capacity": MIB, "upload": True})
    assert (answer.status_code, "Nothing can be uploaded" in answer.json()["reason"]) == (501, True)
    assert lab.client.post(VOLUMES, files={"file": ("up", b"bytes")}).status_code == 501
    make(lab, "there")
    refused(lab.client.put(f"{VOLUMES}/there", data={"chunk_size": "1"}, files={"chunk": ("c", b"x")}), "KCHVOL0027E")


def test_a_name_that_is_taken_is_refused(lab: LiveApi) -> None:
    make(lab, "one")
    refused(lab.client.post(VOLUMES, json={"name": "one", "capacity": MIB}), "KCHVOL0001E")


def test_volumes_of_a_pool_that_is_inactive_cannot_be_seen(lab: LiveApi) -> None:
    make(lab, "one")
    lab.client.post(f"{POOL}/deactivate")
    for method, path in (("GET", ""), ("GET", "/one"), ("POST", ""), ("DELETE", "/one"), ("POST", "/one/wipe")):
        refused(lab.client.request(method, VOLUMES + path, json={"name": "x", "capacity": MIB}), "KCHVOL0006E")
    assert lab.client.get(POOL).json()["nr_volumes"] == 0


def test_what_is_not_there_is_404(lab: LiveApi) -> None:
    refused(lab.client.get("/storagepools/nosuch/storagevolumes"), "KCHPOOL0002E", 404)
    refused(lab.client.get("/storagepools/nosuch/storagevolumes/x"), "KCHPOOL0002E", 404)
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/resize"), ("POST", "/wipe"), ("POST", "/clone")):
        refused(lab.client.request(method, f"{VOLUMES}/nosuch{path}", json={"size": 1}), "KCHVOL0002E", 404)


def test_a_copy_has_a_name_of_its_own_and_a_document(lab: LiveApi) -> None:
    make(lab, "disk.qcow2")
    answers = [lab.client.post(f"{VOLUMES}/disk.qcow2/clone") for _ in range(2)]
    tasks = [lab.task(answer) for answer in answers]
    assert [task["status"] for task in tasks] == ["finished", "finished"], tasks
    assert [task["target_uri"] for task in tasks] == [
        f"{VOLUMES}/disk-clone-1.qcow2", f"{VOLUMES}/disk-clone-2.qcow2",
    ]  # fmt: skip
    names = [volume["name"] for volume in lab.client.get(VOLUMES).json()]
    assert names == ["disk-clone-1.qcow2", "disk-clone-2.qcow2", "disk.qcow2"]
    clone = lab.client.get(f"{VOLUMES}/disk-clone-1.qcow2").json()
    assert (clone["capacity"], clone["format"]) == (8 * MIB, "qcow2")
    spec = yaml.safe_load(lab.text("volumes/lab/disk-clone-1.qcow2.yaml"))["spec"]
    assert spec == {"pool": "lab", "capacity": "8MiB", "format": "qcow2"}
    events = [event.message for event in lab.serving.agent.line.ledger.history.events()]
    assert any("copy of StorageVolume/lab/disk.qcow2" in message for message in events), events


def test_a_copy_that_has_no_place_to_go_is_refused(lab: LiveApi) -> None:
    lab.client.post("/storagepools", json={"name": "other", "type": "dir", "path": "/var/tmp/onggi/other"})
    make(lab, "disk")
    refused(lab.client.post(f"{VOLUMES}/disk/clone", json={"pool": "other"}), "KCHVOL0006E")
    refused(lab.client.post(f"{VOLUMES}/disk/clone", json={"pool": "nosuch"}), "KCHPOOL0002E")
    refused(lab.client.post(f"{VOLUMES}/disk/clone", json={"name": "disk"}), "KCHVOL0001E")
    refused(lab.client.post(f"{VOLUMES}/disk/clone", json={"name": "a/b"}), "KCHVOL0013E")


def test_a_volume_that_is_deleted_is_gone_with_its_document(lab: LiveApi, hand: libvirt.virConnect) -> None:
    make(lab, "data")
    gone = lab.client.delete(f"{VOLUMES}/data")
    assert (gone.status_code, gone.content) == (204, b"")
    refused(lab.client.get(f"{VOLUMES}/data"), "KCHVOL0002E", 404)
    assert hand.storagePoolLookupByName("lab").listVolumes() == []
    assert lab.log()[0] == "Delete volume lab/data"
    assert make(lab, "data")["name"] == "data"


def test_a_volume_that_git_does_not_know_is_deleted_by_an_operation(lab: LiveApi, hand: libvirt.virConnect) -> None:
    xml = "<volume><name>byhand</name><capacity>1048576</capacity></volume>"
    hand.storagePoolLookupByName("lab").createXML(xml)
    lab.serving.operations.look_again(None)
    head = lab.repository.head
    assert [volume["name"] for volume in lab.client.get(VOLUMES).json()] == ["byhand"]
    assert lab.client.delete(f"{VOLUMES}/byhand").status_code == 204
    assert (lab.client.get(VOLUMES).json(), lab.repository.head) == ([], head)


def test_what_a_machine_uses_is_neither_deleted_nor_wiped(lab: LiveApi, hand: libvirt.virConnect) -> None:
    make(lab, "used")
    disk = "<disk type='volume'><source pool='lab' volume='used'/><target dev='vda' bus='virtio'/></disk>"
    hand.defineXML(
        "<domain type='test'><name>holder</name><memory>8192</memory><os><type>hvm</type></os>"
        f"<devices>{disk}</devices></domain>"
    )
    lab.serving.operations.look_again(None)
    assert lab.client.get(f"{VOLUMES}/used").json()["used_by"] == ["holder"]
    assert "machine holder" in refused(lab.client.delete(f"{VOLUMES}/used"), "KCHVOL0017E")
    assert "machine holder" in refused(lab.client.post(f"{VOLUMES}/used/wipe"), "KCHVOL0017E")
    assert lab.client.get(f"{VOLUMES}/used").status_code == 200


def test_a_disk_that_a_machine_is_declared_with_stays(lab: LiveApi) -> None:
    make(lab, "wanted")
    machine = (
        "apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {name: later}\n"
        "spec: {memory: 64, runStrategy: Halted, disks: [{pool: lab, volume: wanted}]}\n"
    )
    lab.repository.commit({"later.yaml": machine})
    lab.agent.fetch_now()
    until(lambda: Ref(VIRTUAL_MACHINE, "later") in lab.serving.world.desired.resources, 60, "the machine is read")
    reason = refused(lab.client.delete(f"{VOLUMES}/wanted"), "KCHVOL0017E")
    assert "machine later" in reason


def test_a_protected_volume_stays(lab: LiveApi) -> None:
    make(lab, "kept")
    path = lab.repository.path / "volumes/lab/kept.yaml"
    document = yaml.safe_load(path.read_text())
    document["metadata"]["annotations"] = {"onggi/protect": "true"}
    lab.repository.commit({"volumes/lab/kept.yaml": yaml.safe_dump(document)})
    lab.agent.fetch_now()

    def known() -> bool:
        resource = lab.serving.world.desired.resources.get(Ref.volume("lab", "kept"))
        return resource is not None and resource.policy.protect

    until(known, 60, "the annotation is read")
    answer = lab.client.delete(f"{VOLUMES}/kept")
    assert (answer.status_code, "onggi/protect" in answer.json()["reason"]) == (409, True)
    assert lab.client.get(f"{VOLUMES}/kept").status_code == 200


def test_sizes(lab: LiveApi) -> None:
    make(lab, "disk")
    resize = f"{VOLUMES}/disk/resize"
    for body in ({}, {"size": "x"}, {"size": 0}):
        refused(lab.client.post(resize, json=body), "KCHVOL0020E")
    assert "isn't shrunk" in refused(lab.client.post(resize, json={"size": 4 * MIB}), "KCHVOL0011E")
    same = lab.client.post(resize, json={"size": 8 * MIB})
    assert (same.status_code, same.json()["capacity"]) == (200, 8 * MIB)
    # The test driver resizes and wipes nothing, and says so before anything is committed.
    commits = lab.log()
    answer = lab.client.post(resize, json={"size": 16 * MIB})
    assert (answer.status_code, lab.log()) == (501, commits)
    assert "KCHVOL0011E: " in answer.json()["reason"]
    assert "can't grow: this connection doesn't resize volumes" in answer.json()["reason"]
    wiped = lab.client.post(f"{VOLUMES}/disk/wipe")
    assert (wiped.status_code, wiped.json()["reason"].partition(":")[0]) == (501, "KCHVOL0009E")


def test_the_reserved_pool_is_read_only(api: LiveApi) -> None:
    path = "/storagepools/kimchi_isos/storagevolumes"
    assert api.client.get(path).json() == []
    assert api.client.get(f"{path}/x").status_code == 404
    for method, address in (("POST", path), ("DELETE", f"{path}/x"), ("PUT", f"{path}/x")):
        answer = api.client.request(method, address, json={"name": "x", "capacity": MIB})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
        assert answer.json()["code"] == "405 Method Not Allowed"


@pytest.mark.parametrize("name", ["with blank.img", "∨м-dïsk", "dots.and.more.tar.gz", "100% sure", "a+b=c"])
def test_any_name_can_be_asked_for_by_its_address(lab: LiveApi, name: str) -> None:
    assert make(lab, name)["name"] == name
    assert lab.task(lab.client.post(f"{VOLUMES}/{quote(name)}/clone"))["status"] == "finished"
    assert lab.client.delete(f"{VOLUMES}/{quote(name)}").status_code == 204
    (left,) = lab.client.get(VOLUMES).json()
    assert "-clone-1" in left["name"]


def test_volumes_are_filtered_by_any_field(lab: LiveApi) -> None:
    make(lab, "a", format="raw")
    make(lab, "b", format="qcow2", capacity=16 * MIB)
    for query, wanted in (
        ({"name": "a"}, ["a"]), ({"format": "^q"}, ["b"]), ({"capacity": str(16 * MIB)}, ["b"]), ({"nosuch": "x"}, []),
    ):  # fmt: skip
        assert [each["name"] for each in lab.client.get(VOLUMES, params=query).json()] == wanted


def test_writes_are_refused_where_the_api_does_not_write(lab: LiveApi) -> None:
    make(lab, "data")
    lab.serving.changes._writer = None
    for method, path in (("POST", ""), ("DELETE", "/data"), ("POST", "/data/wipe"), ("POST", "/data/clone")):
        answer = lab.client.request(method, VOLUMES + path, json={"name": "x", "capacity": MIB})
        assert answer.status_code == 403, answer.text
    assert lab.client.get(f"{VOLUMES}/data").status_code == 200
