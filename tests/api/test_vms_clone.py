"""Clones and renames on the test driver: the new document looks like the old one, and nothing is left half made."""

from __future__ import annotations

import re
from pathlib import Path

import libvirt
import pytest
import yaml

from reconciler.planning.one_off import CloneVolume
from reconciler.planning.plan import Action, one_off_step
from reconciler.serving.client import Client
from specs.reference import Ref
from tests.api.live import LiveApi, live_api
from tests.api.machines import TEMPLATE, code_of, disks_on, make
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until


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
    assert templates.agent.line.ledger.intents.unfinished() == ()
    assert templates.serving.operations.look_again(None).plan.empty


def test_a_clone_has_no_address_and_no_host_name_of_the_original(templates: LiveApi) -> None:
    spec = {
        "memory": 64,
        "runStrategy": "Halted",
        "interfaces": [{"network": "default", "addresses": ["192.168.122.10/24"], "gateways": ["192.168.122.1"]}],
        "cloudInit": {"pool": "default-pool", "hostname": "web.example.org", "user": "ops"},
    }
    web = {"apiVersion": "onggi/v1", "kind": "VirtualMachine", "metadata": {"name": "seeded"}, "spec": spec}
    templates.repository.commit({"vms/seeded.yaml": yaml.safe_dump(web)}, "Declare a machine with an address")
    until(lambda: templates.client.get("/vms/seeded").status_code == 200, 60, "the machine is made")
    task = templates.task(templates.client.post("/vms/seeded/clone"))
    assert task["status"] == "finished", task
    made = yaml.safe_load(templates.text("vms/seeded-clone-1.yaml"))["spec"]
    assert (made["interfaces"], made["cloudInit"]) == (
        [{"network": "default"}],
        {"pool": "default-pool", "user": "ops"},
    )


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
    assert not any("clone" in ref.name for ref in templates.agent.line.ledger.ownership.all())
    assert templates.agent.line.ledger.intents.unfinished() == ()


def test_a_clone_that_was_killed_leaves_no_copy(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    volume(hand, "web-disk0.qcow2")
    repository.commit({})
    source, copy = Ref.volume("default-pool", "web-disk0.qcow2"), Ref.volume("default-pool", "web-clone-1-disk0.qcow2")
    with live_api(repository, tmp_path / "state") as api:
        step = one_off_step(copy, "a clone was asked for", CloneVolume(copy, source, part_of=0), action=Action.CREATE)
        api.serving.operations.perform(step, Client("ada"))
        assert copy.short_name in disks_on(hand)
    with live_api(repository, tmp_path / "state") as api:
        assert copy not in api.serving.world.snapshot.objects
        assert disks_on(hand) == {source.short_name}
    hand.storagePoolLookupByName("default-pool").storageVolLookupByName(source.short_name).delete()


# Renames


def test_a_rename_that_the_host_can_t_do_is_put_back(templates: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise libvirt.libvirtError("this host renames nothing")

    web = make(templates)
    monkeypatch.setattr(libvirt.virDomain, "rename", refuse)
    text = templates.text("vms/web.yaml").replace("  cpus: 2", "  cpus: 2  # as the shop needs")
    templates.repository.commit({"vms/web.yaml": text + "\n"}, "Explain")
    answer = templates.client.put("/vms/web", json={"name": "the shop ∨", "memory": 600})
    assert answer.status_code == 400, answer.text
    assert "this host renames nothing" in answer.json()["reason"]
    assert templates.client.get("/vms/web").json() == web
    assert templates.text("vms/web.yaml") == text


def test_a_rename_answers_with_the_new_address(api: LiveApi, hand: libvirt.virConnect) -> None:
    hand.defineXML("<domain type='test'><name>bare</name><memory>65536</memory><os><type>hvm</type></os></domain>")
    until(lambda: api.client.get("/vms/bare").status_code == 200, 60, "the machine is seen")
    uuid = api.client.get("/vms/bare").json()["uuid"]
    answer = api.client.put("/vms/bare", json={"name": "tést ∨", "cpus": 2})
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"] == f"{api.url}/vms/t%C3%A9st%20%E2%88%A8"
    found = api.client.get(answer.headers["Location"]).json()
    assert (found["name"], found["uuid"], found["cpus"]) == ("tést ∨", uuid, 2)
    assert api.client.get("/vms/bare").status_code == 404


def test_a_running_machine_keeps_its_name(api: LiveApi) -> None:
    answer = api.client.put("/vms/test", json={"name": "other", "cpus": 1})
    assert (answer.status_code, code_of(answer), api.log()) == (400, "KCHVM0003E", [])


def test_the_same_name_is_no_rename(templates: LiveApi) -> None:
    make(templates)
    assert templates.client.put("/vms/web", json={"name": "web"}).status_code == 200


def test_what_git_doesn_t_know_is_cloned_into_a_document(api: LiveApi, hand: libvirt.virConnect) -> None:
    volume(hand, "mine")
    source = "<disk type='file'><source file='/default-pool/mine'/><target dev='sda' bus='scsi'/></disk>"
    card = "<interface type='network'><mac address='52:54:00:01:02:03'/><source network='default'/></interface>"
    hand.defineXML(
        "<domain type='test'><name>handmade</name><memory>65536</memory><os><type>hvm</type></os>"
        f"<devices>{source}{card}</devices></domain>"
    )
    until(lambda: api.client.get("/vms/handmade").status_code == 200, 60, "the machine is seen")
    task = api.task(api.client.post("/vms/handmade/clone"))
    assert task["status"] == "finished", task
    text = api.text("vms/handmade-clone-1.yaml")
    assert "bus: scsi" in text and "size: 1MiB" in text and "mac:" not in text and "adopt" not in text
    assert "52:54:00:01:02:03" not in hand.lookupByName("handmade-clone-1").XMLDesc()
    assert api.client.delete("/vms/handmade-clone-1").status_code == 204
    assert disks_on(hand) == {"mine"}
    hand.storagePoolLookupByName("default-pool").storageVolLookupByName("mine").delete()


def test_where_nobody_makes_volumes_the_copy_goes_to_the_pool_default(
    templates: LiveApi, hand: libvirt.virConnect
) -> None:
    def pool(kind: str, name: str, source: str = "") -> libvirt.virStoragePool:
        xml = f"<pool type='{kind}'><name>{name}</name>{source}<target><path>/{name}</path></target></pool>"
        made = hand.storagePoolDefineXML(xml)
        made.create()
        return made

    pool("dir", "default")
    target = "<source><host name='127.0.0.1'/><device path='iqn.2020-01.example:x'/></source>"
    pool("iscsi", "luns", target).createXML("<volume><name>unit0</name><capacity unit='MiB'>2</capacity></volume>")
    templates.repository.commit(
        {"templates/small.yaml": TEMPLATE.replace("size: 1", "volume: luns/unit0")}, "Use a LUN"
    )
    head = templates.repository.head
    until(lambda: head in str(templates.serving.world.desired.revision), 60, "the commit is read")
    templates.serving.operations.look_again(None)
    make(templates)
    task = templates.task(templates.client.post("/vms/web/clone"))
    assert "copy StorageVolume/luns/unit0 into StorageVolume/default/" in task["message"], "the test driver can't do it"
    assert templates.client.delete("/vms/web").status_code == 204
    assert [each.name() for each in hand.storagePoolLookupByName("luns").listAllVolumes()] == ["unit0"]
