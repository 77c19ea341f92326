"""Users see and work with just the machines that their documents give them, and nothing tells them of another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import httpx
import libvirt
import pytest

from tests.api.live import LiveApi
from tests.api.own_machines import MINE, YOURS, document, peopled
from tests.lab.people import ADMIN, OPERATOR, OTHER, USER, VIEWER
from tests.lab.waiting import until
from tests.stories.hosts import SHARED

SUB_ADDRESSES = ("", "/storages", "/storages/vda", "/ifaces", "/hostdevs", "/snapshots", "/snapshots/current",
                 "/screenshot", "/virtviewerfile")  # fmt: skip
STRANGE = """<domain type='test'><name>strange</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>"""
ACTIONS = ("start", "poweroff", "shutdown", "reset", "suspend", "resume", "connect", "clone", "snapshots", "storages")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    with peopled(tmp_path_factory.mktemp("own")) as running:
        yield running


@pytest.fixture
def api(whole: LiveApi) -> LiveApi:
    return whole


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [machine["name"] for machine in answer.json()]


def test_a_list_shows_a_user_their_own_alone_and_a_viewer_all(api: LiveApi) -> None:
    assert names(api.client.get("/vms", auth=USER)) == ["hers", "theirs"]
    assert names(api.client.get("/vms", auth=OTHER)) == []
    for somebody in (VIEWER, OPERATOR, ADMIN):
        assert {*MINE, *YOURS} <= {*names(api.client.get("/vms", auth=somebody))}


@pytest.mark.parametrize("query", ["description=for", "title=.*zebra", "state=shutoff", "memory=64", "users=somebody"])
def test_a_filter_is_no_oracle(api: LiveApi, query: str) -> None:
    assert {*names(api.client.get(f"/vms?{query}", auth=USER))} <= {"hers", "theirs"}
    assert names(api.client.get(f"/vms?{query}", auth=OTHER)) == []
    assert "zebra" in names(api.client.get(f"/vms?{query}"))


def test_anothers_machine_is_told_of_as_one_that_is_not_there(api: LiveApi) -> None:
    asked = [("GET", each) for each in SUB_ADDRESSES] + [("POST", f"/{each}") for each in ACTIONS]
    for method, below in [*asked, ("PUT", ""), ("DELETE", ""), ("PATCH", ""), ("DELETE", "/storages/vda")]:
        there, not_there = (
            api.client.request(method, f"/vms/{name}{below}", auth=USER, content=b"{") for name in ("zebra", "absent")
        )
        assert there.status_code == not_there.status_code == 404, f"{method} {below}"
        assert there.text.replace("zebra", "absent") == not_there.text
        assert not_there.json()["reason"] == "KCHVM0002E: The machine absent doesn't exist."
        ignored = {"x-request-id", "content-length", "date", "connection"}  # whether the body had come by then
        heads = [{key: value for key, value in one.headers.items() if key not in ignored} for one in (there, not_there)]
        assert heads[0] == heads[1]


def test_an_owner_works_with_a_machine_as_an_operator_does(api: LiveApi) -> None:
    for somebody, name in ((USER, "hers"), (USER, "theirs"), (VIEWER, "veras")):
        for below in SUB_ADDRESSES[:-2]:
            found = api.client.get(f"/vms/{name}{below}", auth=somebody)
            assert found.status_code == 200 or "vda" in below, found.text
        for power in ("start", "reset", "suspend", "resume", "connect", "poweroff"):
            answer = api.client.post(f"/vms/{name}/{power}", auth=somebody)
            assert answer.status_code == 200, f"{power}: {answer.text}"
        changed = api.client.put(f"/vms/{name}", json={"cpus": 2, "title": "Another"}, auth=somebody)
        assert changed.status_code == 200, changed.text
        assert changed.json()["cpus"] == 2
        for beyond in ({"users": ["uma"]}, {"groups": []}, {"name": "other"}):
            assert api.client.put(f"/vms/{name}", json=beyond, auth=somebody).status_code == 403
        for below in ("/clone", "/storages", "/ifaces", "/hostdevs"):
            assert api.client.post(f"/vms/{name}{below}", json={}, auth=somebody).status_code == 403


def test_an_owner_of_one_machine_is_a_viewer_of_the_others_still(api: LiveApi) -> None:
    assert api.client.get("/vms/zebra", auth=VIEWER).status_code == 200
    for power in ("start", "poweroff"):
        assert api.client.post(f"/vms/zebra/{power}", auth=VIEWER).status_code == 403
    assert api.client.put("/vms/zebra", json={"memory": 128}, auth=VIEWER).status_code == 403
    assert api.client.delete("/vms/zebra", auth=VIEWER).status_code == 403
    assert api.client.delete("/vms/zebra", auth=OPERATOR).status_code == 403


def test_a_new_name_tells_an_owner_of_no_other_machine(api: LiveApi) -> None:
    answers = [api.client.put("/vms/hers", json={"name": name}, auth=USER) for name in ("zebra", "nobodys", "absent")]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1


def test_how_things_are_is_told_of_ones_own_machines_alone(api: LiveApi) -> None:
    seen = api.client.get("/status", auth=USER).json()
    assert {each["metadata"]["name"] for each in seen["objects"]} == {
        "hers", "theirs", "default-pool/hers-root.qcow2", "default-pool/theirs-root.qcow2",
    }  # fmt: skip
    assert (seen["agent"], seen["files"]) == (
        {"running": True, "connected": True, "suspended": False, "conditions": []},
        [],
    )
    assert "hers.yaml" not in api.client.get("/status/VirtualMachine/hers", auth=USER).text
    assert "hers.yaml" in api.client.get("/status/VirtualMachine/hers", auth=VIEWER).text
    there, not_there = (api.client.get(f"/status/vm/{name}", auth=USER) for name in ("zebra", "absent"))
    assert (there.status_code, not_there.status_code) == (404, 404)
    assert there.text.replace("zebra", "absent") == not_there.text


def test_a_drive_of_an_owner_gets_what_is_there_for_everybody_and_is_no_way_to_look_for_files(api: LiveApi) -> None:
    with closing(libvirt.open(SHARED)) as connection:
        pool = connection.storagePoolLookupByName("default-pool")
        paths = {}
        for name in ("a.iso", "onggi-seed-zebra-0123456789ab.iso"):
            volume = pool.createXML(f"<volume><name>{name}</name><capacity>1048576</capacity></volume>")
            paths[name] = volume.path()
        folder = paths["a.iso"].removesuffix("/a.iso")
    drive = api.client.post("/vms/hers/storages", json={"type": "cdrom", "path": paths["a.iso"]}).json()["dev"]
    address = f"/vms/hers/storages/{drive}"
    assert api.client.put(address, json={"path": ""}, auth=USER).status_code == 200
    assert api.client.put(address, json={"path": paths["a.iso"]}, auth=USER).status_code == 200
    refused = set()
    seed = paths["onggi-seed-zebra-0123456789ab.iso"]
    for path in (seed, f"{folder}/zebra-root.qcow2", f"{folder}/absent.iso", "/etc/passwd", "/absent"):
        answer = api.client.put(address, json={"path": path}, auth=USER)
        assert answer.status_code == 400
        refused.add(answer.json()["reason"].replace(path, "it"))
    assert refused == {"KCHVMSTOR0003E: it isn't an ISO image of a storage pool that is there for everybody."}
    assert api.client.put(address, json={"path": "http://192.0.2.1/a.iso"}, auth=USER).status_code == 403


def test_who_may_use_a_machine_is_an_administrators_to_say_and_holds_at_once(api: LiveApi) -> None:
    def given_to(access: str) -> None:
        api.repository.commit({"nobodys.yaml": document("nobodys", access)}, f"Give it to {access}")

    for taker, access in ((USER, "{users: [uma]}"), (OTHER, "{groups: [people]}")):
        assert api.client.get("/vms/nobodys", auth=taker).status_code == 404
        given_to(access)
        until(lambda: api.client.get("/vms/nobodys", auth=taker).status_code == 200, 60, "it is theirs")  # noqa: B023
        given_to("{}")
        until(lambda: api.client.get("/vms/nobodys", auth=taker).status_code == 404, 60, "it isn't")  # noqa: B023


def test_an_owner_may_remove_a_machine_and_has_no_part_in_the_next_of_its_name(api: LiveApi) -> None:
    assert api.client.delete("/vms/theirs", auth=OTHER).status_code == 404
    assert api.client.delete("/vms/theirs", auth=USER).status_code == 204
    assert names(api.client.get("/vms", auth=USER)) == ["hers"]
    assert "theirs-root" not in api.client.get("/storagepools/default-pool/storagevolumes").text
    api.repository.commit({"theirs.yaml": document("theirs", "{groups: [others]}")}, "Make another of that name")
    until(lambda: api.client.get("/vms/theirs").status_code == 200, 60, "another is there")
    assert names(api.client.get("/vms", auth=USER)) == ["hers"]
    assert api.client.get("/vms/theirs", auth=USER).status_code == 404


def test_what_somebody_puts_on_the_host_under_its_name_is_not_the_documents(api: LiveApi) -> None:
    with closing(libvirt.open(SHARED)) as connection:
        connection.defineXML(STRANGE)
        api.repository.commit({"strange.yaml": document("strange", "{users: [uma]}")}, "Declare its name")
        until(lambda: "OwnedByOther" in api.client.get("/status/VirtualMachine/strange").text, 60, "it is refused")
        assert api.client.get("/vms/strange").status_code == 200
        assert names(api.client.get("/vms", auth=USER)) == ["hers"]
        for method, below in (("GET", ""), ("POST", "/start"), ("DELETE", "")):
            assert api.client.request(method, f"/vms/strange{below}", auth=USER).status_code == 404
