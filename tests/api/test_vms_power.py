"""Actions of /vms on the test driver: what is wanted from now on is committed, the rest is done at once."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest

from reconciler.loop import crash_loops
from reconciler.settings.windows import SyncWindow
from specs.reference import Ref
from tests.api.live import LiveApi, live_api
from tests.api.machines import code_of, make
from tests.lab.repositories import Repository
from tests.lab.waiting import until


def state(api: LiveApi, name: str = "web") -> str:
    return str(api.client.get(f"/vms/{name}").json()["state"])


def act(api: LiveApi, action: str, name: str = "web") -> str:
    answer = api.client.post(f"/vms/{name}/{action}")
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"stats": 0} == api.client.get(f"/vms/{name}").json() | {"stats": 0}
    return str(answer.json()["state"])


def test_the_power_of_a_machine_is_told_by_git_log(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    assert act(templates, "start") == "running"
    assert hand.lookupByName("web").isActive()
    assert "runStrategy: RerunOnFailure" in templates.text("vms/web.yaml")
    assert act(templates, "suspend") == "paused"
    assert "paused: true" in templates.text("vms/web.yaml")
    assert act(templates, "resume") == "running"
    assert "paused" not in templates.text("vms/web.yaml")
    assert act(templates, "poweroff") == "shutoff"
    assert "runStrategy: Halted" in templates.text("vms/web.yaml")
    assert templates.log()[:5] == [
        "Power off machine web", "Resume machine web", "Suspend machine web", "Start machine web",
        "Create machine web from template small",
    ]  # fmt: skip


def test_a_guest_that_shuts_down_stays_off_until_it_is_started(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    act(templates, "start")
    hand.lookupByName("web").shutdown()
    until(lambda: state(templates) == "shutoff", 60, "the machine is seen to be off")
    head = templates.repository.head
    assert act(templates, "start") == "running"
    assert templates.repository.head == head, "nothing new is wanted"


def test_nobody_waits_for_the_rest_of_a_machine_that_ended_too_often(
    templates: LiveApi, hand: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crash_loops, "FIRST_S", crash_loops.LONGEST_S)
    make(templates)
    for _ in range(6):  # by its people, as often as they like
        assert act(templates, "start") == "running"
        templates.client.post("/vms/web/shutdown")
        until(lambda: state(templates) == "shutoff", 60, "the machine is off")
    document = templates.text("vms/web.yaml").replace("Halted", "Always")
    templates.repository.commit({"vms/web.yaml": document}, "Run it always")
    web = Ref("VirtualMachine", "web")
    for _ in range(2):  # and of itself
        until(lambda: hand.lookupByName("web").isActive(), 60, "it runs")
        until(lambda: state(templates) == "running", 60, "it is seen to run")
        hand.lookupByName("web").shutdown()
    until(lambda: web in templates.serving.world.crash_loops, 60, "it rests")
    assert act(templates, "start") == "running"
    assert hand.lookupByName("web").isActive()


def test_a_shutdown_is_asked_for_and_lasts(templates: LiveApi, hand: libvirt.virConnect) -> None:
    make(templates)
    act(templates, "start")
    assert templates.client.post("/vms/web/shutdown").status_code == 200
    until(lambda: state(templates) == "shutoff", 60, "the machine is off")
    assert "runStrategy: Halted" in templates.text("vms/web.yaml")
    assert not hand.lookupByName("web").isActive()


def test_a_suspended_machine_that_was_switched_off_starts_running(templates: LiveApi) -> None:
    make(templates)
    act(templates, "start")
    act(templates, "suspend")
    assert act(templates, "poweroff") == "shutoff"
    assert act(templates, "start") == "running"


def test_starting_a_suspended_machine_lets_it_go_on(templates: LiveApi) -> None:
    make(templates)
    act(templates, "start")
    act(templates, "suspend")
    assert act(templates, "start") == "running"


def test_a_suspended_machine_can_be_removed(templates: LiveApi) -> None:
    make(templates)
    act(templates, "start")
    act(templates, "suspend")
    assert templates.client.delete("/vms/web").status_code == 204


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("poweroff", "KCHVM0049E"),
        ("shutdown", "KCHVM0050E"),
        ("reset", "KCHVM0051E"),
        ("suspend", "KCHVM0037E"),
        ("resume", "KCHVM0039E"),
    ],
)
def test_what_makes_no_sense_for_a_machine_that_is_off_is_refused(templates: LiveApi, action: str, code: str) -> None:
    make(templates)
    head = templates.repository.head
    answer = templates.client.post(f"/vms/web/{action}")
    assert (answer.status_code, code_of(answer), templates.repository.head) == (400, code, head)


@pytest.mark.parametrize(
    ("action", "code"), [("start", "KCHVM0048E"), ("resume", "KCHVM0039E"), ("clone", "KCHVM0033E")]
)
def test_what_makes_no_sense_for_a_running_machine_is_refused(api: LiveApi, action: str, code: str) -> None:
    answer = api.client.post("/vms/test/" + action)
    assert (answer.status_code, code_of(answer)) == (400, code)


@pytest.mark.parametrize("action", ["start", "poweroff", "shutdown", "reset", "suspend", "resume", "connect", "clone"])
def test_actions_on_nothing_are_not_found(api: LiveApi, action: str) -> None:
    body = b"{not read" if action != "connect" else b""  # that one may say which console it wants
    answer = api.client.post(f"/vms/nothing/{action}", content=body)
    assert (answer.status_code, code_of(answer)) == (404, "KCHVM0002E")


def test_connecting_tells_of_the_console(api: LiveApi) -> None:
    assert api.client.post("/vms/test/connect").json()["graphics"] == api.client.get("/vms/test").json()["graphics"]


def test_what_the_connection_can_t_do_is_said(api: LiveApi) -> None:
    answer = api.client.post("/vms/test/reset")
    assert answer.status_code in (200, 501), answer.text


def test_a_machine_without_a_definition_is_stopped_by_an_operation(api: LiveApi, hand: libvirt.virConnect) -> None:
    hand.createXML("<domain type='test'><name>brief</name><memory>65536</memory><os><type>hvm</type></os></domain>")
    until(lambda: api.client.get("/vms/brief").status_code == 200, 60, "the machine is seen")
    assert api.client.get("/vms/brief").json()["persistent"] is False
    assert code_of(api.client.delete("/vms/brief")) == "KCHVM0036E"
    assert code_of(api.client.put("/vms/brief", json={"cpus": 2})) == "KCHVM0036E"
    answer = api.client.post("/vms/brief/poweroff")
    assert (answer.status_code, answer.json()["state"]) == (200, "shutoff")
    assert api.client.get("/vms/brief").status_code == 404
    assert api.log() == []


def test_without_writes_the_repository_is_named_instead(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({})
    with live_api(repository, tmp_path / "state", api_writes="off") as api:
        for answer in (
            api.client.post("/vms/test/poweroff"),
            api.client.post("/vms/test/suspend"),
            api.client.put("/vms/test", json={"graphics": {"passwd": "x"}}),
            api.client.put("/vms/test", json={"cpus": 2}),
            api.client.delete("/vms/test"),
            api.client.post("/vms", json={"template": "/templates/small"}),
        ):
            assert (answer.status_code, str(repository.path) in answer.text) == (403, True), answer.text
        assert hand.lookupByName("test").isActive()


def test_outside_of_the_hours_for_changes_it_is_said_that_it_comes_later(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    always = SyncWindow("deny", "* * * * *", 3600.0, "UTC")
    repository.commit({})
    with live_api(repository, tmp_path / "state", sync_windows=(always,)) as api:
        suspended = api.client.post("/vms/test/suspend")
        assert (suspended.status_code, "later" in suspended.text) == (503, True)
        assert api.client.get("/vms/test").json()["state"] == "running"
        removed = api.client.delete("/vms/test")
        assert removed.status_code == 503, removed.text
        assert hand.lookupByName("test").isActive()
        assert api.log()[0] == "Suspend machine test"
