"""What later versions of Kimchi tell and change of a machine: its words, its room to grow, and how it boots."""

from __future__ import annotations

from typing import Any

import libvirt

from specs.binding import parse
from tests.api.live import LiveApi
from tests.api.parts import declare, define, document

CARD = "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>"
SPEC = "  memory: 64\n  cpus: 1\n  runStrategy: Halted\n  interfaces:\n    - {network: default, bootOrder: 1}\n"


def put(api: LiveApi, body: dict[str, Any], name: str = "web") -> dict[str, Any]:
    answer = api.client.put(f"/vms/{name}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_machine_that_says_nothing_of_it(api: LiveApi) -> None:
    found = api.client.get("/vms/test").json()
    assert (found["title"], found["description"], found["autostart"]) == ("", "", False)
    assert found["cpu_info"] == {"vcpus": found["cpus"], "maxvcpus": found["cpus"], "topology": {}}
    assert found["max_memory"] == 8192
    assert (found["bootorder"], found["bootmenu"]) == (["hd"], False)


def test_its_words_are_a_commit_each(api: LiveApi, hand: libvirt.virConnect) -> None:
    declare(api, "web", SPEC)
    found = put(api, {"title": "The shop", "description": "Two\nlines", "autostart": True})
    assert (found["title"], found["description"], found["autostart"]) == ("The shop", "Two\nlines", True)
    assert document(api, "web")["spec"]["autostart"] is True
    web = hand.lookupByName("web")
    assert web.autostart() and web.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None) == "The shop"
    cleared = put(api, {"title": "", "description": "", "autostart": False})
    assert (cleared["title"], cleared["description"], cleared["autostart"]) == ("", "", False)


def test_it_boots_by_kinds(api: LiveApi, hand: libvirt.virConnect) -> None:
    declare(api, "web", SPEC)
    assert api.client.get("/vms/web").json()["bootorder"] == ["network"]
    found = put(api, {"bootorder": ["cdrom", "network", "hd"], "bootmenu": True})
    assert (found["bootorder"], found["bootmenu"]) == (["cdrom", "network", "hd"], True)
    spec = document(api, "web")["spec"]
    assert spec["bootDevices"] == ["cdrom", "network", "hd"]
    assert spec["interfaces"] == [{"network": "default"}]
    root = parse(hand.lookupByName("web").XMLDesc())
    assert [each.get("dev") for each in root.iterfind("os/boot")] == ["cdrom", "network", "hd"]
    assert root.find("devices/interface/boot") is None


def test_its_memory_is_a_number_or_an_object(api: LiveApi) -> None:
    declare(api, "web", SPEC)
    found = put(api, {"memory": {"current": 1024, "maxmemory": 2048}})
    assert (found["memory"], found["max_memory"]) == (1024, 2048)
    found = put(api, {"memory": {"maxmemory": 4096}})
    assert (found["memory"], found["max_memory"]) == (1024, 4096)
    assert put(api, {"memory": 512})["memory"] == 512
    for memory, code in (
        ({}, "KCHTMPL0030E"), ({"most": 1}, "KCHTMPL0030E"), ({"current": "1"}, "KCHTMPL0013E"),
        ({"current": 100}, "KCHTMPL0013E"), ({"current": 2048, "maxmemory": 1024}, "KCHTMPL0031E"),
        ("1024", "KCHTMPL0013E"), ([1024], "KCHTMPL0013E"),
    ):  # fmt: skip
        answer = api.client.put("/vms/web", json={"memory": memory})
        assert (answer.status_code, answer.json()["reason"].partition(":")[0]) == (400, code), memory
    assert document(api, "web")["spec"]["memory"] == 512


def test_it_gets_room_to_grow_and_an_arrangement(api: LiveApi) -> None:
    declare(api, "web", SPEC)
    found = put(api, {"cpu_info": {"vcpus": 2, "maxvcpus": 4}, "max_memory": 1024})
    assert found["cpus"] == 2 and found["max_memory"] == 1024
    assert found["cpu_info"] == {"vcpus": 2, "maxvcpus": 4, "topology": {}}
    topology = {"sockets": 2, "cores": 2, "threads": 2}
    found = put(api, {"cpu_info": {"topology": topology}})
    assert found["cpu_info"] == {"vcpus": 2, "maxvcpus": 8, "topology": topology}
    assert document(api, "web")["spec"]["maximumCpus"] == 8


def test_what_a_running_machine_could_be_told_at_once_waits_for_its_boot(api: LiveApi) -> None:
    declare(api, "web", SPEC.replace("Halted", "Always").replace("cpus: 1", "cpus: 1\n  maximumCpus: 4"))
    found = put(api, {"cpu_info": {"vcpus": 3}, "bootorder": ["hd"]})
    assert (found["state"], found["cpus"], found["cpu_info"]["vcpus"]) == ("running", 1, 1)
    assert found["bootorder"] == ["hd"]
    assert document(api, "web")["metadata"]["annotations"]["onggi/next-boot"] == "cpus=3"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"title": "two\nlines"}, "KCHVM0085E"),
    ({"title": 5}, "KCHVM0085E"),
    ({"description": 5}, "KCHVM0086E"),
    ({"autostart": "yes"}, "KCHAPI0008E"),
    ({"bootorder": ["floppy"]}, "KCHVM0052E"),
    ({"bootorder": []}, "KCHVM0052E"),
    ({"bootorder": ["hd", "hd"]}, "KCHVM0052E"),
    ({"bootmenu": "on"}, "KCHVM0053E"),
    ({"cpu_info": {"speed": 3}}, "KCHCPUINF0008E"),
    ({"cpus": 2, "cpu_info": {"vcpus": 3}}, "KCHTMPL0012E"),
    ({"cpu_info": {"vcpus": 0}}, "KCHTMPL0012E"),
    ({"cpu_info": {"vcpus": 4, "maxvcpus": 2}}, "KCHCPUINF0001E"),
    ({"cpu_info": {"topology": {"sockets": 1}}}, "KCHTMPL0026E"),
    ({"cpu_info": {"maxvcpus": 3, "topology": {"sockets": 1, "cores": 2, "threads": 1}}}, "KCHCPUINF0002E"),
    ({"max_memory": 32}, "KCHTMPL0031E"),
]


def test_what_can_not_be_is_refused_and_changes_nothing(api: LiveApi) -> None:
    declare(api, "web", SPEC)
    before, commits = api.client.get("/vms/web").json(), api.log()
    answers = [api.client.put("/vms/web", json=body) for body, _ in REFUSED]
    assert {each.status_code for each in answers} == {400}
    assert [each.json()["reason"].partition(":")[0] for each in answers] == [code for _, code in REFUSED]
    assert (api.client.get("/vms/web").json(), api.log()) == (before, commits)


def test_a_machine_that_git_does_not_know_keeps_how_it_boots(api: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, devices=CARD)
    domain = parse(hand.lookupByName("byhand").XMLDesc())
    api.serving.operations.look_again(None)
    kinds = [each.get("dev") for each in domain.iterfind("os/boot")]
    assert put(api, {"description": "x"}, "byhand")["bootorder"] == kinds
