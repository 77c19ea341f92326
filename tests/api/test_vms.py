"""/vms on the test driver: machines are made from templates, changed, renamed and removed by commits."""

from __future__ import annotations

import os
import pwd
import re
from typing import Any

import libvirt
import pytest

from tests.api.live import LiveApi
from tests.api.machines import BASE, TEMPLATE, code_of, disks_on, make
from tests.lab.repositories import git
from tests.lab.waiting import until

FIELDS = {
    "name", "state", "stats", "uuid", "memory", "cpus", "screenshot", "icon", "graphics", "users", "groups", "access",
    "persistent", "title", "description", "autostart", "max_memory", "cpu_info", "bootorder", "bootmenu",
    "actions",
}  # fmt: skip
ME = pwd.getpwuid(os.getuid()).pw_name


def test_the_machines_of_the_host_are_listed_in_full(api: LiveApi) -> None:
    (test,) = api.client.get("/vms").json()
    assert test == api.client.get("/vms/test").json()
    assert set(test) == FIELDS
    assert (test["name"], test["state"], test["access"], test["persistent"]) == ("test", "running", "full", True)
    assert test["graphics"] == {"type": None, "listen": None, "port": None, "passwd": None, "passwdValidTo": None}
    assert set(test["stats"]) == {
        "cpu_utilization", "mem_utilization", "net_throughput", "net_throughput_peak", "io_throughput",
        "io_throughput_peak",
    }  # fmt: skip


def test_names_are_sorted_whatever_their_case(templates: LiveApi) -> None:
    for name in ("Zulu", "alpha", "Beta"):
        make(templates, name)
    assert [each["name"] for each in templates.client.get("/vms").json()] == ["alpha", "Beta", "test", "Zulu"]


def test_a_new_machine_is_written_out_in_full_as_a_person_would(templates: LiveApi, hand: libvirt.virConnect) -> None:
    answer = templates.client.post("/vms", json={"name": "web", "template": "/templates/small/"})
    assert answer.json()["target_uri"] == "/vms/web"
    assert templates.task(answer)["status"] == "finished"
    text = templates.text("vms/web.yaml") + "\n"
    assert (
        re.sub("uid: .*", "uid: UID", text)
        == """\
apiVersion: onggi/v1
kind: VirtualMachine
metadata:
  name: web
  uid: UID
  annotations:
    onggi/template: small
spec:
  osDistro: debian
  osVersion: "12"
  cpus: 2
  memory: 512
  disks:
    - name: disk0
      size: 1GiB
      pool: default-pool
  interfaces:
    - network: default
  graphics:
    type: vnc
    listen: 127.0.0.1
  runStrategy: Halted
"""
    )
    assert templates.log()[0] == "Create machine web from template small"
    web = templates.client.get("/vms/web").json()
    assert (web["state"], web["memory"], web["cpus"]) == ("shutoff", 512, 2)
    assert (web["icon"], web["screenshot"]) == ("images/icon-debian.png", None)
    assert web["graphics"]["type"] == "vnc" and web["graphics"]["port"] is None
    assert hand.lookupByName("web").UUIDString() == web["uuid"]
    assert "web-disk0.qcow2" in disks_on(hand)


def test_later_changes_of_the_template_leave_a_machine_alone(templates: LiveApi) -> None:
    make(templates)
    templates.repository.commit({"templates/small.yaml": TEMPLATE.replace("512", "1024")}, "Grow")
    head = templates.repository.head
    until(lambda: head in str(templates.serving.world.desired.revision), 60, "the commit is read")
    assert templates.client.get("/vms/web").json()["memory"] == 512


def test_a_machine_without_a_name_gets_the_template_s_and_a_number(templates: LiveApi) -> None:
    answers = [templates.client.post("/vms", json={"template": "/templates/small"}) for _ in range(3)]
    assert [templates.task(each)["status"] for each in answers] == ["finished"] * 3
    assert [each.json()["target_uri"] for each in answers] == [f"/vms/small-vm-{n}" for n in (1, 2, 3)]


