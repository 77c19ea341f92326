"""/vms/*/storages in Kimchi's words: disks that come and go, media that change, and what no machine gets."""

from __future__ import annotations

from tests.api.kimchi.differences import HOT_PLUG
from tests.api.kimchi.hosts import Host
from tests.api.kimchi.words import Kimchi

STORAGES = "/vms/web/storages"


def test_one_life_of_a_machine_s_disks_and_media(web: Kimchi, host: Host) -> None:
    kimchi, pool, some = web, web.folder / "pool", str(web.folder / "isos/some.iso")
    first, drive = (kimchi.read(f"{STORAGES}/{dev}") for dev in ("vda", "sda"))
    assert sorted(each["dev"] for each in kimchi.read(STORAGES)) == ["sda", "vda"]
    assert (first["type"], first["format"], first["bus"]) == ("disk", "qcow2", "virtio")
    assert drive == {
        "dev": "sda", "type": "cdrom", "path": str(pool / "installer.iso"), "format": "raw", "bus": "sata",
        "actions": [],
    }  # fmt: skip

    data = {"type": "disk", "pool": "default", "vol": "data.qcow2"}
    added = kimchi.write("POST", STORAGES, data, 201)
    assert added == {
        "dev": "vdb", "type": "disk", "path": str(pool / "data.qcow2"), "format": "qcow2", "bus": "virtio",
        "actions": [],
    }  # fmt: skip
    assert kimchi.read(f"{STORAGES}/vdb") == added
    assert kimchi.read("/storagepools/default/storagevolumes/data.qcow2")["used_by"] == ["web"]
    assert kimchi.read(STORAGES, type="disk", dev="vdb") == kimchi.read(STORAGES, path="data.qcow2") == [added]
    assert kimchi.read(STORAGES, bus="sata", format="raw") == [drive]
    second = kimchi.write("POST", STORAGES, {"type": "cdrom", "path": some}, 201)
    assert (second["dev"], second["path"]) == ("sdb", some)
    for path in ("", some, drive["path"]):
        assert kimchi.write("PUT", f"{STORAGES}/sda", {"path": path})["path"] == path
        assert kimchi.read(f"{STORAGES}/sda")["path"] == path
    for dev in ("vdb", "sdb"):
        assert kimchi.send("DELETE", f"{STORAGES}/{dev}").status_code == 204
        assert kimchi.refusal("GET", f"{STORAGES}/{dev}") == "404 KCHVMSTOR0007E"
    assert kimchi.read("/storagepools/default/storagevolumes/data.qcow2")["used_by"] == [], "it is kept"

    kimchi.write("POST", "/vms/web/start")
    answers = [kimchi.send("POST", STORAGES, data), kimchi.send("PUT", f"{STORAGES}/sda", {"path": some})]
    assert [each.status_code for each in answers] == host.expects(HOT_PLUG)["storages"]
    kimchi.write("POST", "/vms/web/poweroff")


def test_every_documented_error(web: Kimchi) -> None:
    kimchi, isos = web, web.folder / "isos"
    before, some = kimchi.read(STORAGES), str(isos / "some.iso")
    root = kimchi.read(f"{STORAGES}/vda")["path"]
    for body, code in (
        ({}, "KCHVMSTOR0012E"), ({"type": "floppy", "path": some}, "KCHVMSTOR0002E"),
        ({"type": "cdrom"}, "KCHVMSTOR0017E"), ({"type": "cdrom", "pool": "default"}, "KCHVMSTOR0017E"),
        ({"type": "cdrom", "pool": "default", "vol": "installer.iso", "path": some}, "KCHVMSTOR0017E"),
        ({"type": "disk", "pool": "none", "vol": "data.qcow2"}, "KCHVMSTOR0015E"),
        ({"type": "disk", "pool": "default", "vol": "none"}, "KCHVMSTOR0015E"),
        ({"type": "disk", "pool": "default", "vol": "installer.iso"}, "KCHVMSTOR0018E"),
        ({"type": "cdrom", "pool": "default", "vol": "data.qcow2"}, "KCHVMSTOR0018E"),
        ({"type": "cdrom", "path": str(isos / "none.iso")}, "KCHVMSTOR0003E"),
        ({"type": "cdrom", "path": "some.iso"}, "KCHVMSTOR0003E"),
        ({"type": "disk", "path": "/etc/shadow"}, "KCHVMSTOR0003E"),
        ({"type": "disk", "path": root}, "KCHVMSTOR0016E"),
    ):  # fmt: skip
        assert kimchi.refusal("POST", STORAGES, body) == f"400 {code}", body
    for dev, body, code in (
        ("sda", {}, "KCHVMSTOR0013E"), ("sda", {"path": 5}, "KCHVMSTOR0003E"),
        ("sda", {"path": "", "bus": "ide"}, "KCHVMSTOR0013E"),
        ("sda", {"path": str(isos / "none.iso")}, "KCHVMSTOR0003E"), ("vda", {"path": some}, "KCHVMSTOR0006E"),
    ):  # fmt: skip
        assert kimchi.refusal("PUT", f"{STORAGES}/{dev}", body) == f"400 {code}", body
    for method in ("GET", "DELETE"):
        assert kimchi.refusal(method, f"{STORAGES}/vdz") == "404 KCHVMSTOR0007E"
    assert kimchi.refusal("PUT", f"{STORAGES}/vdz", {"path": some}) == "404 KCHVMSTOR0007E"
    assert kimchi.refusal("GET", "/vms/none/storages") == "404 KCHVM0002E"
    assert kimchi.send("POST", f"{STORAGES}/sda", {}).status_code == 405
    assert kimchi.read(STORAGES) == before
