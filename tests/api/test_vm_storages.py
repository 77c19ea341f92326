"""/vms/{name}/storages on the test driver: drives that machines have, get and lose."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import libvirt
import pytest

from tests.api.live import LiveApi, live_api
from tests.api.parts import FOLDER, POOL, declare, define, disk_xml, document, pool
from tests.lab.repositories import Repository
from tests.stories.hosts import hand

__all__ = ["hand", "pool"]

pytestmark = pytest.mark.usefixtures("pool")


def storages(api: LiveApi, name: str = "byhand", **query: str) -> dict[str, Any]:
    return {each["dev"]: each for each in api.client.get(f"/vms/{name}/storages", params=query).json()}


def attach(api: LiveApi, name: str = "byhand", **body: str) -> httpx.Response:
    return api.client.post(f"/vms/{name}/storages", json=body)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"].partition(":")[0]


@pytest.fixture
def byhand(api: LiveApi, hand: libvirt.virConnect) -> LiveApi:
    """A machine that the repository doesn't know: two disks and two drives."""
    define(hand, devices=disk_xml(f"{FOLDER}/root.qcow2", "vda") + disk_xml(f"{FOLDER}/data.qcow2", "vdb")
           + disk_xml(f"{FOLDER}/debian.iso", "sda", "raw", "sata", "cdrom")
           + disk_xml("", "sdb", "raw", "sata", "cdrom"))  # fmt: skip
    api.serving.operations.look_again(None)
    return api


def test_what_a_machine_has_is_listed(byhand: LiveApi) -> None:
    found = storages(byhand)
    assert found["vda"] == {
        "dev": "vda", "type": "disk", "path": "/lab/root.qcow2", "format": "qcow2", "bus": "virtio",
        "actions": [],
    }  # fmt: skip
    assert found["sda"] == {
        "dev": "sda", "type": "cdrom", "path": "/lab/debian.iso", "format": "raw", "bus": "sata", "actions": [],
    }  # fmt: skip
    assert found["sdb"]["path"] == ""
    assert byhand.client.get("/vms/byhand/storages/vda").json() == found["vda"]
    assert set(storages(byhand, type="cdrom")) == {"sda", "sdb"}
    assert code(byhand.client.get("/vms/byhand/storages/vdz")) == (404, "KCHVMSTOR0007E")


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_machine_that_is_not_there_is_not_found(api: LiveApi, method: str) -> None:
    more = {"json": {"type": "disk", "pool": POOL, "vol": "spare.qcow2"}} if method == "post" else {}
    assert code(getattr(api.client, method)("/vms/nobody/storages", **more)) == (404, "KCHVM0002E")


def test_the_address_of_a_medium_has_its_port(api: LiveApi, hand: libvirt.virConnect) -> None:
    drive = (
        "<disk type='network' device='cdrom'><driver name='qemu' type='raw'/><source protocol='https' name='a b.iso'>"
        "<host name='example.org'/></source><target dev='sda' bus='sata'/></disk>"
    )
    define(hand, devices=drive)
    api.serving.operations.look_again(None)
    assert storages(api)["sda"]["path"] == "https://example.org:443/a%20b.iso"


def test_attaching_adopts_the_machine_in_one_commit(byhand: LiveApi, hand: libvirt.virConnect) -> None:
    made = attach(byhand, type="disk", pool=POOL, vol="spare.qcow2")
    assert made.status_code == 201, made.text
    assert made.json() == {
        "dev": "vdc", "type": "disk", "path": "/lab/spare.qcow2", "format": "qcow2", "bus": "virtio",
        "actions": [],
    }  # fmt: skip
    assert "/lab/spare.qcow2" in hand.lookupByName("byhand").XMLDesc()
    assert byhand.log()[0] == "Attach the disk lab/spare.qcow2 to machine byhand"
    assert document(byhand, "byhand")["spec"]["disks"] == [
        {"volume": "lab/root.qcow2"}, {"volume": "lab/data.qcow2"}, {"volume": "lab/spare.qcow2", "target": "vdc"},
    ]  # fmt: skip
    assert set(storages(byhand)) == {"vda", "vdb", "vdc", "sda", "sdb"}


def test_detaching_the_first_disk_of_a_machine_that_git_does_not_know(
    byhand: LiveApi, hand: libvirt.virConnect, pool: libvirt.virStoragePool
) -> None:
    assert byhand.client.delete("/vms/byhand/storages/vda").status_code == 204
    assert set(storages(byhand)) == {"vdb", "sda", "sdb"}
    assert "root.qcow2" not in hand.lookupByName("byhand").XMLDesc()
    assert "root.qcow2" in pool.listVolumes()
    assert document(byhand, "byhand")["spec"]["disks"] == [{"volume": "lab/data.qcow2"}]
    assert byhand.client.delete("/vms/byhand/storages/vda").status_code == 404


