"""/vms/{name}/snapshots on the test driver: made by tasks, listed, put back, deleted."""

from __future__ import annotations

import time
from typing import Any

import httpx
import libvirt
import pytest

from specs.binding import parse
from specs.reference import Ref
from specs.virtualmachine.storage.snapshots import hindrance
from tests.api.live import LiveApi
from tests.api.parts import declare, define, disk_xml, document, is_at_rest


def make(api: LiveApi, machine: str = "byhand", **body: Any) -> httpx.Response:
    return api.client.post(f"/vms/{machine}/snapshots", json=body)


def names(api: LiveApi, machine: str = "byhand") -> list[str]:
    return [each["name"] for each in api.client.get(f"/vms/{machine}/snapshots").json()]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"].partition(":")[0]


@pytest.fixture
def byhand(api: LiveApi, hand: libvirt.virConnect) -> LiveApi:
    define(hand)
    api.serving.operations.look_again(None)
    return api


def test_a_task_makes_a_snapshot(byhand: LiveApi) -> None:
    answer = make(byhand, name="before the update ü")
    assert answer.json()["target_uri"] == "/vms/byhand/snapshots/before%20the%20update%20%C3%BC"
    assert byhand.task(answer)["status"] == "finished"
    assert byhand.client.get(answer.json()["target_uri"]).status_code == 200
    (found,) = byhand.client.get("/vms/byhand/snapshots").json()
    assert (found["name"], found["parent"], found["state"]) == ("before the update ü", "", "shutoff")
    assert isinstance(found["created"], str)
    assert found["created"].isdecimal()
    assert byhand.client.get("/vms/byhand/snapshots/before the update ü").json() == found
    assert byhand.client.get("/vms/byhand/snapshots/current").json() == found


def test_without_a_name_it_is_called_by_the_clock(byhand: LiveApi) -> None:
    before = int(time.time())
    answers = [byhand.client.post("/vms/byhand/snapshots"), make(byhand, name="")]
    assert [byhand.task(answer)["status"] for answer in answers] == ["finished", "finished"]
    assert len(names(byhand)) == 2
    assert all(before <= int(name) <= time.time() + 2 for name in names(byhand))


def test_a_name_that_another_request_was_promised_is_not_taken_from_it(byhand: LiveApi) -> None:
    names_of_all = byhand.serving.names
    promise = names_of_all.take(Ref("Snapshot", "byhand/1700000000"))
    assert promise is not None
    assert code(make(byhand, name="1700000000")) == (400, "KCHSNAP0002E")
    assert names_of_all.take(promise.ref) is None, "it is promised still"
    names_of_all.release(promise)
    assert byhand.task(make(byhand, name="1700000000"))["status"] == "finished"


def test_names_are_sorted_whatever_their_case(byhand: LiveApi) -> None:
    for name in ("b", "A", "C"):
        byhand.task(make(byhand, name=name))
    assert names(byhand) == ["A", "b", "C"]
    found = byhand.client.get("/vms/byhand/snapshots", params={"parent": "A"}).json()
    assert [each["name"] for each in found] == ["C"]


def test_the_current_one_follows_what_was_put_back(byhand: LiveApi) -> None:
    assert byhand.client.get("/vms/byhand/snapshots/current").json() == {}
    for name in ("a", "b"):
        byhand.task(make(byhand, name=name))
    assert byhand.client.get("/vms/byhand/snapshots/current").json()["name"] == "b"
    back = byhand.client.post("/vms/byhand/snapshots/a/revert")
    assert (back.status_code, back.headers["Location"]) == (303, f"{byhand.url}/vms/byhand/snapshots/a")
    assert byhand.client.get("/vms/byhand/snapshots/current").json()["name"] == "a"


def test_children_stay_when_their_parent_is_deleted(byhand: LiveApi) -> None:
    for name in ("a", "b"):
        byhand.task(make(byhand, name=name))
    gone = byhand.client.delete("/vms/byhand/snapshots/a")
    assert (gone.status_code, gone.content) == (204, b"")
    assert [(each["name"], each["parent"]) for each in byhand.client.get("/vms/byhand/snapshots").json()] == [("b", "")]


def test_a_name_that_is_taken_fails_the_task(byhand: LiveApi) -> None:
    byhand.task(make(byhand, name="a"))
    failed = byhand.task(make(byhand, name="a"))
    assert failed["status"] == "failed"
    assert failed["message"].startswith("KCHSNAP0002E: ")


