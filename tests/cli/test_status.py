"""`onggi status`, `get`, `events`, `suspend` and `resume`: what the state folder knows, and what may be told to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from reconciler.ledger.ledger import Ledger
from reconciler.ledger.lock import StateFolder
from reconciler.planning.operations import Define
from reconciler.planning.plan import Action, Step
from reconciler.status.condition import Condition
from reconciler.status.outcome import Result, StepOutcome
from reconciler.status.suspension import ALL
from specs.effect import Effect
from specs.reference import Ref
from tests.cli.command import Onggi
from tests.lab.repositories import Repository

REVISION = "main@sha1:0123"
WEB, LAN = Ref("VirtualMachine", "tg-web"), Ref("Network", "tg-lan")


def outcome(ref: Ref, result: Result, message: str = "") -> StepOutcome:
    step = Step(ref, Action.CREATE, "declared, and not on the host", Effect.LIVE, (Define(ref, "u", "<x/>"),))
    return StepOutcome(step, result, message, 0.1)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """What an agent left after its first pass: one object that is well, one that isn't."""
    folder = tmp_path / "state"
    folder.mkdir()
    with Ledger.open(folder) as ledger:
        ledger.history.record(
            [outcome(LAN, Result.CREATED), outcome(WEB, Result.FAILED, "no room on the disk")], REVISION
        )
        ledger.status.note(
            {
                LAN: (Condition("Ready", True, "Succeeded", "the host is as the document says", REVISION),),
                WEB: (
                    Condition("Ready", False, "Failed", "no room on the disk", REVISION),
                    Condition("Stalled", True, "BackingOff", "failed once", REVISION),
                ),
            },
            REVISION,
            {LAN: "active"},
        )
        ledger.heartbeat.tell(connect="test:///default", connected=True, revision=REVISION, source_problem="")
    return folder


@pytest.fixture
def agent(state: Path) -> Iterator[None]:
    """Somebody who holds the state folder, as a running agent does."""
    with StateFolder.open(state, exclusive=True):
        yield


