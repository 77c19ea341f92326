"""/storagepools on the test driver: making, activating, changing and removing pools through commits."""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import quote

import libvirt
import pytest
import yaml

from tests.api.images import an_iso
from tests.api.live import LiveApi
from tests.lab.repositories import git
from tests.lab.waiting import until


def names(api: LiveApi, **query: str) -> list[str]:
    return [each["name"] for each in api.client.get("/storagepools", params=query).json()]


def folder_pool(api: LiveApi, name: str = "lab", *, active: bool = False) -> None:
    answer = api.client.post("/storagepools", json={"name": name, "type": "dir", "path": f"/var/tmp/onggi/{name}"})
    assert answer.status_code == 201, answer.text
    if active:
        assert api.client.post(f"/storagepools/{name}/activate").status_code == 200


def spec(api: LiveApi, name: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(api.text(f"pools/{name}.yaml"))["spec"]
    return found


def test_what_the_host_has_is_listed_and_the_reserved_pool_is_the_last(api: LiveApi) -> None:
    first, last = api.client.get("/storagepools").json()
    assert first == {
        "name": "default-pool", "state": "active", "type": "dir", "capacity": 107374182400, "allocated": 0,
        "available": 107374182400, "path": "/default-pool", "source": {}, "nr_volumes": first["nr_volumes"],
        "autostart": False, "persistent": True, "actions": ["activate", "deactivate"],
    }  # fmt: skip
    assert api.client.get("/storagepools/default-pool").json() == first
    assert last == {"name": "kimchi_isos", "state": "active", "type": "kimchi-iso", "actions": first["actions"]}
    assert api.client.get("/storagepools/kimchi_isos").json() == last


def test_the_life_of_a_pool_is_told_by_git_log(api: LiveApi, hand: libvirt.virConnect) -> None:
    made = api.client.post("/storagepools", json={"name": "lab", "type": "dir", "path": "/var/tmp/onggi/lab"})
    assert made.status_code == 201, made.text
    view = made.json()
    assert (view["state"], view["autostart"], view["nr_volumes"], view["persistent"]) == ("inactive", True, 0, True)
    assert hand.storagePoolLookupByName("lab").autostart()
    assert spec(api, "lab") == {"type": "dir", "path": "/var/tmp/onggi/lab", "autostart": True, "active": False}
    started = api.client.post("/storagepools/lab/activate")
    assert (started.status_code, started.json()["state"]) == (200, "active")
    refused = api.client.delete("/storagepools/lab")
    assert (refused.status_code, refused.json()["reason"].partition(":")[0]) == (400, "KCHPOOL0005E")
    changed = api.client.put("/storagepools/lab", json={"autostart": False})
    assert (changed.status_code, changed.json()["autostart"]) == (200, False)
    assert api.client.post("/storagepools/lab/deactivate").json()["state"] == "inactive"
    assert api.client.delete("/storagepools/lab").status_code == 204
    assert api.client.get("/storagepools/lab").status_code == 404
    assert names(api) == ["default-pool", "kimchi_isos"]
    assert api.log() == [
        "Delete storage pool lab", "Deactivate storage pool lab", "Change storage pool lab",
        "Activate storage pool lab", "Create storage pool lab",
    ]  # fmt: skip


def test_a_change_of_a_pool_that_git_does_not_know_adopts_it(api: LiveApi) -> None:
    answer = api.client.put("/storagepools/default-pool", json={"autostart": True})
    assert (answer.status_code, answer.json()["autostart"]) == (200, True), answer.text
    document = yaml.safe_load(api.text("pools/default-pool.yaml"))
    assert document["spec"]["path"] == "/default-pool"
    assert document["metadata"]["annotations"] == {"onggi/adopt": "true"}
    assert api.client.put("/storagepools/default-pool", json={"autostart": False}).json()["autostart"] is False


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "dir", "path": "/var/tmp/x"}, "KCHPOOL0026E"),
        ({"name": "", "type": "dir", "path": "/var/tmp/x"}, "KCHPOOL0016E"),
        ({"name": "a/b", "type": "dir", "path": "/var/tmp/x"}, "KCHPOOL0016E"),
        ({"name": "x", "type": "dirx", "path": "/var/tmp/x"}, "KCHPOOL0017E"),
        ({"name": "x", "type": "dir"}, "KCHPOOL0004E"),
        ({"name": "x", "type": "kimchi-iso"}, "KCHPOOL0004E"),
        ({"name": "x", "type": "netfs", "source": {"host": "nas.example.org"}}, "KCHPOOL0004E"),
        ({"name": "x", "type": "logical", "source": {}}, "KCHPOOL0004E"),
        ({"name": "x", "type": "logical", "source": {"devices": []}}, "KCHPOOL0021E"),
        ({"name": "x", "type": "iscsi", "source": {"host": "san.example.org"}}, "KCHPOOL0004E"),
        ({"name": "x", "type": "scsi"}, "KCHPOOL0004E"),
        ({"name": "x", "type": "iscsi", "source": {"host": "a", "target": "b", "port": 70000}}, "KCHPOOL0023E"),
        ({"name": "kimchi_isos", "type": "dir", "path": "/var/tmp/x"}, "KCHPOOL0031E"),
        ({"name": "default-pool", "type": "dir", "path": "/var/tmp/x"}, "KCHPOOL0001E"),
    ],
)
def test_a_pool_that_cannot_be_is_refused_and_nothing_is_committed(
    api: LiveApi, body: dict[str, object], code: str
) -> None:
    before = api.repository.path.joinpath("pools").exists()
    answer = api.client.post("/storagepools", json=body)
    assert answer.status_code == 400
    assert answer.json()["reason"].startswith(f"{code}: "), answer.text
    assert api.repository.path.joinpath("pools").exists() == before