def test_the_drive_that_is_meant_goes_and_the_other_stays(byhand: LiveApi) -> None:
    assert byhand.client.delete("/vms/byhand/storages/sda").status_code == 204
    assert set(storages(byhand)) == {"vda", "vdb", "sdb"}
    assert storages(byhand)["sdb"]["path"] == ""


def test_a_medium_is_changed_and_ejected_by_commits(byhand: LiveApi) -> None:
    changed = byhand.client.put("/vms/byhand/storages/sda", json={"path": "/lab/fedora.iso"})
    assert (changed.status_code, changed.json()["path"]) == (200, "/lab/fedora.iso")
    put = byhand.client.put("/vms/byhand/storages/sdb", json={"path": "http://example.org/x.iso"})
    assert put.json()["path"] == "http://example.org:80/x.iso"
    assert byhand.client.put("/vms/byhand/storages/sda", json={"path": ""}).json()["path"] == ""
    assert byhand.client.put("/vms/byhand/storages/sda", json={"path": ""}).status_code == 200
    assert document(byhand, "byhand")["spec"]["cdroms"] == [
        {"target": "sda", "address": "drive 0:0:0:0"},
        {"url": "http://example.org/x.iso", "target": "sdb", "address": "drive 0:0:0:1"},
    ]
    assert byhand.log()[:3] == [
        "Eject the medium in sda of machine byhand", "Change the medium in sdb of machine byhand",
        "Change the medium in sda of machine byhand",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dev", "body", "expected"),
    [
        ("vda", {"path": "/lab/debian.iso"}, "KCHVMSTOR0006E"),
        ("sda", {"path": "/lab/none.iso"}, "KCHVMSTOR0003E"),
        ("sda", {"path": "/etc/passwd"}, "KCHVMSTOR0003E"),
        ("sda", {"path": "/lab/../etc/passwd"}, "KCHVMSTOR0003E"),
        ("sda", {"path": "relative.iso"}, "KCHVMSTOR0003E"),
        ("sda", {"path": "tftp://example.org/a.iso"}, "KCHVMSTOR0003E"),
        ("sda", {"path": "http://root:secret@example.org/a.iso"}, "KCHVMSTOR0003E"),
        ("sda", {"path": "http://[::1/a.iso"}, "KCHVMSTOR0003E"),
        ("sda", {"path": "http://a/%00.iso"}, "KCHVMSTOR0003E"),
        ("sda", {"path": "http://a:99999/a.iso"}, "KCHVMSTOR0003E"),
        ("sda", {"path": 5}, "KCHVMSTOR0003E"),
        ("sda", {}, "KCHVMSTOR0013E"),
        ("sda", {"path": "", "bus": "ide"}, "KCHVMSTOR0013E"),
    ],
)
def test_a_refused_change_leaves_the_drive_and_the_repository(
    byhand: LiveApi, dev: str, body: dict[str, Any], expected: str
) -> None:
    before, log = storages(byhand), byhand.log()
    assert code(byhand.client.put(f"/vms/byhand/storages/{dev}", json=body)) == (400, expected)
    assert (storages(byhand), byhand.log()) == (before, log)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "KCHVMSTOR0012E"),
        ({"type": "diskette", "path": "/lab/debian.iso"}, "KCHVMSTOR0002E"),
        ({"type": "cdrom"}, "KCHVMSTOR0017E"),
        ({"type": "cdrom", "pool": POOL}, "KCHVMSTOR0017E"),
        ({"type": "cdrom", "pool": POOL, "vol": "debian.iso", "path": "/lab/debian.iso"}, "KCHVMSTOR0017E"),
        ({"type": "disk", "pool": "nopool", "vol": "spare.qcow2"}, "KCHVMSTOR0015E"),
        ({"type": "disk", "pool": POOL, "vol": "novol"}, "KCHVMSTOR0015E"),
        ({"type": "disk", "pool": POOL, "vol": "../lab/spare.qcow2"}, "KCHVMSTOR0015E"),
        ({"type": "disk", "pool": POOL, "vol": "root.qcow2"}, "KCHVMSTOR0016E"),
        ({"type": "disk", "pool": POOL, "vol": "fedora.iso"}, "KCHVMSTOR0018E"),
        ({"type": "cdrom", "pool": POOL, "vol": "spare.qcow2"}, "KCHVMSTOR0018E"),
        ({"type": "cdrom", "path": "/lab/nothing.iso"}, "KCHVMSTOR0003E"),
        ({"type": "cdrom", "path": "/lab/spare.qcow2"}, "KCHVMSTOR0018E"),
        ({"type": "disk", "path": "/lab/fedora.iso"}, "KCHVMSTOR0018E"),
        ({"type": "cdrom", "path": "/nowhere/nothing.iso"}, "KCHVMSTOR0003E"),
        ({"type": "disk", "path": "/etc/shadow"}, "KCHVMSTOR0003E"),
        ({"type": "disk", "path": "http://example.org/disk"}, "KCHVMSTOR0003E"),
        ({"type": "cdrom", "path": "http://a/%00.iso"}, "KCHVMSTOR0003E"),
        ({"type": "cdrom", "path": "http://a:99999/b.iso"}, "KCHVMSTOR0003E"),
        ({"type": "cdrom", "path": "http://[bad/b.iso"}, "KCHVMSTOR0003E"),
        ({"type": "disk", "path": "/lab/root.qcow2"}, "KCHVMSTOR0016E"),
    ],
)
def test_what_cannot_be_attached_is_refused_with_kimchis_code(
    byhand: LiveApi, body: dict[str, str], expected: str
) -> None:
    log = byhand.log()
    assert code(attach(byhand, **body)) == (400, expected)
    assert byhand.log() == log


