"""Clones and renames on the test driver: the new document looks like the old one, and nothing is left half made."""

from __future__ import annotations

import re
from pathlib import Path

import libvirt

from reconciler.planning.one_off import CloneVolume, one_off_step
from reconciler.planning.plan import Action
from reconciler.serving.client import Client
from specs.reference import Ref
from tests.api.live import LiveApi, live_api
from tests.api.machines import code_of, disks_on, make
from tests.lab.repositories import Repository, git


def volume(hand: libvirt.virConnect, name: str) -> None:
    size = "<capacity unit='MiB'>1</capacity>"
    hand.storagePoolLookupByName("default-pool").createXML(f"<volume><name>{name}</name>{size}</volume>")


def files(api: LiveApi) -> list[str]:
    return git(api.repository.path, "ls-tree", "-r", "--name-only", "HEAD").splitlines()


def test_a_clone_looks_like_the_original(templates: LiveApi, hand: libvirt.virConnect) -> None:
    web = make(templates)
    answer = templates.client.post("/vms/web/clone")
    assert answer.json()["target_uri"] == "/vms/web-clone-1/clone"
    assert templates.task(answer)["status"] == "finished", templates.task(answer)
    clone = templates.client.get("/vms/web-clone-1").json()
    different = {key for key in web if web[key] != clone[key]}
    assert different == {"name", "uuid"}
    uid = re.compile("uid: .*")
    text = uid.sub("", templates.text("vms/web-clone-1.yaml")).replace("web-clone-1", "web")
    assert text == uid.sub("", templates.text("vms/web.yaml"))
    assert templates.log()[0] == "Clone machine web as web-clone-1"
    assert {"web-disk0.qcow2", "web-clone-1-disk0.qcow2"} <= disks_on(hand)
    macs = [re.findall("mac address='(.*)'", hand.lookupByName(name).XMLDesc()) for name in ("web", "web-clone-1")]
    assert macs[0] != macs[1] and all(len(each) == 1 for each in macs)
    assert templates.agent.line.ledger.unfinished() == ()
    assert templates.serving.operations.look_again(None).plan.empty


def test_clones_at_the_same_time_have_names_of_their_own(templates: LiveApi) -> None:
    make(templates)
    answers = [templates.client.post("/vms/web/clone") for _ in range(3)]
    assert [templates.task(each)["status"] for each in answers] == ["finished"] * 3
    names = [each["name"] for each in templates.client.get("/vms", params={"name": "web-clone"}).json()]
    assert names == ["web-clone-1", "web-clone-2", "web-clone-3"]
    assert len({each["uuid"] for each in templates.client.get("/vms").json()}) == 5


def test_a_clone_goes_with_its_own_disks(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    templates.task(templates.client.post("/vms/web/clone"))
    assert templates.client.delete("/vms/web-clone-1").status_code == 204
    assert disks_on(hand) == {"web-disk0.qcow2"}


def test_a_clone_has_the_password_when_the_original_is_gone(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    templates.client.put("/vms/web", json={"graphics": {"passwd": "s3cret"}})
    templates.task(templates.client.post("/vms/web/clone"))
    templates.client.delete("/vms/web")
    assert templates.client.get("/vms/web-clone-1").json()["graphics"]["passwd"] == "s3cret"
    assert len(list((templates.agent.settings.state / "secrets").iterdir())) == 1


def test_what_looks_like_the_disk_of_a_clone_keeps_its_name(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    volume(hand, "web-clone-7-disk0.qcow2")
    templates.serving.operations.look_again(None)
    answer = templates.client.post("/vms/web/clone")
    assert answer.json()["target_uri"] == "/vms/web-clone-8/clone"
    assert templates.task(answer)["status"] == "finished"


def test_a_clone_whose_disk_can_t_be_copied_leaves_nothing(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    volume(hand, "web-clone-1-disk0.qcow2")  # the agent hasn't looked there since
    before = templates.log()
    task = templates.task(templates.client.post("/vms/web/clone"))
    assert task["status"] == "failed" and "web-clone-1-disk0.qcow2" in task["message"]
    assert disks_on(hand) == {"web-disk0.qcow2", "web-clone-1-disk0.qcow2"}, "somebody else's stays"
    assert templates.log() == before
    assert templates.client.get("/vms/web-clone-1").status_code == 404


def test_a_clone_that_can_t_be_defined_leaves_nothing(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    text = templates.text("vms/web.yaml").replace("  runStrategy", "  hostDevices: [{device: usb_9_9}]\n  runStrategy")
    templates.repository.commit({"vms/web.yaml": text + "\n"}, "Pass a stick through that isn't plugged in")
    task = templates.task(templates.client.post("/vms/web/clone"))
    assert task["status"] == "failed" and "usb_9_9" in task["message"]
    assert disks_on(hand) == {"web-disk0.qcow2"}
    assert files(templates) == ["templates/base.yaml", "templates/small.yaml", "vms/web.yaml"]
    assert templates.log()[0] == "Take back machine web-clone-1, which can't be made"
    assert not any("clone" in ref.name for ref in templates.agent.line.ledger.owned())
    assert templates.agent.line.ledger.unfinished() == ()


def test_a_clone_that_was_killed_leaves_no_copy(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    volume(hand, "web-disk0.qcow2")
    repository.commit({})
    source, copy = Ref.volume("default-pool", "web-disk0.qcow2"), Ref.volume("default-pool", "web-clone-1-disk0.qcow2")
    with live_api(repository, tmp_path / "state") as api:
        step = one_off_step(copy, "a clone was asked for", CloneVolume(copy, source, part=True), action=Action.CREATE)
        api.serving.operations.perform(step, Client("ada"))
        assert copy.short_name in disks_on(hand)
    with live_api(repository, tmp_path / "state") as api:
        assert copy not in api.serving.world.snapshot.objects
        assert disks_on(hand) == {source.short_name}
    hand.storagePoolLookupByName("default-pool").storageVolLookupByName(source.short_name).delete()


# Renames


def test_a_rename_keeps_the_machine_and_the_comments(templates: LiveApi, hand: libvirt.virConnect) -> None:
    web = make(templates)
    text = templates.text("vms/web.yaml").replace("  cpus: 2", "  cpus: 2  # as the shop needs")
    templates.repository.commit({"vms/web.yaml": text + "\n"}, "Explain")
    answer = templates.client.put("/vms/web", json={"name": "the shop ∨", "memory": 600})
    if answer.status_code != 303:  # the test driver renames no volumes
        assert answer.status_code in (409, 501, 400), answer.text
        assert templates.client.get("/vms/web").json() == web
        assert "# as the shop needs" in templates.text("vms/web.yaml")
        return
    assert answer.headers["Location"].endswith("/vms/the%20shop%20%E2%88%A8")
    found = templates.client.get(answer.headers["Location"]).json()
    assert (found["uuid"], found["memory"]) == (web["uuid"], 600)
    assert templates.client.get("/vms/web").status_code == 404


def test_a_running_machine_keeps_its_name(api: LiveApi) -> None:
    answer = api.client.put("/vms/test", json={"name": "other", "cpus": 1})
    assert (answer.status_code, code_of(answer), api.log()) == (400, "KCHVM0003E", [])


def test_the_same_name_is_no_rename(templates: LiveApi) -> None:
    make(templates)
    assert templates.client.put("/vms/web", json={"name": "web"}).status_code == 200