def test_pool_and_console_can_be_chosen(templates: LiveApi, hand: libvirt.virConnect) -> None:
    hand.storagePoolDefineXML("<pool type='dir'><name>fast</name><target><path>/fast</path></target></pool>").create()
    until(lambda: any(ref.name == "fast" for ref in templates.serving.world.snapshot.objects), 60, "the pool is seen")
    body = {"storagepool": "/storagepools/fast", "graphics": {"type": "spice", "listen": "::1"}}
    web = make(templates, **body)
    assert (web["graphics"]["type"], web["graphics"]["listen"]) == ("spice", "::1")
    assert "pool: fast" in templates.text("vms/web.yaml")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "KCHVM0016E"),
        ([], 400, "KCHVM0016E"),
        ({"template": "/storagepools/x"}, 400, "KCHVM0012E"),
        ({"template": "/templates/nothing"}, 404, "KCHOBJST0001E"),
        ({"template": "/templates/small", "name": "a/b"}, 400, "KCHVM0011E"),
        ({"template": "/templates/small", "name": ".."}, 400, "KCHVM0011E"),
        ({"template": "/templates/small", "name": "test"}, 400, "KCHVM0001E"),
        ({"template": "/templates/small", "storagepool": "default"}, 400, "KCHVM0013E"),
        ({"template": "/templates/small", "storagepool": "/storagepools/nothing"}, 400, "KCHTMPL0004E"),
        ({"template": "/templates/small", "graphics": {"type": "sdl"}}, 400, "KCHVM0014E"),
        ({"template": "/templates/small", "graphics": {"listen": "everywhere"}}, 400, "KCHVM0015E"),
    ],
)
def test_what_can_t_be_made_is_refused_before_a_task_begins(
    templates: LiveApi, body: Any, status: int, code: str
) -> None:
    before = templates.log()
    answer = templates.client.post("/vms", json=body)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert (templates.log(), templates.client.get("/tasks").json()) == (before, [])


def test_a_template_whose_network_is_gone_makes_no_machine(templates: LiveApi) -> None:
    templates.repository.commit({"templates/base.yaml": BASE.replace("[default]", "[nowhere]")}, "Move")
    until(lambda: templates.repository.head in str(templates.serving.world.desired.revision), 60, "the commit is read")
    answer = templates.client.post("/vms", json={"template": "/templates/small"})
    assert code_of(answer) == "KCHTMPL0003E"


def test_two_requests_for_one_name_make_one_machine(templates: LiveApi) -> None:
    answers = [templates.client.post("/vms", json={"name": "web", "template": "/templates/small"}) for _ in range(2)]
    assert [each.status_code for each in answers] == [202, 400]
    assert code_of(answers[1]) == "KCHVM0001E"
    assert templates.task(answers[0])["status"] == "finished"


def test_a_machine_that_can_t_be_made_leaves_nothing(templates: LiveApi, hand: libvirt.virConnect) -> None:
    taken = make(templates, "first")
    hand.storagePoolLookupByName("default-pool").createXML(
        "<volume><name>second-disk0.qcow2</name><capacity>1</capacity></volume>"
    )  # the agent hasn't looked there since
    answer = templates.client.post("/vms", json={"name": "second", "template": "/templates/small"})
    if answer.status_code == 202:
        task = templates.task(answer)
        assert task["status"] == "failed" and "second-disk0.qcow2" in task["message"]
    assert [each["name"] for each in templates.client.get("/vms").json()] == ["first", "test"]
    assert "vms/second.yaml" not in git(templates.repository.path, "ls-tree", "-r", "--name-only", "HEAD")
    assert templates.client.get("/vms/first").json()["uuid"] == taken["uuid"]


# Changes


def test_fields_are_changed_within_the_file_that_a_person_wrote(templates: LiveApi) -> None:
    make(templates)
    text = templates.text("vms/web.yaml").replace("  cpus: 2", "  cpus: 2  # as the shop needs")
    templates.repository.commit({"vms/web.yaml": text}, "Explain")
    changed = templates.client.put("/vms/web", json={"cpus": 3, "memory": 768, "users": [ME], "groups": ["root"]})
    assert changed.status_code == 200, changed.text
    web = templates.client.get("/vms/web").json()
    assert changed.json() == web
    assert (web["cpus"], web["memory"], web["users"], web["groups"]) == (3, 768, [ME], ["root"])
    assert "  cpus: 3  # as the shop needs\n  memory: 768\n" in templates.text("vms/web.yaml")
    assert templates.log()[0] == "Change machine web"


