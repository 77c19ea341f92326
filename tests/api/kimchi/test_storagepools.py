"""/storagepools in Kimchi's words: one life of one pool, every type's needs, every filter and documented error."""

from __future__ import annotations

from typing import Any

from tests.api.kimchi.differences import SOURCES_THAT_ARENT_THERE
from tests.api.kimchi.hosts import Host
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


def test_each_type_tells_its_source(kimchi: Kimchi, host: Host) -> None:
    refusals = host.expects(SOURCES_THAT_ARENT_THERE)
    sources: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
        "netfs": ("netfs", {"host": "127.0.0.1", "path": "/export"}, {"addr": "127.0.0.1", "path": "/export"}),
        "iscsi": (
            "iscsi", {"host": "127.0.0.1", "target": "iqn.2030-01.lab:disks", "port": 3261},
            {"addr": "127.0.0.1", "path": "iqn.2030-01.lab:disks", "port": "3261"},
        ),
        "scsi": ("scsi", {"adapter_name": "scsi_host2"}, {"adapter_type": "scsi_host", "adapter_name": "scsi_host2"}),
        "disks": ("logical", {"devices": ["/dev/sdx"]}, {}),
        "group": ("logical", {"from_vg": True}, {}),
    }  # fmt: skip
    for name, refusal in refusals.items():
        kind, source, _ = sources.pop(name)
        assert kimchi.refusal("POST", "/storagepools", {"name": name, "type": kind, "source": source}) == refusal
    for name, (kind, source, told) in sources.items():
        made = kimchi.write("POST", "/storagepools", {"name": name, "type": kind, "source": source}, 201)
        assert (made["type"], made["state"]) == (kind, "inactive") and made["source"].items() >= told.items(), made
        assert made["autostart"] is (kind != "iscsi")
        assert kind != "logical" or made["path"] == f"/dev/{name}"

    assert kimchi.names("/storagepools") == [*sorted(["default", "default-pool", *sources]), "kimchi_isos"]
    assert kimchi.names("/storagepools", type="logical") == sorted({"disks", "group"} & set(sources))
    assert kimchi.names("/storagepools", state="^active", type="dir") == ["default", "default-pool"]
    assert kimchi.names("/storagepools", autostart="false", state="inactive") == sorted({"iscsi"} & set(sources))


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