def test_a_folder_of_the_system_is_no_pool(api: LiveApi) -> None:
    answer = api.client.post("/storagepools", json={"name": "x", "type": "dir", "path": "/etc"})
    assert answer.status_code == 400
    assert "belongs to the system" in answer.json()["reason"]
    assert names(api) == ["default-pool", "kimchi_isos"]


@pytest.mark.parametrize("path", ["/root/.ssh", "/usr/local/bin", "/bin/x", "/var/spool/cron/crontabs"])
def test_neither_is_one_whose_files_are_programs_or_keys(api: LiveApi, path: str) -> None:
    answer = api.client.post("/storagepools", json={"name": "x", "type": "dir", "path": path})
    assert answer.status_code == 400
    assert "belongs to the system" in answer.json()["reason"]


def test_neither_is_one_of_the_agent_nor_where_a_link_leads_to_one(api: LiveApi, tmp_path: Path) -> None:
    api.serving.secrets.keep("console-1", "s3cret")
    links = {"keys": "/etc/ssl", "mine": tmp_path / "state", "circle": tmp_path / "circle", "good": tmp_path}
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    paths = ["state", "state/secrets", "repository/.git", "mine", "mine/secrets", "keys", "circle"]
    for path in paths:
        answer = api.client.post("/storagepools", json={"name": "x", "type": "dir", "path": f"{tmp_path}/{path}"})
        assert answer.status_code == 400, answer.text
    assert names(api) == ["default-pool", "kimchi_isos"]
    good = api.client.post("/storagepools", json={"name": "good", "type": "dir", "path": f"{tmp_path}/good/images"})
    assert good.status_code == 201, good.text


def test_sources_are_told_in_kimchis_words(api: LiveApi) -> None:
    bodies = [
        {"name": "share", "type": "netfs", "source": {"host": "nas.example.org", "path": "/export"}},
        {"name": "vg", "type": "logical", "source": {"devices": ["/dev/sdz"]}},
        {"name": "luns", "type": "scsi", "source": {"adapter_name": "scsi_host2"}},
    ]
    views = {}
    for body in bodies:
        answer = api.client.post("/storagepools", json=body)
        assert answer.status_code == 201, answer.text
        views[body["name"]] = answer.json()
    assert views["share"]["source"] == {"addr": "nas.example.org", "path": "/export"}
    assert (views["vg"]["source"], views["vg"]["path"]) == ({}, "/dev/vg")
    assert spec(api, "vg")["build"] is True
    assert views["luns"]["source"] == {
        "adapter_type": "scsi_host", "adapter_name": "scsi_host2", "wwnn": "", "wwpn": "",
    }  # fmt: skip
    assert all(view["autostart"] for view in views.values())
    assert names(api, type="^(logical|scsi)") == ["luns", "vg"]