def test_sizes_of_a_running_machine_change_at_its_next_start_and_never_before(
    templates: LiveApi, hand: libvirt.virConnect
) -> None:
    make(templates)
    client, domain = templates.client, hand.lookupByName("web")
    client.post("/vms/web/start")
    before = client.get("/vms/web").json()
    changed = client.put("/vms/web", json={"cpus": before["cpus"] + 1, "memory": before["memory"] + 256})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["cpus"], changed.json()["memory"]) == (before["cpus"], before["memory"])
    assert (domain.info()[2], domain.info()[3]) == (before["memory"] << 10, before["cpus"])
    assert f"onggi/next-boot: cpus={before['cpus'] + 1}, memory={before['memory'] + 256}" in templates.text(
        "vms/web.yaml"
    )
    (waiting,) = templates.agent.plan.waiting
    assert {change.pointer for change in waiting.changes} == {"/cpus", "/memory"}
    client.post("/vms/web/poweroff")
    client.post("/vms/web/start")
    after = client.get("/vms/web").json()
    assert (after["cpus"], after["memory"]) == (before["cpus"] + 1, before["memory"] + 256)
    text = templates.text("vms/web.yaml").replace(f"memory: {after['memory']}", f"memory: {before['memory']}")
    templates.repository.commit({"vms/web.yaml": text}, "A person's edit is live, as ever")
    until(lambda: domain.info()[2] == before["memory"] << 10, 30, "the running machine has what the document says")


def test_access_is_changed_piece_by_piece_and_cleared(templates: LiveApi) -> None:
    make(templates)
    templates.client.put("/vms/web", json={"users": [ME], "groups": ["root"]})
    templates.client.put("/vms/web", json={"users": []})
    web = templates.client.get("/vms/web").json()
    assert (web["users"], web["groups"]) == ([], ["root"])
    templates.client.put("/vms/web", json={"groups": []})
    assert "access" not in templates.text("vms/web.yaml")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"bogus": 1}, "KCHAPI0008E"),
        ({"name": 12}, "KCHAPI0008E"),
        ({"name": ""}, "KCHAPI0008E"),
        ({"name": "a/b"}, "KCHAPI0008E"),
        ({"name": "-x"}, "KCHVM0011E"),
        ({"name": "test"}, "KCHVM0001E"),
        ({"cpus": -2}, "KCHTMPL0012E"),
        ({"cpus": "four"}, "KCHTMPL0012E"),
        ({"memory": 100}, "KCHTMPL0013E"),
        ({"memory": "ten gigas"}, "KCHTMPL0013E"),
        ({"memory": 1024, "users": ["nobody-of-that-name"]}, "KCHVM0027E"),
        ({"memory": 1024, "groups": ["no-group\0"]}, "KCHVM0028E"),
        ({"users": [ME, ME]}, "KCHAPI0008E"),
        ({"graphics": {"passwd": 5}}, "KCHVM0031E"),
        ({"graphics": {"passwd": "two\nlines"}}, "KCHVM0031E"),
        ({"graphics": {"passwdValidTo": "soon"}}, "KCHVM0032E"),
        ({"graphics": {"passwdValidTo": 1e300}}, "KCHVM0032E"),
        ({"graphics": {"listen": "0.0.0.0"}}, "KCHAPI0008E"),
    ],
)
def test_one_bad_value_leaves_everything_as_it_is(templates: LiveApi, body: dict[str, Any], code: str) -> None:
    make(templates)
    before, head = templates.client.get("/vms/web").json(), templates.repository.head
    answer = templates.client.put("/vms/web", json=body)
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert (templates.client.get("/vms/web").json(), templates.repository.head) == (before, head)


def test_a_machine_that_git_doesn_t_know_is_adopted_by_a_change(api: LiveApi) -> None:
    uuid = api.client.get("/vms/test").json()["uuid"]
    assert api.client.put("/vms/test", json={"users": [ME]}).status_code == 200
    assert (api.client.get("/vms/test").json()["users"], api.client.get("/vms/test").json()["uuid"]) == ([ME], uuid)
    assert 'onggi/adopt: "true"' in api.text("vms/test.yaml")


def test_a_password_is_kept_beside_git(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    answer = templates.client.put("/vms/web", json={"graphics": {"passwd": "s3cret", "passwdValidTo": 3600}})
    graphics = answer.json()["graphics"]
    assert graphics["passwd"] == "s3cret" and 3500 < graphics["passwdValidTo"] <= 3600
    assert "s3cret" not in git(templates.repository.path, "log", "-p")
    (file,) = (templates.agent.settings.state / "secrets").iterdir()
    assert file.read_text() == "s3cret\n" and file.stat().st_mode & 0o777 == 0o600
    assert str(file) in templates.text("vms/web.yaml")
    assert "passwd='s3cret'" in hand.lookupByName("web").XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)

    again = templates.client.put("/vms/web", json={"graphics": {"passwd": "0ther"}}).json()["graphics"]
    assert again["passwd"] == "0ther" and again["passwdValidTo"] <= 3600
    assert "passwd='0ther'" in hand.lookupByName("web").XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)


