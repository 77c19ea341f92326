"""/templates on the test driver: what clients do becomes documents that a person would have written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest
import yaml

from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository
from tests.lab.waiting import until

POOL = """
<pool type='dir'><name>default</name><target><path>{path}</path></target></pool>
"""
VOLUME = """
<volume><name>{name}</name><capacity unit='GiB'>{size}</capacity><target><format type='{format}'/></target></volume>
"""


@pytest.fixture
def isos(tmp_path: Path) -> Path:
    folder = tmp_path / "isos"
    folder.mkdir()
    (folder / "some.iso").write_bytes(bytes(2048 * 20))
    return folder


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path, isos: Path) -> Iterator[LiveApi]:
    """With a pool `default` that has a base image, and a folder of ISO images."""
    pool = hand.storagePoolDefineXML(POOL.format(path=tmp_path / "pool"), 0)
    pool.create(0)
    pool.createXML(VOLUME.format(name="base.qcow2", size=3, format="qcow2"), 0)
    pool.createXML(VOLUME.format(name="pooled.iso", size=1, format="raw"), 0)
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", allowed_folders=(str(isos),)) as running:
        yield running


def make(api: LiveApi, isos: Path, name: str = "small", **fields: Any) -> dict[str, Any]:
    answer = api.client.post("/templates", json={"name": name, "cdrom": str(isos / "some.iso"), **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def spec(api: LiveApi, name: str = "small") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(api.text(f"templates/{name}.yaml"))["spec"]
    return found


def test_a_template_of_an_image_alone_has_kimchis_defaults_and_a_short_document(api: LiveApi, isos: Path) -> None:
    assert make(api, isos) == {
        "name": "small", "icon": "images/icon-vm.png", "folder": [], "os_distro": "unknown", "os_version": "unknown",
        "cpus": 1, "memory": 1024, "max_memory": 1024, "cdrom": str(isos / "some.iso"),
        "storagepool": "/storagepools/default", "networks": ["default"],
        "disks": [{"index": 0, "size": 10, "format": "qcow2"}],
        "graphics": {"type": "vnc", "listen": "127.0.0.1"}, "cpu_info": {}, "netboot": False, "invalid": {},
        "actions": ["clone"],
    }  # fmt: skip
    assert spec(api) == {"cdrom": str(isos / "some.iso"), "networks": ["default"], "disks": [{"size": 10}]}
    assert api.log()[0] == "Create template small"
    assert api.client.get("/templates").json() == [api.client.get("/templates/small").json()]


def test_everything_that_is_given_comes_back(api: LiveApi, isos: Path) -> None:
    given = {
        "icon": "images/icon-debian.png", "folder": ["Linux", "Servers"], "os_distro": "debian", "os_version": "12",
        "cpus": 4, "memory": 2048, "storagepool": "/storagepools/default-pool", "networks": ["default", "default"],
        "disks": [{"index": 0, "size": 5, "format": "raw"}, {"index": 3, "size": 7, "format": "qcow2"}],
        "graphics": {"type": "spice", "listen": "::1"},
        "cpu_info": {"topology": {"sockets": 1, "cores": 2, "threads": 2}},
    }  # fmt: skip
    made = make(api, isos, **given)
    assert {key: made[key] for key in given} == given
    assert spec(api)["osVersion"] == "12"


def test_a_disk_may_begin_with_an_image_of_a_pool_and_is_as_large_by_itself(
    api: LiveApi, tmp_path: Path, isos: Path
) -> None:
    base = str(tmp_path / "pool/base.qcow2")
    made = api.client.post("/templates", json={"name": "cloud", "disks": [{"base": base}]})
    assert made.status_code == 201, made.text
    assert made.json()["cdrom"] is None
    assert made.json()["disks"] == [{"index": 0, "size": 3, "format": "qcow2", "base": base}]
    assert spec(api, "cloud") == {"networks": ["default"], "disks": [{"size": 3, "base": "base.qcow2"}]}


def test_an_image_in_a_pool_is_named_as_a_volume(api: LiveApi, tmp_path: Path) -> None:
    path = str(tmp_path / "pool/pooled.iso")
    made = api.client.post("/templates", json={"name": "small", "cdrom": path})
    assert (made.status_code, made.json()["cdrom"]) == (201, path)
    assert spec(api)["cdrom"] == "default/pooled.iso"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cdrom": None}, "KCHTMPL0016E"),
        ({"name": " x"}, "KCHTMPL0008E"),
        ({"name": "a/b"}, "KCHTMPL0008E"),
        ({"cpus": 0}, "KCHTMPL0012E"),
        ({"memory": 15}, "KCHTMPL0013E"),
        ({"memory": "1 GiB"}, "KCHTMPL0013E"),
        ({"cdrom": "xhttp://host/a.iso"}, "KCHTMPL0014E"),
        ({"cdrom": "http://host:99999/a.iso"}, "KCHTMPL0014E"),
        ({"cdrom": "http://host/%00.iso"}, "KCHTMPL0014E"),
        ({"cdrom": "/etc/passwd"}, "KCHTMPL0014E"),
        ({"storagepool": "default"}, "KCHTMPL0015E"),
        ({"storagepool": "/storagepools/none"}, "KCHTMPL0004E"),
        ({"networks": ["none"]}, "KCHTMPL0003E"),
        ({"networks": "default"}, "KCHTMPL0017E"),
        ({"disks": [{"size": 0}]}, "KCHTMPL0022E"),
        ({"disks": [{"size": 1.5}]}, "KCHTMPL0022E"),
        ({"disks": [{"index": 1}]}, "KCHTMPL0022E"),
        ({"disks": []}, "KCHTMPL0022E"),
        ({"disks": [{"size": 1, "format": "iso"}]}, "KCHTMPL0027E"),
        ({"disks": [{"size": 1, "base": "/none.qcow2"}]}, "KCHTMPL0023E"),
        ({"disks": [{"volume": "none"}]}, "KCHTMPL0019E"),
        ({"graphics": {"type": "rdp"}}, "KCHVM0014E"),
        ({"graphics": {"listen": "everywhere"}}, "KCHVM0015E"),
        ({"cpus": 3, "cpu_info": {"topology": {"sockets": 1, "cores": 2, "threads": 1}}}, "KCHCPUINF0002E"),
        ({"cpu_info": {"topology": {"sockets": 1, "cores": 2}}}, "KCHTMPL0026E"),
        ({"colour": "red"}, "KCHAPI0001E"),
    ],
)
def test_what_cant_be_is_400_with_kimchis_code_and_no_commit(
    api: LiveApi, isos: Path, change: dict[str, Any], code: str
) -> None:
    body = {"name": "bad", "cdrom": str(isos / "some.iso"), **change}
    answer = api.client.post("/templates", json={key: value for key, value in body.items() if value is not None})
    assert (answer.status_code, answer.json()["reason"].partition(":")[0]) == (400, code), answer.text
    assert api.log() == []


def test_a_name_is_taken_once_and_found_when_none_is_given(api: LiveApi, isos: Path) -> None:
    make(api, isos)
    again = api.client.post("/templates", json={"name": "small", "cdrom": str(isos / "some.iso")})
    assert (again.status_code, again.json()["reason"].partition(":")[0]) == (400, "KCHTMPL0001E")
    unnamed = api.client.post(
        "/templates", json={"cdrom": str(isos / "some.iso"), "os_distro": "debian", "os_version": "12"}
    )
    assert unnamed.json()["name"].startswith("debian12.")


def test_a_change_edits_the_lines_that_differ_and_leaves_comments(api: LiveApi, isos: Path) -> None:
    api.repository.commit({
        "small.yaml": "apiVersion: onggi/v1\nkind: Template\nmetadata: {name: small}\nspec:\n"
        "  memory: 2GiB  # enough for us\n  cpus: 1\n  graphics: {type: spice, listen: 10.0.0.1}\n"
    })  # fmt: skip
    until(lambda: api.client.get("/templates/small").status_code == 200, 60, "it is read")
    assert api.client.get("/templates/small").json()["memory"] == 2048
    changed = api.client.put("/templates/small", json={"cpus": 2, "graphics": {"type": "vnc"}})
    assert (changed.status_code, changed.json()["cpus"]) == (200, 2)
    assert changed.json()["graphics"] == {"type": "vnc", "listen": "127.0.0.1"}
    assert "memory: 2GiB  # enough for us" in api.text("small.yaml")


def test_disks_are_replaced_and_topologies_have_to_fit(api: LiveApi, isos: Path) -> None:
    make(api, isos, disks=[{"size": 5}, {"size": 6}])
    changed = api.client.put("/templates/small", json={"disks": [{"index": 0, "size": 8, "format": "vmdk"}]})
    assert changed.json()["disks"] == [{"index": 0, "size": 8, "format": "vmdk"}]
    topology = {"topology": {"sockets": 2, "cores": 1, "threads": 1}}
    assert api.client.put("/templates/small", json={"cpus": 2, "cpu_info": topology}).json()["cpu_info"] == topology
    bad = api.client.put("/templates/small", json={"cpus": 3})
    assert (bad.status_code, bad.json()["reason"].partition(":")[0]) == (400, "KCHTMPL0025E")
    assert api.client.put("/templates/small", json={"cpu_info": {}, "cpus": 3}).json()["cpu_info"] == {}


def test_a_rename_answers_where_it_is_now_and_what_names_it_follows(api: LiveApi, isos: Path) -> None:
    make(api, isos)
    api.repository.commit({
        "big.yaml": "apiVersion: onggi/v1\nkind: Template\nmetadata: {name: big}\nspec: {template: small, cpus: 8}\n"
    })  # fmt: skip
    until(lambda: api.client.get("/templates/big").status_code == 200, 60, "it is read")
    renamed = api.client.put("/templates/small", json={"name": "kleines ∨м"})
    assert renamed.status_code == 303
    assert renamed.headers["location"] == f"{api.url}/templates/kleines%20%E2%88%A8%D0%BC"
    assert api.client.get(renamed.headers["location"]).json()["name"] == "kleines ∨м"
    assert api.client.get("/templates/small").status_code == 404
    assert yaml.safe_load(api.text("big.yaml"))["spec"] == {"template": "kleines ∨м", "cpus": 8}
    assert api.client.get("/templates/big").json()["cdrom"] == str(isos / "some.iso")
    assert api.client.put("/templates/big", json={"name": "big"}).status_code == 200


def test_a_rename_leaves_the_comments_of_a_document_that_names_no_identity(api: LiveApi) -> None:
    text = (
        "# What the shop runs on.\napiVersion: onggi/v1\nkind: Template\nmetadata:\n  name: small  # ask Ada first\n"
        "spec:\n  memory: 2GiB  # enough for us\n"
    )
    api.repository.commit({"templates/shop.yaml": text})
    until(lambda: api.client.get("/templates/small").status_code == 200, 60, "it is read")
    renamed = api.client.put("/templates/small", json={"name": "shop", "cpus": 2})
    assert renamed.status_code == 303, renamed.text
    expected = text.replace("name: small  #", "name: shop   #").replace("  memory", "  cpus: 2\n  memory")
    assert api.text("templates/shop.yaml").rstrip("\n") == expected.rstrip("\n")
    assert api.log()[0] == "Rename template small to shop"
    assert api.client.get("/templates/small").status_code == 404


def test_clones_are_numbered(api: LiveApi, isos: Path) -> None:
    original = make(api, isos, cpus=3)
    for number in (1, 2):
        clone = api.client.post("/templates/small/clone")
        assert (clone.status_code, clone.headers["location"]) == (303, f"{api.url}/templates/small-clone{number}")
        found = api.client.get(f"/templates/small-clone{number}").json()
        assert found == {**original, "name": f"small-clone{number}"}
    assert api.client.post("/templates/none/clone").status_code == 404


def test_a_template_that_a_document_names_stays(api: LiveApi, isos: Path) -> None:
    make(api, isos)
    api.repository.commit({
        "vm.yaml": "apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {name: web}\n"
        "spec: {template: small, memory: 512, disks: [], runStrategy: Halted}\n"
    })  # fmt: skip
    refused = api.client.delete("/templates/small")
    assert (refused.status_code, "VirtualMachine/web" in refused.json()["reason"]) == (400, True), refused.text
    api.repository.remove("vm.yaml")
    assert api.client.delete("/templates/small").status_code == 204
    gone = api.client.delete("/templates/small")
    assert (gone.status_code, gone.json()["reason"].partition(":")[0]) == (404, "KCHOBJST0001E")
    assert api.client.get("/templates").json() == []


def test_what_is_gone_is_told_at_each_reading(api: LiveApi, isos: Path, hand: libvirt.virConnect) -> None:
    network = hand.networkDefineXML("<network><name>lab</name></network>")
    until(lambda: api.client.get("/networks/lab").status_code == 200, 60, "the network is seen")
    make(api, isos, networks=["default", "lab"])
    assert api.client.get("/templates/small").json()["invalid"] == {}
    (isos / "some.iso").unlink()
    network.undefine()
    until(lambda: api.client.get("/networks/lab").status_code == 404, 60, "the network is gone")
    found = api.client.get("/templates/small").json()
    assert found["invalid"] == {"networks": ["lab"], "cdrom": [str(isos / "some.iso")]}


def test_lists_are_filtered_and_a_broken_template_hides_no_other(api: LiveApi, isos: Path) -> None:
    make(api, isos)
    make(api, isos, "large", memory=8192)
    assert [each["name"] for each in api.client.get("/templates?memory=8192").json()] == ["large"]
    api.repository.commit({
        "odd.yaml": "apiVersion: onggi/v1\nkind: Template\nmetadata: {name: odd}\nspec: {cpus: many}\n"
    })  # fmt: skip
    until(lambda: "mistake" in api.client.get("/templates/odd").text, 60, "the broken one is read")
    assert [each["name"] for each in api.client.get("/templates").json()] == ["large", "small"]