def test_who_uses_a_volume_is_told(byhand: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, "other")
    byhand.serving.operations.look_again(None)
    refused = attach(byhand, "other", type="disk", pool=POOL, vol="data.qcow2")
    assert code(refused) == (400, "KCHVMSTOR0016E")
    assert "byhand" in refused.json()["reason"]


def test_an_iso_image_can_be_in_the_drives_of_two_machines(byhand: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, "other")
    byhand.serving.operations.look_again(None)
    made = attach(byhand, "other", type="cdrom", path="/lab/debian.iso")
    assert (made.status_code, made.json()["dev"], made.json()["bus"]) == (201, "sda", "sata")


def test_ide_has_room_for_four_drives(api: LiveApi, hand: libvirt.virConnect) -> None:
    drives = "".join(disk_xml("", f"hd{letter}", "raw", "ide", "cdrom") for letter in "abc")
    define(hand, devices=drives)
    api.serving.operations.look_again(None)
    made = attach(api, type="cdrom", path="/lab/debian.iso")
    assert (made.status_code, made.json()["dev"], made.json()["bus"]) == (201, "hdd", "ide")
    assert code(attach(api, type="cdrom", path="/lab/fedora.iso")) == (400, "KCHVMSTOR0014E")


def test_what_does_not_come_and_go_while_a_machine_runs(api: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, devices=disk_xml("", "hda", "raw", "ide", "cdrom"), start=True)
    api.serving.operations.look_again(None)
    assert code(attach(api, type="cdrom", path="/lab/debian.iso")) == (400, "KCHVMSTOR0011E")
    assert code(api.client.delete("/vms/byhand/storages/hda")) == (400, "KCHVMSTOR0011E")


def test_a_connection_without_hot_plug_says_so(api: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, start=True)
    api.serving.operations.look_again(None)
    log = api.log()
    refused = attach(api, type="disk", pool=POOL, vol="spare.qcow2")
    assert refused.status_code == 501
    assert "shut byhand down first" in refused.json()["reason"]
    assert api.log() == log


HAND_WRITTEN = """\
  # the shop's database
  runStrategy: Halted
  disks:
    - size: 1MiB        # the system
      pool: lab
      name: system
    - volume: lab/data.qcow2   # orders
  cdroms:
    - {}   # for rescue
"""


def test_comments_of_a_hand_written_document_survive(api: LiveApi) -> None:
    declare(api, "shop", HAND_WRITTEN)
    assert attach(api, "shop", type="disk", pool=POOL, vol="spare.qcow2").json()["dev"] == "vdc"
    assert api.client.put("/vms/shop/storages/sda", json={"path": "/lab/debian.iso"}).status_code == 200
    text = api.text("vms/shop.yaml")
    for comment in ("# the shop's database", "# the system", "# orders"):
        assert comment in text
    assert document(api, "shop")["spec"]["cdroms"] == [{"volume": "lab/debian.iso"}]


def test_a_new_volume_of_a_document_stays_when_its_disk_is_detached(api: LiveApi, pool: libvirt.virStoragePool) -> None:
    declare(api, "shop", HAND_WRITTEN + "  deletionPolicy: Delete\n")
    assert set(storages(api, "shop")) == {"vda", "vdb", "sda"}
    assert api.client.delete("/vms/shop/storages/vda").status_code == 204
    assert set(storages(api, "shop")) == {"vdb", "sda"}
    api.serving.operations.look_again(None)
    assert "shop-system.qcow2" in pool.listVolumes()
    assert attach(api, "shop", type="disk", pool=POOL, vol="shop-system.qcow2").json()["dev"] == "vda"