def test_disks_are_for_volume_groups_alone(api: LiveApi) -> None:
    api.client.post("/storagepools", json={"name": "vg", "type": "logical", "source": {"devices": ["/dev/sdy"]}})
    same = api.client.put("/storagepools/vg", json={"disks": ["/dev/sdy"]})
    assert same.status_code == 200, same.text
    refused = api.client.put("/storagepools/vg", json={"disks": ["/dev/sdz"], "autostart": False})
    assert (refused.status_code, "test driver has no volume groups" in refused.json()["reason"]) == (501, True)
    assert spec(api, "vg") == {
        "type": "logical", "source": {"devices": ["/dev/sdy"]}, "build": True, "autostart": True, "active": False,
    }  # fmt: skip
    assert api.log()[:2] == ["Take back: Change storage pool vg", "Change storage pool vg"]
    refused = api.client.put("/storagepools/default-pool", json={"disks": ["/dev/sdz"]})
    assert (refused.status_code, refused.json()["reason"].partition(":")[0]) == (400, "KCHPOOL0029E")


def test_what_a_change_of_a_pool_cannot_say_is_refused(api: LiveApi) -> None:
    for body in ({"path": "/var/tmp/y"}, {"autostart": "yes"}, {"disks": []}, []):
        assert api.client.put("/storagepools/default-pool", json=body).status_code == 400
    assert api.client.put("/storagepools/nosuch", json={"autostart": True}).status_code == 404
    for path in ("/storagepools/nosuch/activate", "/storagepools/nosuch/deactivate"):
        answer = api.client.post(path)
        assert (answer.status_code, answer.json()["reason"].partition(":")[0]) == (404, "KCHPOOL0002E")


def test_the_reserved_pool_cannot_be_changed(api: LiveApi) -> None:
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/activate"), ("POST", "/deactivate")):
        answer = api.client.request(method, f"/storagepools/kimchi_isos{path}", json={})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_a_targets_password_is_kept_outside_the_repository(api: LiveApi) -> None:
    source = {"host": "san.example.org", "target": "iqn.2024-01.org.example:disks"}
    body = {"name": "san", "type": "iscsi", "source": {**source, "auth": {"username": "me", "password": "s3cret!"}}}
    answer = api.client.post("/storagepools", json=body)
    # The test driver keeps no secrets, so that the pool can't be made; what was committed is seen in the history.
    assert (answer.status_code, "s3cret!" in answer.text) == (501, False)
    assert api.log() == ["Take back storage pool san, which can't be made", "Create storage pool san"]
    text = git(api.repository.path, "show", "HEAD~1:pools/san.yaml")
    committed = yaml.safe_load(text)["spec"]
    kept = Path(committed["source"]["auth"]["passwordFrom"]["file"])
    assert (committed["autostart"], "s3cret!" in text) == (False, False)
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert list(kept.parent.iterdir()) == []  # nothing names it any more
    assert names(api) == ["default-pool", "kimchi_isos"]
    assert not api.repository.path.joinpath("pools/san.yaml").exists()
    incomplete = {**body, "name": "san2", "source": {**source, "auth": {"username": "me"}}}
    assert api.client.post("/storagepools", json=incomplete).status_code == 400


def test_a_pool_that_a_template_uses_stays(api: LiveApi) -> None:
    folder_pool(api, active=True)
    template = "apiVersion: onggi/v1\nkind: Template\nmetadata: {name: small}\nspec: {storagePool: lab, memory: 64}\n"
    api.repository.commit({"small.yaml": template})
    api.agent.fetch_now()
    until(lambda: any(ref.name == "small" for ref in api.serving.world.desired.resources), 60, "the template is known")
    refused = api.client.post("/storagepools/lab/deactivate")
    assert refused.status_code == 400
    assert refused.json()["reason"] == "KCHPOOL0034E: The storage pool lab is used by the templates small."
    api.repository.remove("small.yaml")
    api.agent.fetch_now()
    until(lambda: all(ref.name != "small" for ref in api.serving.world.desired.resources), 60, "the template is gone")
    assert api.client.post("/storagepools/lab/deactivate").status_code == 200