@pytest.mark.parametrize("name", ["a/b", ".hidden", "a\nb", "current", " ", "n" * 201, 5, "ü" * 150])
def test_a_name_that_could_be_something_else_is_refused(byhand: LiveApi, name: object) -> None:
    refused = make(byhand, name=name)
    if refused.status_code == 202:  # too long in bytes alone: the host says so
        assert byhand.task(refused)["message"].startswith("KCHSNAP0002E: ")
    else:
        assert code(refused) == (400, "KCHSNAP0002E")
    assert names(byhand) == []


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("delete", ""), ("post", "/revert")])
def test_a_snapshot_that_is_not_there_is_not_found(byhand: LiveApi, method: str, path: str) -> None:
    answer = getattr(byhand.client, method)(f"/vms/byhand/snapshots/none{path}")
    assert code(answer) == (404, "KCHSNAP0003E")
    assert code(getattr(byhand.client, method)(f"/vms/nobody/snapshots/none{path}")) == (404, "KCHVM0002E")


def test_the_snapshots_of_a_machine_that_is_not_there(api: LiveApi) -> None:
    assert code(api.client.get("/vms/nobody/snapshots")) == (404, "KCHVM0002E")
    assert code(api.client.get("/vms/nobody/snapshots/current")) == (404, "KCHVM0002E")
    assert code(make(api, "nobody")) == (404, "KCHVM0002E")


def test_a_machine_that_runs_or_has_other_disks_has_no_snapshot_made(api: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, "running", start=True)
    define(hand, "raw", disk_xml("/raw.img", "vda", "raw") + disk_xml("", "hda", "raw", "ide", "cdrom"))
    api.serving.operations.look_again(None)
    assert code(make(api, "running")) == (400, "KCHSNAP0001E")
    refused = make(api, "raw")
    assert code(refused) == (400, "KCHSNAP0010E")
    assert "vda" in refused.json()["reason"]


def test_a_machine_that_runs_is_kept_as_it_runs_and_its_document_follows_what_is_put_back(
    api: LiveApi, hand: libvirt.virConnect
) -> None:
    declare(api, "web", "  runStrategy: Always\n  disks: [{size: 1GiB, pool: default-pool}]\n")
    assert api.task(make(api, "web", name="alive"))["status"] == "finished"
    assert api.client.get("/vms/web/snapshots/alive").json()["state"] == "running"
    assert api.client.post("/vms/web/poweroff").json()["state"] == "shutoff"
    assert api.client.post("/vms/web/snapshots/alive/revert").status_code == 303
    assert api.client.get("/vms/web").json()["state"] == "running"
    assert document(api, "web")["spec"]["runStrategy"] == "RerunOnFailure"
    assert api.log()[0] == "Run as in its snapshot machine web"
    assert hand.lookupByName("web").isActive()
    api.client.delete("/vms/web")


def test_what_keeps_a_running_machine_from_being_kept_is_told_by_its_definition() -> None:
    """Disks that can't hold it, none that could, and a device of the host; of one that is off, disks alone matter."""

    def reason(devices: str, *, running: bool = True) -> str:
        root = parse(f"<domain><devices>{devices}</devices></domain>")
        found = hindrance(root, "web", running=running)
        return "" if found is None else found.reason

    good, card = disk_xml("/a", "vda"), "<hostdev mode='subsystem' type='pci'/>"
    assert reason(good + disk_xml("", "sda", "raw", "sata", "cdrom")) == ""
    assert reason(good + "<hostdev mode='subsystem' type='usb'/>") == ""
    assert reason(good + card) == reason("") == "NotWhileRunning"
    assert reason(good + card, running=False) == reason("", running=False) == ""
    assert reason(good + disk_xml("/b", "vdb", "raw"), running=False) == "DiskNotSnapshotable"


def test_a_snapshot_is_an_operation_that_the_events_tell_of(byhand: LiveApi) -> None:
    log = byhand.log()
    byhand.task(make(byhand, name="a"))
    assert byhand.log() == log
    told = [(event.who, event.message) for event in byhand.agent.line.ledger.history.events()]
    assert any(who.startswith("api:") and "snapshot a" in message for who, message in told)


@pytest.mark.parametrize(("strategy", "after"), [("Halted", "shutoff"), ("Always", "running"), ("Manual", "shutoff")])
def test_after_a_snapshot_was_put_back_the_machine_is_as_its_document_says(
    api: LiveApi, hand: libvirt.virConnect, strategy: str, after: str
) -> None:
    declare(api, "web", "  runStrategy: Halted\n  memory: 64\n")
    api.task(make(api, "web", name="small"))
    text = api.text("vms/web.yaml").replace("memory: 64", "memory: 128").replace("Halted", strategy)
    api.repository.commit({"vms/web.yaml": text})
    sequence = api.agent.queue.source_changed()
    assert api.agent.passes.wait(lambda world: world.sequence >= sequence and is_at_rest(world), 30)
    assert api.client.post("/vms/web/snapshots/small/revert").status_code == 303
    assert api.agent.passes.wait(is_at_rest, 30)
    domain = hand.lookupByName("web")
    assert (domain.maxMemory() >> 10, bool(domain.isActive())) == (128, after == "running")
    assert document(api, "web")["spec"]["memory"] == 128
