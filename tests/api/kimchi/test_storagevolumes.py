"""/storagepools/*/storagevolumes in Kimchi's words: one life of one volume, every filter and documented error."""

from __future__ import annotations

from tests.api.kimchi.differences import VOLUME_DATA
from tests.api.kimchi.hosts import Host
from tests.api.kimchi.words import Kimchi
from tests.lab.waiting import until

VOLUMES = "/storagepools/default/storagevolumes"
MIB = 1 << 20


def test_one_life_of_one_volume(kimchi: Kimchi) -> None:
    ended = kimchi.task(VOLUMES, {"name": "v.img", "capacity": 4 * MIB, "format": "raw", "allocation": MIB})
    assert (ended["status"], ended["target_uri"]) == ("finished", f"{VOLUMES}/v.img")
    made = kimchi.read(f"{VOLUMES}/v.img")
    assert {key: made[key] for key in made.keys() - {"actions", "allocation"}} == {
        "name": "v.img", "type": "file", "capacity": 4 * MIB, "path": str(kimchi.folder / "pool/v.img"), "used_by": [],
        "format": "raw", "isvalid": True,
    }  # fmt: skip
    assert made["actions"] == ["clone", "resize", "wipe"]
    assert made in kimchi.read(VOLUMES)

    cloned = kimchi.task(f"{VOLUMES}/v.img/clone", {"name": "w.img"})
    assert (
        kimchi.read(cloned["target_uri"].removesuffix("/clone")).items() >= {"name": "w.img", "format": "raw"}.items()
    )
    assert kimchi.names(VOLUMES) == ["base.qcow2", "data.qcow2", "installer.iso", "v.img", "w.img"]
    assert kimchi.names(VOLUMES, format="raw") == ["v.img", "w.img"]
    assert kimchi.names(VOLUMES, name="^v", capacity=str(4 * MIB)) == ["v.img"]
    for name in ("v.img", "w.img"):
        assert kimchi.send("DELETE", f"{VOLUMES}/{name}").status_code == 204
    assert kimchi.refusal("GET", f"{VOLUMES}/v.img") == "404 KCHVOL0002E"


def test_what_is_in_a_volume_is_written_wiped_and_grows(kimchi: Kimchi, host: Host) -> None:
    expected, uri = host.expects(VOLUME_DATA), f"{VOLUMES}/up.img"
    pieces = [b"a" * MIB, b"b" * MIB]
    statuses = [
        kimchi.send("POST", VOLUMES, {"name": "up.img", "capacity": 2 * MIB, "format": "raw", "upload": True}),
        *(kimchi.api.client.put(uri, data={"chunk_size": str(MIB)}, files={"chunk": ("x", each)}) for each in pieces),
    ]
    assert [each.status_code for each in statuses] == expected["upload"]
    until(lambda: not kimchi.read("/tasks", status="running"), 60, "what was sent is in the volume")
    assert kimchi.names(VOLUMES, name="up.img") == expected["there"]

    kimchi.task(VOLUMES, {"name": "v.img", "capacity": MIB, "format": "raw"})
    grown = kimchi.send("POST", f"{VOLUMES}/v.img/resize", {"size": 2 * MIB})
    assert (grown.status_code, kimchi.read(f"{VOLUMES}/v.img")["capacity"]) == expected["resize"]
    assert kimchi.write("POST", f"{VOLUMES}/v.img/resize", {"size": expected["resize"][1]}), "it is that large"
    assert kimchi.send("POST", f"{VOLUMES}/v.img/wipe").status_code == expected["wipe"]


def test_an_image_tells_what_it_holds_and_who_uses_it(kimchi: Kimchi) -> None:
    iso = kimchi.read(f"{VOLUMES}/installer.iso")
    assert {"os_distro", "os_version", "isvalid", "has_permission"} <= set(iso)
    base = str(kimchi.folder / "pool/base.qcow2")
    kimchi.write("POST", "/templates", {"name": "t", "disks": [{"base": base}]}, 201)
    kimchi.task("/vms", {"name": "web", "template": "/templates/t"})
    (disk,) = [each for each in kimchi.read(VOLUMES) if each.get("base") == base]
    assert disk["used_by"] == ["web"]
    assert kimchi.send("DELETE", f"{VOLUMES}/{disk['name']}").status_code in (400, 409)
    assert kimchi.names(VOLUMES, used_by="web") == [*sorted(["base.qcow2", disk["name"]])]


def test_every_documented_error(kimchi: Kimchi) -> None:
    before = kimchi.names(VOLUMES)
    for body, code in (
        ({}, "KCHVOL0018E"), ({"name": "x"}, "KCHVOL0018E"),
        ({"name": "x", "capacity": 1, "url": "http://x.example/y"}, "KCHVOL0018E"), ({"capacity": MIB}, "KCHVOL0016E"),
        ({"name": 5, "capacity": MIB}, "KCHVOL0013E"), ({"name": "", "capacity": MIB}, "KCHVOL0016E"),
        ({"name": "x", "capacity": 0}, "KCHVOL0020E"),
        ({"name": "x", "capacity": MIB, "allocation": "y"}, "KCHVOL0014E"),
        ({"name": "x", "capacity": MIB, "upload": "y"}, "KCHVOL0025E"),
        ({"name": "x", "capacity": MIB, "format": "pdf"}, "KCHVOL0015E"), ({"url": "file:///x"}, "KCHVOL0021E"),
        ({"name": "data.qcow2", "capacity": MIB}, "KCHVOL0001E"),
    ):  # fmt: skip
        assert kimchi.refusal("POST", VOLUMES, body) == f"400 {code}", body
    data = f"{VOLUMES}/data.qcow2"
    for body, code in (({}, "KCHVOL0020E"), ({"size": "x"}, "KCHVOL0020E"), ({"size": MIB}, "KCHVOL0011E")):
        assert kimchi.refusal("POST", f"{data}/resize", body) == f"400 {code}", body
    assert kimchi.refusal("POST", f"{data}/clone", {"pool": "none"}) == "400 KCHPOOL0002E"
    for method, uri in (("GET", ""), ("DELETE", ""), ("POST", "/wipe"), ("POST", "/clone")):
        assert kimchi.refusal(method, f"{VOLUMES}/none{uri}") == "404 KCHVOL0002E", uri
    assert kimchi.send("POST", data, {}).status_code == 405
    assert kimchi.names(VOLUMES) == before