def test_without_an_agent_there_is_nothing_to_tell(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("status", "--state", tmp_path / "nowhere")
    assert done.code == 0
    assert "No agent runs" in done.out
    assert not (tmp_path / "nowhere").exists()


def test_status_tells_of_the_agent_and_of_every_object(onggi: Onggi, state: Path) -> None:
    lines = onggi("status", "--state", state).out.splitlines()
    assert lines[0] == "Agent:      not running"
    assert f"Revision:   {REVISION}" in lines
    assert "Host:       test:///default (not connected)" in lines
    table = [line.split(None, 3) for line in lines[lines.index("") + 1 :]]
    assert table == [
        ["KIND", "NAME", "STATUS", "MESSAGE"],
        ["Network", "tg-lan", "Active"],
        ["VirtualMachine", "tg-web", "BackingOff", "no room on the disk; failed once"],
    ]


@pytest.mark.usefixtures("agent")
def test_a_running_agent_is_seen_by_its_lock(onggi: Onggi, state: Path) -> None:
    assert onggi("status", "--state", state).out.startswith("Agent:      running (process ")
    assert onggi("status", "--state", state, "-o", "json").json["agent"]["running"] is True


def test_get_lists_a_kind_or_shows_one(onggi: Onggi, state: Path) -> None:
    assert onggi("get", "net", "--state", state).out.splitlines()[1].split() == ["Network", "tg-lan", "Active"]
    document = yaml.safe_load(onggi("get", "vm", "tg-web", "-o", "yaml", "--state", state).out)
    assert (document["kind"], document["metadata"]["name"]) == ("VirtualMachine", "tg-web")
    ready, stalled = document["status"]["conditions"]
    assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", "False", "Failed")
    assert stalled["type"] == "Stalled"
    assert document["status"]["lastOutcome"]["result"] == "failed"
    listed = onggi("get", "vm", "-o", "json", "--state", state).json
    assert [item["metadata"]["name"] for item in listed["items"]] == ["tg-web"]


def test_scripts_learn_from_the_exit_code_that_something_will_not_come_true(onggi: Onggi, state: Path) -> None:
    assert onggi("get", "net", "--state", state).code == 0
    assert onggi("get", "vm", "tg-web", "--state", state).code == 1
    assert onggi("get", "vm", "--state", state).code == 1
    assert onggi("status", "--state", state).code == 1
    with Ledger.open(state) as ledger:
        ledger.status.note({LAN: (Condition("Ready", True, "Succeeded", "", REVISION),)}, REVISION)
    assert onggi("status", "--state", state).code == 0


def test_a_repository_that_cannot_be_followed_is_an_error_with_since_when(onggi: Onggi, state: Path) -> None:
    with Ledger.open(state) as ledger:
        ledger.status.note({LAN: (Condition("Ready", True, "Succeeded", "", REVISION),)}, REVISION)
        ledger.heartbeat.tell(
            source_problem=f"{REVISION} stays in force: the branch is gone",
            source_reason="NotAnswering",
            source_since="2026-01-31T12:00:00Z",
        )
    told = onggi("status", "--state", state)
    assert told.code == onggi("get", "net", "tg-lan", "--state", state).code == 1
    assert f"Problem:    {REVISION} stays in force: the branch is gone (since 2026-01-31T12:00:00Z)" in told.out
    [condition] = onggi("status", "-o", "json", "--state", state).json["agent"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("SourceReadable", "False", "NotAnswering")
    assert condition["lastTransitionTime"] == "2026-01-31T12:00:00Z"


def test_an_object_that_nobody_knows_is_an_error(onggi: Onggi, state: Path) -> None:
    done = onggi("get", "vm", "tg-nobody", "--state", state)
    assert (done.code, done.out) == (1, "")
    assert "Nothing is known of VirtualMachine/tg-nobody" in done.err


def test_events_can_be_narrowed(onggi: Onggi, state: Path) -> None:
    def objects(*words: object) -> list[str]:
        return [event["name"] for event in onggi("events", *words, "--state", state, "-o", "json").json]

    assert objects() == ["tg-lan", "tg-web"]
    assert objects("vm") == ["tg-web"]
    assert objects("net", "tg-lan") == ["tg-lan"]
    assert objects("--warnings") == ["tg-web"]
    assert objects("--limit", "1") == ["tg-web"]
    assert objects("--since", "1h") == ["tg-lan", "tg-web"]
    assert objects("--since", "2999-01-01T00:00:00Z") == []
    table = onggi("events", "--state", state).out.splitlines()
    assert table[0].split() == ["TIME", "TYPE", "RESULT", "OBJECT", "MESSAGE"]
    assert table[2].split(None, 4)[1:] == ["Warning", "failed", "VirtualMachine/tg-web", "no room on the disk"]


def test_a_moment_that_is_none_is_told(onggi: Onggi, state: Path) -> None:
    assert "neither a length of time" in onggi("events", "--since", "yesterday", "--state", state).err


@pytest.mark.usefixtures("agent")
def test_one_object_is_suspended_and_resumed_beside_a_running_agent(onggi: Onggi, state: Path) -> None:
    assert onggi("suspend", "vm", "tg-web", "--state", state).code == 0
    ledger = Ledger.open(state, readonly=True)
    assert ledger.decisions.suspended() == {WEB}
    assert onggi("resume", "vm", "tg-web", "--state", state).code == 0
    assert ledger.decisions.suspended() == frozenset()


def test_everything_is_suspended_and_resumed(onggi: Onggi, state: Path) -> None:
    assert onggi("suspend", "--state", state).code == 0
    ledger = Ledger.open(state, readonly=True)
    assert ledger.decisions.suspended() is ALL
    assert "Suspended:  everything is left alone" in onggi("status", "--state", state).out
    assert onggi("suspend", "vm", "tg-web", "--state", state).code == 0
    done = onggi("resume", "--state", state)
    assert ledger.decisions.suspended() == {WEB}
    assert "still suspended by themselves: VirtualMachine/tg-web" in done.err


def test_a_kind_alone_is_not_an_object(onggi: Onggi, state: Path) -> None:
    done = onggi("suspend", "vm", "--state", state)
    assert done.code == 1
    assert "name the object too" in done.err
    assert Ledger.open(state, readonly=True).decisions.suspended() == frozenset()


def test_whoever_suspends_what_nobody_knows_is_told(onggi: Onggi, state: Path) -> None:
    done = onggi("suspend", "vm", "tg-nobody", "--state", state)
    assert done.code == 0
    assert "nothing is known of VirtualMachine/tg-nobody" in done.err


def test_who_suspended_an_object_and_why_stands_in_its_status(onggi: Onggi, tmp_path: Path) -> None:
    folder, state = tmp_path / "repository", tmp_path / "state"
    lan = "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: lan}\nspec: {mode: isolated, subnet: 10.99.7.0/24}\n"
    Repository(folder).commit({"lan.yaml": lan})
    words = ("apply", folder, "--state", state, "--connect", "test:///default", "--yes")
    assert onggi(*words).code == 0
    done = onggi("suspend", "net", "lan", "--state", state, "--reason", "a switch is\nreplaced", SUDO_USER="ada")
    assert done.code == 0, done.err
    onggi(*words)
    (shown,) = onggi("get", "net", "--state", state, "-o", "json").json["items"]
    message = next(item["message"] for item in shown["status"]["conditions"] if item["type"] == "Suspended")
    assert message.startswith("left alone (by ada since 2")
    assert message.endswith("Z: a switch is replaced) until it is resumed: onggi resume Network lan")
    onggi("suspend", "--state", state, "--reason", "the move", SUDO_USER="ada")
    assert ": the move) until: onggi resume" in onggi("status", "--state", state).out
    assert onggi("status", "--state", state, "-o", "json").json["agent"]["suspension"].endswith(": the move")


def test_after_an_apply_alone_get_and_status_know_how_everything_is(onggi: Onggi, tmp_path: Path) -> None:
    folder, state = tmp_path / "repository", tmp_path / "state"
    document = "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: %s}\nspec: {mode: isolated, subnet: %s}\n"
    repository = Repository(folder)
    repository.commit(
        {"lan.yaml": document % ("lan", "10.99.7.0/24"), "default.yaml": document % ("default", "10.99.8.0/24")}
    )
    assert onggi("apply", folder, "--state", state, "--connect", "test:///default", "--yes").code == 1
    items = onggi("get", "net", "--state", state, "-o", "json").json["items"]
    assert {item["metadata"]["name"]: item["status"]["summary"] for item in items} == {
        "lan": "Active", "default": "OwnedByOther"
    }  # fmt: skip
    lines = onggi("status", "--state", state).out.splitlines()
    assert lines[0] == "Agent:      not running"
    assert any(line.startswith(f"Revision:   main@sha1:{repository.head}") for line in lines)


def test_a_file_that_nobody_can_read_is_in_status_and_events_and_fails_a_script(onggi: Onggi, tmp_path: Path) -> None:
    folder, state = tmp_path / "repository", tmp_path / "state"
    lan = "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: lan}\nspec: {mode: isolated, subnet: 10.99.7.0/24}\n"
    repository = Repository(folder)
    repository.commit({"lan.yaml": lan, "vms/new.yaml": "kind: ["})
    words = ("apply", folder, "--state", state, "--connect", "test:///default", "--yes")
    assert onggi(*words).code == 1
    shown = onggi("status", "--state", state)
    assert shown.code == 1
    assert shown.out.splitlines()[-1].split(None, 3)[:3] == ["File", "vms/new.yaml", "InvalidDocument"]
    assert "vms/new.yaml:2:1: This isn't YAML" in shown.out
    [file] = onggi("status", "--state", state, "-o", "json").json["files"]
    assert file["path"] == "vms/new.yaml"
    assert "File/vms/new.yaml" in onggi("events", "--warnings", "--state", state).out
    repository.remove("vms/new.yaml")
    onggi(*words)
    assert "vms/new.yaml" not in onggi("status", "--state", state).out


def test_what_was_suspended_or_resumed_after_the_last_pass_is_seen_at_once(onggi: Onggi, state: Path) -> None:
    onggi("suspend", "net", "tg-lan", "--reason", "a switch is replaced", "--state", state, SUDO_USER="ada")
    for shown in (onggi("status", "--state", state), onggi("get", "net", "tg-lan", "--state", state)):
        [line] = [line for line in shown.out.splitlines() if "tg-lan" in line]
        assert line.split()[:3] == ["Network", "tg-lan", "Suspended"]
        assert "left alone (by ada since 2" in line
        assert line.endswith("a switch is replaced) until it is resumed: onggi resume Network tg-lan")
    onggi("resume", "net", "tg-lan", "--state", state)
    assert "Suspended" not in onggi("status", "--state", state).out
    assert onggi("resume", "net", "tg-lan", "--state", state).out == "Network/tg-lan was not suspended\n"


def test_get_says_that_no_agent_looks_and_as_of_when_it_is(onggi: Onggi, state: Path) -> None:
    with Ledger.open(state) as ledger:
        ledger.heartbeat.tell(last_pass="2026-01-02T03:04:05Z")
    assert "no agent runs; this is how it was at 2026-01-02T03:04:05Z" in onggi("get", "net", "--state", state).err


@pytest.mark.usefixtures("agent")
def test_get_beside_an_agent_says_nothing_of_it(onggi: Onggi, state: Path) -> None:
    assert onggi("get", "net", "--state", state).err == ""
