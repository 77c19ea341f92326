"""/templates in Kimchi's words: one life of one template, what it can't be, and what it can't be used for."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest

from api.vms.processors import most_processors
from tests.api.kimchi.hosts import LUNS
from tests.api.kimchi.words import Kimchi

GROUP = (
    "<pool type='logical'><name>group</name><source><name>group</name></source>"
    "<target><path>/dev/group</path></target></pool>"
)


def make(kimchi: Kimchi, name: str = "small", **fields: Any) -> dict[str, Any]:
    body = {"name": name, "cdrom": str(kimchi.folder / "isos/some.iso"), **fields}
    made = kimchi.write("POST", "/templates", body, 201)
    assert kimchi.read(f"/templates/{name}") == made
    return made


def test_one_life_of_one_template(kimchi: Kimchi) -> None:
    iso, base = str(kimchi.folder / "isos/some.iso"), str(kimchi.folder / "pool/base.qcow2")
    made = make(kimchi)
    assert {key: made[key] for key in made.keys() - {"actions"}} == {
        "name": "small", "icon": made["icon"], "folder": [], "os_distro": "unknown", "os_version": "unknown", "cpus": 1,
        "memory": 1024, "max_memory": 1024, "cdrom": iso, "storagepool": "/storagepools/default",
        "networks": ["default"], "disks": [{"index": 0, "size": 10, "format": "qcow2"}],
        "graphics": {"type": "vnc", "listen": "127.0.0.1"},
        "cpu_info": {}, "netboot": False, "invalid": {},
    }  # fmt: skip

    changes: list[dict[str, Any]] = [
        {"folder": ["Linux", "Servers"]}, {"icon": "images/icon-debian.png"}, {"os_distro": "debian"},
        {"os_version": "12"}, {"memory": 256}, {"storagepool": "/storagepools/default-pool"},
        {"cpus": 4, "cpu_info": {"topology": {"sockets": 1, "cores": 2, "threads": 2}}}, {"networks": []},
        {"storagepool": "/storagepools/default"}, {"networks": ["default", "default"]},
        {"disks": [{"index": 0, "size": 3, "format": "qcow2", "base": base}, {"index": 4, "size": 7, "format": "raw"}]},
        {"graphics": {"type": "spice", "listen": "::1"}}, {"graphics": {"type": None, "listen": None}},
    ]  # fmt: skip
    for change in changes:
        assert kimchi.write("PUT", "/templates/small", change).items() >= change.items()
        assert kimchi.read("/templates/small").items() >= change.items()
    back = {key: value for key, value in kimchi.read("/templates/small").items() if key not in ("invalid", "actions")}
    assert kimchi.write("PUT", "/templates/small", back).items() >= back.items(), "what is read may be sent back"

    clone = kimchi.send("POST", "/templates/small/clone")
    assert (clone.status_code, clone.headers["Location"]) == (303, f"{kimchi.api.url}/templates/small-clone1")
    assert kimchi.read("/templates/small-clone1") == {**kimchi.read("/templates/small"), "name": "small-clone1"}
    assert kimchi.names("/templates") == ["small", "small-clone1"]
    assert kimchi.names("/templates", name="clone") == ["small-clone1"]
    assert kimchi.names("/templates", os_distro="debian", name="^small$") == ["small"]
    assert kimchi.names("/templates", memory="1") == []

    renamed = kimchi.send("PUT", "/templates/small", {"name": "kīмсhī"})
    assert (renamed.status_code, kimchi.send("GET", "/templates/small").status_code) == (303, 404)
    assert kimchi.read(renamed.headers["Location"])["name"] == "kīмсhī"
    for name in kimchi.names("/templates"):
        assert kimchi.send("DELETE", f"/templates/{name}").status_code == 204
    assert kimchi.read("/templates") == []


def test_every_documented_error(kimchi: Kimchi, hand: libvirt.virConnect) -> None:
    for xml in (LUNS, GROUP):
        hand.storagePoolDefineXML(xml)
    kimchi.api.serving.operations.look_again(None)
    make(kimchi)
    base = str(kimchi.folder / "pool/base.qcow2")
    before = kimchi.read("/templates/small")
    for body, code in (
        ({"name": " x"}, "KCHTMPL0008E"), ({"icon": "x.png"}, "KCHTMPL0009E"), ({"os_distro": ""}, "KCHTMPL0010E"),
        ({"os_version": ""}, "KCHTMPL0011E"), ({"cpus": 0}, "KCHTMPL0012E"), ({"memory": 15}, "KCHTMPL0013E"),
        ({"cdrom": ""}, "KCHTMPL0014E"), ({"cdrom": "none.iso"}, "KCHTMPL0014E"),
        ({"cdrom": "luns/installer.iso"}, "KCHTMPL0014E"), ({"cdrom": "data.qcow2"}, "KCHTMPL0014E"),
        ({"storagepool": "default"}, "KCHTMPL0015E"), ({"storagepool": "/storagepools/none"}, "KCHTMPL0004E"),
        ({"storagepool": "/storagepools/luns"}, "KCHTMPL0018E"), ({"disks": [{"volume": "none"}]}, "KCHTMPL0019E"),
        ({"networks": ["none"]}, "KCHTMPL0003E"), ({"networks": 1}, "KCHTMPL0017E"), ({"disks": []}, "KCHTMPL0022E"),
        ({"disks": [{"index": 0}]}, "KCHTMPL0022E"), ({"disks": [{"size": 0}]}, "KCHTMPL0022E"),
        ({"disks": [{"size": 2, "base": base}]}, "KCHTMPL0022E"),
        ({"disks": [{"size": 3, "base": base, "format": "raw"}]}, "KCHTMPL0023E"),
        ({"disks": [{"size": 3, "base": base}], "storagepool": "/storagepools/group"}, "KCHTMPL0023E"),
        ({"disks": [{"size": 1, "base": "/none.qcow2"}]}, "KCHTMPL0023E"),
        ({"disks": [{"size": 1, "format": "iso"}]}, "KCHTMPL0027E"), ({"graphics": {"type": "rdp"}}, "KCHVM0014E"),
        ({"graphics": {"listen": "here"}}, "KCHVM0015E"), ({"cpu_info": {"topology": {"cores": 1}}}, "KCHTMPL0026E"),
        ({"bogus": 1}, "KCHAPI0001E"), ([], "KCHAPI0001E"),
    ):  # fmt: skip
        assert kimchi.refusal("PUT", "/templates/small", body) == f"400 {code}", body
        if isinstance(body, dict):
            whole = {"name": "other", "cdrom": before["cdrom"], **body}
            assert kimchi.refusal("POST", "/templates", whole) == f"400 {code}", body
    assert kimchi.refusal("POST", "/templates", {"name": "x"}) == "400 KCHTMPL0016E"
    assert kimchi.refusal("POST", "/templates", {"name": "small", "cdrom": before["cdrom"]}) == "400 KCHTMPL0001E"
    topology = {"topology": {"sockets": 1, "cores": 2, "threads": 1}}
    assert kimchi.refusal("PUT", "/templates/small", {"cpus": 3, "cpu_info": topology}) == "400 KCHTMPL0025E"
    wrong = {"name": "x", "cdrom": before["cdrom"], "cpus": 3, "cpu_info": topology}
    assert kimchi.refusal("POST", "/templates", wrong) == "400 KCHCPUINF0002E"
    for method in ("GET", "PUT", "DELETE"):
        assert kimchi.refusal(method, "/templates/none", {} if method == "PUT" else None) == "404 KCHOBJST0001E"
    assert kimchi.refusal("POST", "/templates/none/clone") == "404 KCHOBJST0001E"
    assert kimchi.send("POST", "/templates/small/bogus").status_code == 404
    assert kimchi.send("POST", "/templates/small", {}).status_code == 405
    assert (kimchi.read("/templates"), kimchi.names("/vms")) == ([before], ["test"])


def test_no_machine_has_more_processors_than_the_hypervisor_s_machines_can(
    kimchi: Kimchi, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(kimchi, cpus=8)
    monkeypatch.setattr("api.vms.processors.most_processors", lambda _capabilities: 4)
    many = {"topology": {"sockets": 1, "cores": 3, "threads": 2}}
    for body in ({"cpus": 5}, {"cpus": 6, "cpu_info": many}):
        assert kimchi.refusal("PUT", "/templates/small", body) == "400 KCHCPUINF0001E"
    assert kimchi.refusal("POST", "/vms", {"template": "/templates/small"}) == "400 KCHCPUINF0001E"
    assert kimchi.refusal("PUT", "/vms/test", {"cpus": 5}) == "400 KCHCPUINF0001E"
    assert kimchi.write("PUT", "/templates/small", {"cpus": 4})["cpus"] == 4


def test_how_many_those_are_is_the_most_that_any_type_of_the_host_s_architecture_takes() -> None:
    machines = {"x86_64": "<machine maxCpus='255'>pc</machine><machine maxCpus='288'>q35</machine>"}
    machines["ppc64"] = "<machine maxCpus='1024'>pseries</machine>"
    guests = "".join(f"<guest><arch name='{name}'>{each}</arch></guest>" for name, each in machines.items())
    assert most_processors(f"<capabilities><host><cpu><arch>x86_64</arch></cpu></host>{guests}</capabilities>") == 288
    assert most_processors("<capabilities><guest><arch name='i686'/></guest></capabilities>") is None
    assert most_processors("") is None


@pytest.mark.parametrize("written", ["installer.iso", "default/installer.iso"])
def test_a_cdrom_may_be_given_as_the_name_of_a_volume(kimchi: Kimchi, written: str) -> None:
    path = str(kimchi.folder / "pool/installer.iso")
    assert make(kimchi, cdrom=written, storagepool="/storagepools/default-pool")["cdrom"] == path
    kimchi.task("/vms", {"name": "web", "template": "/templates/small"})
    (drive,) = kimchi.read("/vms/web/storages", type="cdrom")
    assert drive["path"] == path
    kimchi.send("DELETE", "/vms/web")


def test_a_template_without_a_console_makes_machines_without_one(kimchi: Kimchi) -> None:
    make(kimchi, graphics={"type": None})
    kimchi.task("/vms", {"name": "dark", "template": "/templates/small"})
    assert kimchi.read("/vms/dark")["graphics"] == {
        "type": None, "listen": None, "port": None, "passwd": None, "passwdValidTo": None,
    }  # fmt: skip
    kimchi.task("/vms", {"name": "lit", "template": "/templates/small", "graphics": {"type": "spice"}})
    assert kimchi.read("/vms/lit")["graphics"]["type"] == "spice"
    for name in ("dark", "lit"):
        kimchi.send("DELETE", f"/vms/{name}")


def test_what_no_machine_can_have_is_told_before_one_is_asked_for(kimchi: Kimchi, hand: libvirt.virConnect) -> None:
    """Every format that clients know is taken, as the original does, and a volume that is in use may be free later."""
    for number, form in enumerate(("bochs", "cloop", "cow", "dmg", "qcow", "qed", "vmdk", "vpc")):
        made = make(kimchi, f"of-{form}", disks=[{"index": number, "size": 1, "format": form}])
        assert made["disks"] == [{"index": number, "size": 1, "format": form}]
        (told,) = made["invalid"]["disks"]
        assert told.startswith(f"disk{number}: ") and form in told
        assert kimchi.refusal("POST", "/vms", {"template": f"/templates/of-{form}"}) == "400 KCHTMPL0027E"
    make(kimchi, "of-data", disks=[{"volume": "data.qcow2"}])
    kimchi.task("/vms", {"name": "web", "template": "/templates/of-data"})
    (told,) = kimchi.read("/templates/of-data")["invalid"]["disks"]
    assert told.startswith("default/data.qcow2: ") and "web" in told
    assert kimchi.refusal("POST", "/vms", {"template": "/templates/of-data"}) == "400 KCHVMSTOR0016E"
    hand.storagePoolDefineXML(LUNS)
    kimchi.api.serving.operations.look_again(None)
    make(kimchi)
    elsewhere = {"template": "/templates/small", "storagepool": "/storagepools/luns"}
    assert kimchi.refusal("POST", "/vms", elsewhere) == "400 KCHTMPL0018E"
    assert kimchi.names("/vms") == ["test", "web"]
    assert kimchi.send("DELETE", "/vms/web").status_code == 204
    assert kimchi.read("/templates/of-data")["invalid"] == {}


def test_a_machine_of_an_unknown_system_has_what_new_systems_have(kimchi: Kimchi) -> None:
    make(kimchi)
    make(kimchi, "old", os_distro="debian", os_version="5.0")
    for name in ("small", "old"):
        kimchi.task("/vms", {"name": name, "template": f"/templates/{name}"})
    buses = {name: kimchi.read(f"/vms/{name}/storages", type="disk")[0]["bus"] for name in ("small", "old")}
    models = {name: kimchi.read(f"/vms/{name}/ifaces")[0]["model"] for name in ("small", "old")}
    assert (buses, models["old"]) == ({"small": "virtio", "old": "ide"}, "e1000")
    assert models["small"] == "virtio"
    for name in ("small", "old"):
        kimchi.send("DELETE", f"/vms/{name}")