def test_a_password_that_is_blank_or_left_out_is_a_random_one_for_half_a_minute(templates: LiveApi) -> None:
    make(templates)
    passwords = set()
    for graphics in ({"passwd": ""}, {}, {"passwdValidTo": 10}):
        got = templates.client.put("/vms/web", json={"graphics": graphics}).json()["graphics"]
        assert re.fullmatch("[A-Za-z0-9]{8}", got["passwd"]) and got["passwdValidTo"] <= (
            graphics.get("passwdValidTo", 30)
        )
        assert templates.client.get("/vms/web").json()["graphics"]["passwd"] == got["passwd"]
        passwords.add(got["passwd"])
    assert len(passwords) == 3


def test_a_machine_that_has_less_memory_than_kimchis_least_takes_that_back(templates: LiveApi) -> None:
    templates.client.put("/templates/small", json={"memory": 128})
    make(templates)
    assert templates.client.put("/vms/web", json={"memory": 128}).json()["memory"] == 128
    assert code_of(templates.client.put("/vms/web", json={"memory": 256})) == "KCHTMPL0013E"


def test_a_refused_change_leaves_no_secret(templates: LiveApi) -> None:
    make(templates)
    text = templates.text("vms/web.yaml").replace(
        "  memory: 512", "  memory: 512\n  cpuTopology: {sockets: 2, cores: 1, threads: 1}"
    )
    templates.repository.commit({"vms/web.yaml": text}, "Arrange")
    answer = templates.client.put("/vms/web", json={"cpus": 3, "graphics": {"passwd": "x"}})
    assert answer.status_code == 400, answer.text
    assert list((templates.agent.settings.state / "secrets").iterdir()) == []


def test_a_stale_view_changes_nothing(templates: LiveApi) -> None:
    make(templates)
    tag = templates.client.get("/vms/web").headers["ETag"]
    assert templates.client.put("/vms/web", json={"memory": 600}, headers={"If-Match": tag}).status_code == 200
    assert templates.client.put("/vms/web", json={"memory": 700}, headers={"If-Match": tag}).status_code == 412


# Removal


def test_a_removed_machine_takes_its_disks_along(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    make(templates, "other")
    assert templates.client.delete("/vms/web").status_code == 204
    assert templates.client.get("/vms/web").status_code == 404
    assert templates.client.delete("/vms/web").status_code == 404
    assert templates.log()[0] == "Delete machine web"
    assert {"web-disk0.qcow2", "other-disk0.qcow2"} & disks_on(hand) == {"other-disk0.qcow2"}
    assert not any("web" in ref.name for ref in templates.agent.line.ledger.ownership.all())


def test_a_running_machine_is_switched_off_and_removed(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    assert templates.client.post("/vms/web/start").status_code == 200
    assert templates.client.delete("/vms/web").status_code == 204
    assert "web" not in [domain.name() for domain in hand.listAllDomains()]
    assert "web-disk0.qcow2" not in disks_on(hand)


def test_a_protected_machine_stays(templates: LiveApi) -> None:
    make(templates)
    text = templates.text("vms/web.yaml").replace("  annotations:\n", '  annotations:\n    onggi/protect: "true"\n')
    templates.repository.commit({"vms/web.yaml": text}, "Protect")
    assert templates.client.delete("/vms/web").status_code == 409
    assert templates.client.get("/vms/web").status_code == 200


def test_a_machine_that_git_doesn_t_know_is_removed_by_an_operation(api: LiveApi, hand: libvirt.virConnect) -> None:
    disk = "<volume><name>mine</name><capacity>1048576</capacity></volume>"
    hand.storagePoolLookupByName("default-pool").createXML(disk)
    source = "<disk type='file'><source file='/default-pool/mine'/><target dev='vda'/></disk>"
    hand.defineXML(
        "<domain type='test'><name>handmade</name><memory>65536</memory><os><type>hvm</type></os>"
        f"<devices>{source}</devices></domain>"
    )
    until(lambda: api.client.get("/vms/handmade").status_code == 200, 60, "the machine is seen")
    before = api.log()
    assert api.client.delete("/vms/handmade").status_code == 204
    assert api.client.get("/vms/handmade").status_code == 404
    assert (api.log(), "mine" in disks_on(hand)) == (before, True)


def test_a_name_is_free_again_after_a_removal(templates: LiveApi) -> None:
    first = make(templates)
    templates.client.delete("/vms/web")
    assert make(templates)["uuid"] != first["uuid"]