def test_a_pool_that_a_machine_runs_on_stays_active(api: LiveApi, hand: libvirt.virConnect) -> None:
    folder_pool(api, active=True)
    made = api.client.post("/storagepools/lab/storagevolumes", json={"name": "disk", "capacity": 1 << 20})
    assert api.task(made)["status"] == "finished"
    disk = "<disk type='volume'><source pool='lab' volume='disk'/><target dev='vda' bus='virtio'/></disk>"
    machine = hand.defineXML(
        "<domain type='test'><name>runner</name><memory>8192</memory><os><type>hvm</type></os>"
        f"<devices>{disk}</devices></domain>"
    )
    machine.create()
    api.serving.operations.look_again(None)
    head = api.repository.head
    refused = api.client.post("/storagepools/lab/deactivate")
    assert (refused.status_code, "runner" in refused.json()["reason"]) == (400, True)
    assert (api.repository.head, hand.storagePoolLookupByName("lab").isActive()) == (head, 1)
    machine.destroy()
    api.serving.operations.look_again(None)
    assert api.client.post("/storagepools/lab/deactivate").json()["state"] == "inactive"


def test_a_protected_pool_stays(api: LiveApi) -> None:
    annotations = {"onggi/protect": "true"}
    document = {
        "apiVersion": "onggi/v1", "kind": "StoragePool", "metadata": {"name": "kept", "annotations": annotations},
        "spec": {"type": "dir", "path": "/var/tmp/onggi/kept", "active": False},
    }  # fmt: skip
    api.repository.commit({"kept.yaml": yaml.safe_dump(document)})
    api.agent.fetch_now()
    until(lambda: "kept" in names(api), 60, "the pool is made")
    head = api.repository.head
    assert api.client.delete("/storagepools/kept").status_code == 409
    assert api.repository.head == head


@pytest.mark.parametrize("name", ["with blank", "∨м-pőől", "dots.and-more_1", "100% sure", "a+b"])
def test_any_name_can_be_asked_for_by_its_address(api: LiveApi, name: str) -> None:
    body = {"name": name, "type": "dir", "path": "/var/tmp/onggi/odd"}
    assert api.client.post("/storagepools", json=body).status_code == 201
    address = f"/storagepools/{quote(name)}"
    assert api.client.get(address).json()["name"] == name
    assert api.client.post(f"{address}/activate").json()["state"] == "active"
    assert api.client.get(f"{address}/storagevolumes").json() == []
    assert name in names(api)


def test_a_deep_scan_finds_what_lies_below(api: LiveApi, tmp_path: Path) -> None:
    deep = tmp_path / "tree" / "a" / "b"
    deep.mkdir(parents=True)
    an_iso(deep / "one.iso")
    an_iso(tmp_path / "tree" / "a" / "one.iso")
    (deep / "not.iso").write_bytes(b"no image")
    (deep / "link.iso").symlink_to(deep / "one.iso")
    answer = api.client.post(
        "/storagepools", json={"name": "found", "type": "kimchi-iso", "path": str(tmp_path / "tree")}
    )
    assert answer.status_code == 202, answer.text
    pool = answer.json()
    assert (pool["type"], pool["autostart"], pool["state"]) == ("kimchi-iso", False, "active")
    until(lambda: api.client.get(f"/tasks/{pool['task_id']}").json()["status"] == "finished", 60, "the scan ends")
    task = api.client.get(f"/tasks/{pool['task_id']}").json()
    assert (task["message"], task["target_uri"]) == ("2 ISO images found", "/storagepools/kimchi_isos")
    images = api.client.get("/storagepools/found/storagevolumes").json()
    assert [image["name"] for image in images] == ["one (2).iso", "one.iso"]
    assert {image["path"] for image in images} == {str(deep / "one.iso"), str(deep.parent / "one.iso")}
    assert api.client.post("/storagepools/found/activate").json()["state"] == "active", "again is no harm"
    everything = api.client.get("/storagepools/kimchi_isos/storagevolumes").json()
    assert {image["path"] for image in everything} == {image["path"] for image in images}
    assert api.client.get("/storagepools/found/storagevolumes/one.iso").json() in images

    an_iso(deep / "later.iso")
    (deep / "one.iso").unlink()

    def listed() -> set[str]:
        return {image["name"] for image in api.client.get("/storagepools/kimchi_isos/storagevolumes").json()}

    until(lambda: {"later.iso"} < listed() and len(listed()) == 2, 60, "the new image is found, and the old one gone")


def test_there_has_to_be_something_to_scan(api: LiveApi, tmp_path: Path) -> None:
    scan = {"name": "found", "type": "kimchi-iso", "path": str(tmp_path / "nowhere")}
    answer = api.client.post("/storagepools", json=scan)
    assert answer.status_code == 400
    assert answer.json()["reason"].startswith("KCHPOOL0018E")
    assert names(api) == ["default-pool", "kimchi_isos"]
