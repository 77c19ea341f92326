"""Machines whose volumes can't be renamed along, as on the test driver: their documents name them from then on."""

from __future__ import annotations

import libvirt

from tests.api.live import LiveApi
from tests.api.machines import code_of, make, templates
from tests.lab.waiting import until

__all__ = ["templates"]


def volumes(api: LiveApi) -> dict[str, list[str]]:
    found = api.client.get("/storagepools/default-pool/storagevolumes").json()
    return {each["name"]: each["used_by"] for each in found}


def test_a_machine_is_renamed_and_keeps_its_disks(templates: LiveApi, hand: libvirt.virConnect) -> None:
    before = make(templates)
    answer = templates.client.put("/vms/web", json={"name": "shop", "cpus": 3})
    assert answer.status_code == 303, answer.text
    after = templates.client.get(answer.headers["location"]).json()
    assert after == {**before, "name": "shop", "cpus": 3, "cpu_info": after["cpu_info"]}
    assert hand.lookupByName("shop").UUIDString() == before["uuid"]
    assert volumes(templates) == {"web-disk0.qcow2": ["shop"]}
    assert "    - name: disk0\n      volume: default-pool/web-disk0.qcow2\n" in templates.text("vms/web.yaml")
    assert templates.serving.world.plan.empty

    taken = templates.client.post("/vms", json={"name": "web", "template": "/templates/small"})
    assert (taken.status_code, code_of(taken)) == (400, "KCHVOL0001E"), "no two machines get one disk"
    assert templates.client.put("/vms/shop", json={"name": "web"}).status_code == 303
    assert volumes(templates) == {"web-disk0.qcow2": ["web"]}
    assert templates.client.delete("/vms/web").status_code == 204
    until(lambda: volumes(templates) == {}, 60, "a disk that was made for it leaves with it")


def test_so_is_one_with_its_templates_disks(templates: LiveApi) -> None:
    spec = "spec: {template: small, runStrategy: Halted}\n"
    document = f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: web}}\n{spec}"
    templates.repository.commit({"web.yaml": document}, "A machine in one line")
    until(lambda: volumes(templates) == {"web-disk0.qcow2": ["web"]}, 60, "it is there")
    until(lambda: templates.serving.world.plan.empty and not templates.serving.world.busy, 60, "all of it is done")
    answer = templates.client.put("/vms/web", json={"name": "shop"})
    assert answer.status_code == 303, answer.text
    assert volumes(templates) == {"web-disk0.qcow2": ["shop"]}
    assert templates.client.delete("/vms/shop").status_code == 204
    until(lambda: volumes(templates) == {}, 60, "a disk that was made for it leaves with it")


def test_its_snapshots_follow(templates: LiveApi) -> None:
    make(templates)
    for name in ("first", "second"):
        task = templates.task(templates.client.post("/vms/web/snapshots", json={"name": name}))
        assert task["status"] == "finished", task
    assert templates.client.put("/vms/web", json={"name": "shop"}).status_code == 303
    listed = templates.client.get("/vms/shop/snapshots").json()
    assert [(each["name"], each["parent"]) for each in listed] == [("first", ""), ("second", "first")]
    assert templates.client.post("/vms/shop/snapshots/first/revert").status_code == 303
    assert templates.client.get("/vms/shop").json()["name"] == "shop"
    assert templates.client.get("/vms/shop/snapshots/current").json()["name"] == "first"
    assert templates.client.delete("/vms/shop/snapshots/second").status_code == 204
    assert [each["name"] for each in templates.client.get("/vms/shop/snapshots").json()] == ["first"]
    assert templates.serving.world.plan.empty
