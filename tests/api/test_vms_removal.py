"""DELETE /vms/x is an order: the machine goes at once, with what was made for it and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import libvirt
import pytest

from tests.api.live import LiveApi
from tests.api.machines import disks_on, make
from tests.lab.waiting import until


def commit(api: LiveApi, files: dict[str, str]) -> None:
    """As a colleague would; gives when it has come true."""
    head = api.repository.commit(files, "By hand")

    def settled() -> bool:
        world = api.serving.world
        return head in str(world.desired.revision) and world.plan.empty and not world.busy

    until(settled, 60, "the commit has come true")


def vm(name: str, *lines: str) -> str:
    head = f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {name}}}\nspec:\n"
    return head + "".join(f"  {line}\n" for line in ("memory: 64", *lines))


DISK = "disks: [{size: 1MiB, pool: default-pool}]"


def test_many_clients_remove_many_machines_and_nobody_has_to_approve(templates: LiveApi) -> None:
    names = [f"vm{number}" for number in range(6)]
    for name in names:
        make(templates, name)
    with ThreadPoolExecutor(len(names)) as pool:
        answers = list(pool.map(lambda name: templates.client.delete(f"/vms/{name}").status_code, names))
    assert answers == [204] * len(names)
    assert [each["name"] for each in templates.client.get("/vms").json()] == ["test"]


def test_an_order_does_not_wait_for_the_approval_of_what_a_commit_removed(templates: LiveApi) -> None:
    commit(templates, {f"{name}.yaml": vm(name, "runStrategy: Halted") for name in ("one", "two", "three")})
    head = templates.repository.remove("one.yaml", "two.yaml")
    until(lambda: head in str(templates.serving.world.desired.revision), 60, "the commit is read")
    assert {item.ref.name for item in templates.serving.world.plan.blocked} == {"one", "two"}
    assert templates.client.delete("/vms/three").status_code == 204
    left = {item.ref.name: item.reason for item in templates.serving.world.plan.blocked}
    assert left == {"one": "NeedsApproval", "two": "NeedsApproval"}
    assert {each["name"] for each in templates.client.get("/vms").json()} == {"one", "two", "test"}


def test_a_machine_that_always_runs_doesn_t_come_back(templates: LiveApi, hand: libvirt.virConnect) -> None:
    commit(templates, {"vm.yaml": vm("web", DISK, "runStrategy: Always")})
    assert templates.client.get("/vms/web").json()["state"] == "running"
    assert templates.client.delete("/vms/web").status_code == 204
    templates.serving.operations.look_again(None)
    assert (templates.client.get("/vms/web").status_code, disks_on(hand)) == (404, set())


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_the_disk_isn_t_kept_in_the_trash(templates: LiveApi, hand: libvirt.virConnect, policy: str) -> None:
    commit(templates, {"vm.yaml": vm("web", DISK, "runStrategy: Halted", f"deletionPolicy: {policy}")})
    assert disks_on(hand) == {"web-disk0.qcow2"}
    assert templates.client.delete("/vms/web").status_code == 204
    assert disks_on(hand) == set()
    assert not [ref for ref in templates.agent.line.ledger.ownership.all() if "web" in ref.name]


def test_the_seed_of_cloud_init_goes_along(templates: LiveApi, hand: libvirt.virConnect) -> None:
    seed = "cloudInit: {userData: '#cloud-config', pool: default-pool}"
    commit(templates, {"vm.yaml": vm("web", DISK, seed, "runStrategy: Halted")})
    assert len(disks_on(hand)) == 2
    assert templates.client.delete("/vms/web").status_code == 204
    assert disks_on(hand) == set()


def test_volumes_of_their_own_documents_go_only_when_they_are_the_machine_s(
    templates: LiveApi, hand: libvirt.virConnect
) -> None:
    def volume(name: str) -> str:
        spec = "spec: {pool: default-pool, capacity: 1MiB}"
        return f"apiVersion: onggi/v1\nkind: StorageVolume\nmetadata: {{name: {name}}}\n{spec}\n"

    disks = "disks: [{volume: default-pool/web-logs}, {volume: default-pool/archive}]"
    commit(templates, {
        "vm.yaml": vm("web", disks, "runStrategy: Halted"), "logs.yaml": volume("web-logs"),
        "archive.yaml": volume("archive"),
    })  # fmt: skip
    assert templates.client.delete("/vms/web").status_code == 204
    assert disks_on(hand) == {"archive"}
    assert "kind: StorageVolume" in templates.text("archive.yaml")
    assert templates.log()[0] == "Delete machine web"


def test_a_document_with_a_mistake_can_be_removed(templates: LiveApi, hand: libvirt.virConnect) -> None:
    commit(templates, {"vm.yaml": vm("web", DISK, "runStrategy: Halted")})
    head = templates.repository.commit({"vm.yaml": vm("web", "bogus: 1")}, "Break it")
    until(lambda: head in str(templates.serving.world.desired.revision), 60, "the commit is read")
    assert templates.client.get("/vms/web").json()["state"] == "shutoff"
    assert templates.client.put("/vms/web", json={"cpus": 2}).status_code == 400
    assert templates.client.delete("/vms/web").status_code == 204
    assert (templates.client.get("/vms/web").status_code, disks_on(hand)) == (404, set())


def test_what_was_attached_by_hand_stays(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    pool = hand.storagePoolLookupByName("default-pool")
    pool.createXML("<volume><name>theirs</name><capacity>1048576</capacity></volume>")
    xml = hand.lookupByName("web").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    disk = "<disk type='file'><source file='/default-pool/theirs'/><target dev='vdz'/></disk></devices>"
    hand.defineXML(xml.replace("</devices>", disk))
    templates.serving.operations.look_again(None)
    assert templates.client.delete("/vms/web").status_code == 204
    assert disks_on(hand) == {"theirs"}