def test_a_disk_whose_entry_was_renamed_is_detached_with_its_entry(
    api: LiveApi, hand: libvirt.virConnect, pool: libvirt.virStoragePool
) -> None:
    declare(api, "shop", HAND_WRITTEN)
    declare(api, "shop", HAND_WRITTEN.replace("name: system", "name: first"))
    volumes = sorted(pool.listVolumes())
    assert storages(api, "shop")["vda"]["path"] == f"{FOLDER}/shop-system.qcow2"
    assert api.client.delete("/vms/shop/storages/vda").status_code == 204
    assert set(storages(api, "shop")) == {"vdb", "sda"}
    assert [disk.get("name") for disk in document(api, "shop")["spec"]["disks"]] == [None]
    api.serving.operations.look_again(None)
    assert sorted(pool.listVolumes()) == volumes, "nothing new was made in its place"


def test_a_disk_that_waits_for_a_person_since_a_commit_holds_up_no_client_and_goes_by_an_order(api: LiveApi) -> None:
    declare(api, "shop", HAND_WRITTEN)
    kept = HAND_WRITTEN[: HAND_WRITTEN.index("    - size")] + HAND_WRITTEN[HAND_WRITTEN.index("    - volume") :]
    declare(api, "shop", kept)
    assert set(storages(api, "shop")) == {"vda", "vdb", "sda"}, "it waits"
    assert api.client.put("/vms/shop", json={"memory": 512}).status_code == 200
    assert api.client.delete("/vms/shop/storages/vda").status_code == 204
    assert set(storages(api, "shop")) == {"vdb", "sda"}


def test_a_disk_of_a_declared_machine_that_no_document_speaks_of_is_detached_by_an_operation(
    api: LiveApi, hand: libvirt.virConnect
) -> None:
    declare(api, "shop", HAND_WRITTEN)
    more = disk_xml(f"{FOLDER}/spare.qcow2", "vdk")
    hand.defineXML(hand.lookupByName("shop").XMLDesc().replace("</devices>", f"{more}</devices>"))
    api.serving.operations.look_again(None)
    log = api.log()
    assert api.client.delete("/vms/shop/storages/vdk").status_code == 204
    assert set(storages(api, "shop")) == {"vda", "vdb", "sda"}
    assert api.log() == log


def test_a_drive_that_comes_from_a_template_is_written_into_the_machines_document(api: LiveApi) -> None:
    template = (
        "apiVersion: onggi/v1\nkind: Template\nmetadata:\n  name: base\nspec:\n  cdrom: lab/debian.iso\n"
        "  disks:\n    - size: 1\n  storagePool: lab\n"
    )
    api.repository.commit({"templates/base.yaml": template})
    declare(api, "web", "  template: base\n  runStrategy: Halted\n")
    assert api.client.put("/vms/web/storages/sda", json={"path": "/lab/fedora.iso"}).json()["path"] == "/lab/fedora.iso"
    assert document(api, "web")["spec"] == {
        "template": "base", "runStrategy": "Halted", "cdroms": [{"volume": "lab/fedora.iso"}],
    }  # fmt: skip
    assert attach(api, "web", type="disk", pool=POOL, vol="spare.qcow2").json()["dev"] == "vdb"
    disks = document(api, "web")["spec"]["disks"]
    assert disks[0] == {"name": "disk0", "size": "1GiB", "pool": "lab"}
    assert api.client.delete("/vms/web/storages/vdb").status_code == 204


def test_the_drive_of_a_seed_belongs_to_cloud_init(api: LiveApi) -> None:
    declare(api, "seeded", "  runStrategy: Halted\n  cloudInit:\n    pool: lab\n    userData: '#cloud-config'\n")
    refused = api.client.delete("/vms/seeded/storages/sda")
    assert refused.status_code == 400
    assert "cloudInit" in refused.json()["reason"]


def test_a_file_in_an_allowed_folder_can_be_a_medium(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.iso").write_bytes(b"x")
    repository.commit({}, "Begin")
    define(hand)
    with live_api(repository, tmp_path / "state", allowed_folders=(str(folder),)) as api:
        made = attach(api, type="cdrom", path=f"{folder}/a.iso")
        assert (made.status_code, made.json()["path"]) == (201, f"{folder}/a.iso")
        assert code(attach(api, type="cdrom", path=f"{folder}/b.iso")) == (400, "KCHVMSTOR0003E")
        assert code(attach(api, type="cdrom", path=f"{folder}/../state")) == (400, "KCHVMSTOR0003E")


def test_two_machines_never_get_one_disk_at_once(byhand: LiveApi, hand: libvirt.virConnect) -> None:
    machines = [f"other{number}" for number in range(4)]
    for name in machines:
        define(hand, name)
    byhand.serving.operations.look_again(None)

    def ask(name: str) -> int:
        return attach(byhand, name, type="disk", pool=POOL, vol="spare.qcow2").status_code

    with ThreadPoolExecutor(len(machines)) as workers:
        answers = list(workers.map(ask, machines))
    assert sorted(answers) == [201, 400, 400, 400]
