"""/storagepools in Kimchi's words: one life of one pool, every type's needs, every filter and documented error."""

from __future__ import annotations

from typing import Any

from tests.api.kimchi.words import Kimchi

FIELDS = {
    "name", "state", "type", "capacity", "allocated", "available", "path", "source", "nr_volumes", "autostart",
    "persistent", "actions",
}  # fmt: skip


def test_one_life_of_one_pool(kimchi: Kimchi) -> None:
    body = {"name": "kīмсhī", "type": "dir", "path": str(kimchi.folder / "new")}
    made = kimchi.write("POST", "/storagepools", body, 201)
    assert set(made) == FIELDS
    assert made["actions"] == ["activate", "deactivate"]
    assert made.items() >= {
        "name": "kīмсhī", "state": "inactive", "type": "dir", "path": body["path"], "source": {}, "nr_volumes": 0,
        "autostart": True, "persistent": True,
    }.items()  # fmt: skip
    uri = "/storagepools/kīмсhī"
    assert kimchi.read(uri) == made
    assert kimchi.refusal("GET", f"{uri}/storagevolumes") == "400 KCHVOL0006E"
    for autostart in (False, True):
        assert kimchi.write("PUT", uri, {"autostart": autostart})["autostart"] is autostart
    assert kimchi.write("POST", f"{uri}/activate")["state"] == "active"
    assert kimchi.write("PUT", uri, {"autostart": False})["autostart"] is False, "also while it is active"
    assert kimchi.read(f"{uri}/storagevolumes") == []
    assert kimchi.refusal("DELETE", uri) == "400 KCHPOOL0005E"
    assert kimchi.write("POST", f"{uri}/deactivate")["state"] == "inactive"
    assert kimchi.send("DELETE", uri).status_code == 204
    assert kimchi.refusal("GET", uri) == "404 KCHPOOL0002E"


def test_each_type_tells_its_source(kimchi: Kimchi) -> None:
    sources: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "netfs": ({"host": "127.0.0.1", "path": "/export"}, {"addr": "127.0.0.1", "path": "/export"}),
        "iscsi": (
            {"host": "127.0.0.1", "target": "iqn.2030-01.lab:disks", "port": 3261},
            {"addr": "127.0.0.1", "path": "iqn.2030-01.lab:disks", "port": "3261"},
        ),
        "scsi": ({"adapter_name": "scsi_host2"}, {"adapter_type": "scsi_host", "adapter_name": "scsi_host2"}),
        "logical": ({"devices": ["/dev/sdx"]}, {}),
    }
    for kind, (source, told) in sources.items():
        made = kimchi.write("POST", "/storagepools", {"name": kind, "type": kind, "source": source}, 201)
        assert made["type"] == kind and made["source"].items() >= told.items(), made
        assert made["autostart"] is (kind != "iscsi")
    group = kimchi.write("POST", "/storagepools", {"name": "vg", "type": "logical", "source": {"from_vg": True}}, 201)
    assert (group["path"], group["state"]) == ("/dev/vg", "inactive")

    assert kimchi.names("/storagepools")[-1] == "kimchi_isos"
    assert kimchi.names("/storagepools", type="logical") == ["logical", "vg"]
    assert kimchi.names("/storagepools", state="^active", type="dir") == ["default", "default-pool"]
    assert kimchi.names("/storagepools", autostart="false", state="inactive") == ["iscsi"]


def test_all_iso_images_are_in_the_reserved_pool(kimchi: Kimchi) -> None:
    assert kimchi.read("/storagepools/kimchi_isos").items() >= {"type": "kimchi-iso", "state": "active"}.items()
    (iso,) = kimchi.read("/storagepools/kimchi_isos/storagevolumes")
    assert (iso["name"], iso["format"]) == ("installer.iso", "iso")
    for method, uri in (
        ("PUT", "/storagepools/kimchi_isos"), ("DELETE", "/storagepools/kimchi_isos"),
        ("POST", "/storagepools/kimchi_isos/activate"), ("POST", "/storagepools/kimchi_isos/deactivate"),
        ("POST", "/storagepools/kimchi_isos/storagevolumes"),
    ):  # fmt: skip
        assert kimchi.send(method, uri, {}).status_code == 405, uri


def test_every_documented_error(kimchi: Kimchi) -> None:
    before = kimchi.read("/storagepools")
    for body, code in (
        ({}, "KCHPOOL0026E"), ({"name": "x"}, "KCHPOOL0026E"), ({"name": "", "type": "dir"}, "KCHPOOL0016E"),
        ({"name": "a/b", "type": "dir"}, "KCHPOOL0016E"), ({"name": "x", "type": "dirx"}, "KCHPOOL0017E"),
        ({"name": "x", "type": "dir", "path": 5}, "KCHPOOL0018E"), ({"name": "x", "type": "dir"}, "KCHPOOL0004E"),
        ({"name": "x", "type": "netfs", "source": {"host": 5}}, "KCHPOOL0019E"),
        ({"name": "x", "type": "netfs", "source": {"host": "h"}}, "KCHPOOL0004E"),
        ({"name": "x", "type": "logical", "source": {"devices": []}}, "KCHPOOL0021E"),
        ({"name": "x", "type": "logical", "source": {}}, "KCHPOOL0004E"),
        ({"name": "x", "type": "iscsi", "source": {"host": "h", "target": 5}}, "KCHPOOL0022E"),
        ({"name": "x", "type": "iscsi", "source": {"host": "h", "target": "t", "port": 0}}, "KCHPOOL0023E"),
        ({"name": "x", "type": "iscsi", "source": {"host": "h"}}, "KCHPOOL0004E"),
        ({"name": "x", "type": "scsi", "source": {}}, "KCHPOOL0004E"),
        ({"name": "kimchi_isos", "type": "dir", "path": "/x"}, "KCHPOOL0031E"),
        ({"name": "default", "type": "dir", "path": "/x"}, "KCHPOOL0001E"),
    ):  # fmt: skip
        assert kimchi.refusal("POST", "/storagepools", body) == f"400 {code}", body
    for body, code in (({"autostart": "yes"}, "KCHPOOL0027E"), ({"name": "x"}, "KCHPOOL0027E"),
                       ({"disks": ["/dev/sdx"]}, "KCHPOOL0029E")):  # fmt: skip
        assert kimchi.refusal("PUT", "/storagepools/default", body) == f"400 {code}", body
    kimchi.write("POST", "/templates", {"name": "t", "netboot": True}, 201)
    assert kimchi.refusal("POST", "/storagepools/default/deactivate") == "400 KCHPOOL0034E"
    for method, uri in (
        ("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/activate"), ("POST", "/deactivate"),
        ("GET", "/storagevolumes"),
    ):  # fmt: skip
        body = {} if method == "PUT" else None
        assert kimchi.refusal(method, f"/storagepools/none{uri}", body) == "404 KCHPOOL0002E", uri
    assert kimchi.read("/storagepools") == before
