"""Nothing is wrong in silence: what begins and what ends is told once, in the log and as events, over restarts too."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import libvirt
import pytest

from api.metrics.view import metrics_text
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.records import Event, ObjectStatus
from reconciler.loop.agent import Agent
from reconciler.reporting.matters import FILE, SOURCE, is_well, unread_files
from reconciler.reporting.plan_text import plan_text
from reconciler.reporting.status_text import agent_conditions, status_report
from reconciler.settings.settings import Settings
from specs.reference import Ref
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until
from tests.stories.agents import running_agent
from tests.stories.hosts import SHARED

WEB = Ref("VirtualMachine", "web")


def vm(name: str = "web", **fields: object) -> str:
    spec = {"memory": 64, "runStrategy": "Always", **fields}
    lines = "".join(f"  {key}: {value}\n" for key, value in spec.items())
    return f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {name}}}\nspec:\n{lines}"


def events(state: Path, ref: Ref) -> list[Event]:
    return Ledger.open(state, readonly=True).history.events(ref=ref)


def told(state: Path, ref: Ref) -> list[tuple[str, str]]:
    return [(event.type, event.result) for event in events(state, ref)]


def status(state: Path, ref: Ref = WEB) -> ObjectStatus:
    found = Ledger.open(state, readonly=True).status.of(ref)
    assert found is not None
    return found


def metrics(agent: Agent) -> str:
    assert agent.passes.latest is not None
    return metrics_text(agent.passes.latest, agent.tally.counted(), {}, {})


def unread(state: Path) -> list[tuple[str, str]]:
    """The files that `onggi status` and /status name."""
    notices = Ledger.open(state, readonly=True).notices.open().values()
    files = status_report({}, [], running=True, suspended=False, unread=unread_files(notices))["files"]
    return [(file["path"], file["reason"]) for file in files]


def info(state: Path) -> dict[str, str]:
    return dict(Ledger.open(state, readonly=True).heartbeat.told())


@pytest.mark.usefixtures("hand")
def test_a_remote_that_cannot_be_read_is_told_with_since_when_and_what_stays_in_force(
    pushed_repository: Repository, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    remote, state = tmp_path / "remote.git", tmp_path / "state"
    head = pushed_repository.commit({"web.yaml": vm()})
    pushed_repository.push()
    source = Ref(SOURCE, f"file://{remote}")
    with running_agent(f"file://{remote}", SHARED, state, interval_s=1.0) as agent:
        assert "onggi_source_readable 1.0\n" in metrics(agent)
        remote.rename(tmp_path / "moved.git")
        until(lambda: info(state).get("source_problem"), 60, "the status tells")
        begun = info(state)
        assert begun["source_reason"] == "NotAnswering"
        assert head in begun["source_problem"]
        assert "stays in force" in begun["source_problem"]
        until(lambda: "onggi_source_readable 0.0\n" in metrics(agent), 60, "and so does the metric")
        assert 'onggi_source_unreadable_since_seconds{reason="NotAnswering"}' in metrics(agent)
        assert told(state, source) == [("Warning", "SourceUnreadable")]
    with running_agent(f"file://{remote}", SHARED, state, interval_s=1.0):
        assert info(state)["source_since"] == begun["source_since"]
        assert told(state, source) == [("Warning", "SourceUnreadable")], "a restart doesn't tell it again"
        (tmp_path / "moved.git").rename(remote)
        until(lambda: not info(state)["source_problem"], 60, "it is back")
        assert told(state, source) == [("Warning", "SourceUnreadable"), ("Normal", "resolved")]
    assert caplog.text.count("SourceUnreadable: NotAnswering") == 1


@pytest.mark.usefixtures("hand")
def test_a_remote_that_never_answered_is_told_by_an_agent_that_has_nothing_to_go_by(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state, stop = tmp_path / "state", threading.Event()
    agent = Agent(Settings(repository=f"file://{tmp_path / 'nowhere.git'}", connect=SHARED, state=state))
    running = threading.Thread(target=agent.run, args=(stop,))
    running.start()
    try:
        until(lambda: info(state).get("source_reason") == "NotAnswering", 60, "the status tells")
        assert "no revision is in force" in info(state)["source_problem"]
    finally:
        stop.set()
        agent.interrupt()
        running.join(60)
    assert told(state, Ref(SOURCE, f"file://{tmp_path / 'nowhere.git'}")) == [("Warning", "SourceUnreadable")]
    assert caplog.text.count("SourceUnreadable") == 1


@pytest.mark.usefixtures("hand")
def test_a_branch_that_is_deleted_or_emptied_is_told(pushed_repository: Repository, tmp_path: Path) -> None:
    remote, state = tmp_path / "remote.git", tmp_path / "state"
    pushed_repository.commit({"web.yaml": vm()})
    pushed_repository.push()
    with running_agent(f"file://{remote}", SHARED, state, interval_s=1.0):
        git(remote, "update-ref", "-d", "refs/heads/main")
        until(lambda: "no commit on its default branch" in info(state)["source_problem"], 60, "the branch is missed")
        pushed_repository.remove("web.yaml")
        pushed_repository.push("--force")
        until(lambda: info(state)["source_reason"] == "Empty", 60, "an empty branch is told, too")
        assert "nothing is removed" in info(state)["source_problem"]


@pytest.mark.usefixtures("hand")
def test_a_history_that_is_rewritten_is_told_with_both_commits_also_when_nobody_looked(
    pushed_repository: Repository, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    remote, state = tmp_path / "remote.git", tmp_path / "state"
    source = Ref(SOURCE, f"file://{remote}")
    first = pushed_repository.commit({"web.yaml": vm()})
    pushed_repository.push()

    def rewrite(memory: int) -> str:
        git(pushed_repository.path, "reset", "--hard", "--quiet", "HEAD~1")
        head = pushed_repository.commit({"web.yaml": vm(memory=memory)})
        pushed_repository.push("--force")
        return head

    with running_agent(f"file://{remote}", SHARED, state, interval_s=1.0):
        second = rewrite(80)
        until(lambda: second in info(state)["revision"], 60, "it is followed")
    third = rewrite(96)
    with running_agent(f"file://{remote}", SHARED, state):
        pass
    one, other = (event for event in events(state, source) if event.result == "Rewritten")
    assert (first[:12] in one.message, second[:12] in one.message) == (True, True)
    assert (second[:12] in other.message, third[:12] in other.message) == (True, True)
    assert "was rewritten (a force push)" in caplog.text


@pytest.mark.usefixtures("hand")
def test_a_rewritten_history_is_a_condition_until_what_it_lacks_is_decided(
    pushed_repository: Repository, tmp_path: Path
) -> None:
    remote, state = tmp_path / "remote.git", tmp_path / "state"
    pushed_repository.commit({"web.yaml": vm()})
    both = pushed_repository.commit({"other.yaml": vm("other")})
    pushed_repository.push()
    with running_agent(f"file://{remote}", SHARED, state, interval_s=1.0) as agent:
        until(lambda: both in info(state)["revision"], 60, "both are there")
        assert "onggi_source_rewritten_since_seconds{" not in metrics(agent)
        git(pushed_repository.path, "reset", "--hard", "--quiet", "HEAD~1")
        pushed_repository.push("--force")
        until(lambda: info(state)["source_reason"] == "Rewritten", 60, "it is told")
        assert both[:12] in info(state)["source_problem"]
        (shown,) = agent_conditions(info(state))
        assert (shown["type"], shown["status"]) == ("HistoryRewritten", "True")
        until(lambda: 'onggi_source_rewritten_since_seconds{reason="Rewritten"}' in metrics(agent), 60, "a metric, too")
        assert "onggi_source_readable 1.0\n" in metrics(agent)
        pushed_repository.commit({"other.yaml": vm("other")})
        pushed_repository.push()
        until(lambda: info(state)["source_reason"] == "", 60, "what it lacked is declared again")
    assert told(state, Ref(SOURCE, f"file://{remote}"))[-2:] == [
        ("Warning", "HistoryRewritten"), ("Normal", "resolved")
    ]  # fmt: skip


@pytest.mark.usefixtures("hand")
def test_what_a_broken_file_declares_stays_in_the_list_with_the_mistake(repository: Repository, tmp_path: Path) -> None:
    state = tmp_path / "state"
    repository.commit({"web.yaml": vm(), "net.yaml": "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: lan}\n"
                       "spec: {mode: isolated, subnet: 192.168.77.0/24}\n"})  # fmt: skip
    with running_agent(repository.path, SHARED, state) as agent:
        until(lambda: status(state).state == "running", 60, "it runs")
        repository.commit({"web.yaml": "kind: ["})
        until(lambda: not is_well(status(state).conditions), 60, "its status tells")
        assert status(state).state == "running"
        [ready] = status(state).conditions
        assert ready.reason == "InvalidDocument"
        assert ready.message.startswith("web.yaml:2:1: ")
        assert 'name="web",ready="false",status="InvalidDocument"' in metrics(agent)
        assert 'onggi_document_problems{path="web.yaml"} 1' in metrics(agent)
        assert told(state, Ref(FILE, "web.yaml")) == [("Warning", "InvalidDocument")]
        assert unread(state) == [("web.yaml", "InvalidDocument")]
        repository.commit({"web.yaml": vm()})
        until(lambda: is_well(status(state).conditions), 60, "it is repaired")
        assert unread(state) == []
        assert told(state, Ref(FILE, "web.yaml")) == [("Warning", "InvalidDocument"), ("Normal", "resolved")]
        assert told(state, WEB)[-2:] == [("Warning", "InvalidDocument"), ("Normal", "resolved")]


def test_what_is_blocked_is_told_once_when_it_begins_and_once_when_it_ends(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    state = tmp_path / "state"
    hand.defineXML("<domain type='test'><name>web</name><memory>65536</memory><os><type>hvm</type></os></domain>")
    repository.commit({"web.yaml": vm()})
    with running_agent(repository.path, SHARED, state):
        assert told(state, WEB) == [("Warning", "OwnedByOther")]
    [ready] = [line for line in caplog.messages if line.startswith("ready at")]
    assert "not well: VirtualMachine/web (OwnedByOther)" in ready
    with running_agent(repository.path, SHARED, state):
        assert told(state, WEB) == [("Warning", "OwnedByOther")]
        hand.lookupByName("web").undefine()
        until(lambda: is_well(status(state).conditions), 60, "the name is free")
        assert ("Normal", "resolved") in told(state, WEB)
    assert len([line for line in caplog.messages if line.startswith(f"{WEB}: OwnedByOther: ")]) == 1
    assert f"{WEB}: OwnedByOther is over" in caplog.messages


def test_what_was_healed_is_told_field_by_field(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    state = tmp_path / "state"
    repository.commit({"web.yaml": vm(title="ours", runStrategy="Manual")})
    with running_agent(repository.path, SHARED, state):
        machine = hand.lookupByName("web")
        hand.defineXML(machine.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE).replace(">65536<", ">98304<"))
        until(lambda: len(events(state, WEB)) > 1, 60, "it is healed")
        healed = "changed on the host since it was last applied: /memory 96 → 64"
        assert events(state, WEB)[-1].message == healed
        assert healed in caplog.text


def test_what_is_changed_on_a_suspended_machine_is_told_and_left_alone_until_it_is_resumed(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    repository.commit({"web.yaml": vm(title="ours", runStrategy="Manual")})

    def drifted() -> str:
        return next((item.message for item in status(state).conditions if item.type == "Drifted"), "")

    with running_agent(repository.path, SHARED, state) as agent:
        beside = Ledger.open(state, readonly=True)
        beside.decisions.suspend(WEB)
        until(lambda: status(state).conditions[0].reason == "Suspended", 60, "it is suspended")
        hand.defineXML(hand.lookupByName("web").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE).replace("65536", "98304"))
        until(drifted, 60, "the status tells")
        assert drifted() == "/memory 96 → 64; suspended, so it is left as it is"
        [record] = beside.drift.records()
        assert (record.field, record.found, record.policy) == ("/memory", 96, "suspended")
        assert ("Warning", "Drifted") in told(state, WEB)
        assert agent.plan is not None
        assert agent.plan.empty
        assert "No changes are made: whatever differs" in plan_text(agent.plan, colour=False, width=100)
        beside.decisions.resume(WEB)
        until(lambda: beside.drift.records(healed=True)[0].healed_by == "onggi", 60, "resumed, it is put back")


def test_what_a_commit_brings_is_never_drift(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    uid = "5c0d1f5e-7a52-4d0e-9f6b-0d6a5d1b2c3f"

    def machine(name: str, *disks: str, **fields: object) -> str:
        drives = ", ".join(f"{{name: {disk}, size: 1MiB, pool: disks}}" for disk in disks)
        return vm(name, disks=f"[{drives}]", **fields)

    pool = "apiVersion: onggi/v1\nkind: StoragePool\nmetadata: {name: disks}\nspec: {type: dir, path: /disks}\n"
    repository.commit({"pool.yaml": pool, "web.yaml": machine("web", "root", runStrategy="Halted")})

    def other(name: str, **fields: object) -> str:
        return vm(name, runStrategy="Halted", **fields).replace(f"name: {name}}}", f"name: {name}, uid: {uid}}}", 1)

    def there(name: str) -> bool:
        return any(each.name() == name for each in hand.listAllDomains())

    with running_agent(repository.path, SHARED, state):
        until(lambda: there("web"), 60, "it is there")
        repository.commit({"web.yaml": machine("web", "root", "data", "more", runStrategy="Always", memory=96)})
        until(lambda: status(state).state == "running", 60, "it has its new disks and runs")
        repository.commit({"other.yaml": other("one")})
        until(lambda: there("one"), 60, "another one is made")
        repository.commit({"other.yaml": other("two", memory=96)})
        until(
            lambda: there("two") and is_well(status(state, Ref("VirtualMachine", "two")).conditions), 60, "and renamed"
        )
    assert Ledger.open(state, readonly=True).drift.records(healed=True) == []
    assert "changed on the host" not in caplog.text
