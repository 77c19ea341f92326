"""A real agent tells a forge how commits fare and what pull requests would do, and never does what they propose."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from reconciler.errors import SettingsError
from reconciler.forges import client
from reconciler.forges.reports import host_name
from reconciler.loop.agent import Agent
from reconciler.network.exchange import Patience
from tests.forges.server import API, TOKEN, running_forge
from tests.forges.world import World, vm
from tests.lab.repositories import Repository
from tests.lab.waiting import until

KINDS = sorted(API)
HOST = host_name("")


@pytest.fixture
def world(
    request: pytest.FixtureRequest, pushed_repository: Repository, private_test_uri: str, tmp_path: Path
) -> Iterator[World]:
    """GitHub unless the test asks for another."""
    with running_forge(getattr(request, "param", "github")) as forge:
        yield World(forge, pushed_repository, tmp_path / "remote.git", tmp_path, private_test_uri)


def every_forge(test: object) -> object:
    return pytest.mark.parametrize("world", KINDS, indirect=True)(test)  # type: ignore[arg-type]


def names(agent: Agent) -> set[str]:
    assert agent.snapshot is not None
    return {ref.name for ref in agent.snapshot.objects if ref.kind == "VirtualMachine"}


@every_forge
def test_a_commit_is_pending_and_then_as_declared(world: World) -> None:
    first = world.push({"hw-a.yaml": vm("hw-a")})
    with world.agent() as agent:
        until(lambda: world.forge.states(first) == ["pending", "success"], 60, "the commit is told of")
        second = world.push({"hw-b.yaml": vm("hw-b")})
        agent.fetch_now()
        until(lambda: world.forge.states(second) == ["pending", "success"], 60, "the next one too")
    assert {context for _, _, context, _ in world.forge.statuses} == {f"onggi/{HOST}"}
    texts = [text for commit, _, _, text in world.forge.statuses if commit == second]
    assert texts == ["0 to delete, 1 to create", "2 objects as declared"]


@every_forge
def test_a_broken_document_is_a_failure_and_its_repair_a_success(world: World) -> None:
    first = world.push({"hw-a.yaml": vm("hw-a"), "bad.yaml": "kind: Nothing\n"})
    with world.agent() as agent:
        until(lambda: world.forge.states(first)[-1:] == ["failure"], 60, "the failure is told of")
        assert "1 error in documents" in world.forge.statuses[-1][3]
        second = world.push({"bad.yaml": vm("hw-b")})
        agent.fetch_now()
        until(lambda: world.forge.states(second)[-1:] == ["success"], 60, "the success is told of")


def test_healing_by_hand_made_changes_is_no_news_of_the_commit(world: World) -> None:
    commit = world.push({"hw-a.yaml": vm("hw-a")})
    world.uri = "test:///default"  # shared with the hand below
    hand = libvirt.open(world.uri)
    with world.agent():
        until(lambda: world.forge.states(commit) == ["pending", "success"], 60, "the commit is told of")
        hand.lookupByName("hw-a").undefine()
        until(lambda: hand.lookupByName("hw-a"), 60, "it is made again")
    assert world.forge.states(commit) == ["pending", "success"]
    hand.lookupByName("hw-a").undefine()
    hand.close()


def test_a_forge_that_is_away_for_a_while_holds_up_nothing_and_is_told_later(world: World) -> None:
    world.forge.failures.extend([(503, {"Retry-After": "1"}, b""), (500, {"Retry-After": "1"}, b"")])
    commit = world.push({"hw-a.yaml": vm("hw-a")})
    with world.agent() as agent:
        assert names(agent) | {"hw-a"} == {"hw-a"}  # ready although the forge answers nothing yet
        until(lambda: world.forge.states(commit)[-1:] == ["success"], 120, "the forge is told in the end")


def test_a_token_that_the_forge_refuses_costs_a_line_of_the_log_and_nothing_else(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.token_file().write_text("not-that-one")
    world.push({"hw-a.yaml": vm("hw-a")})
    with caplog.at_level(logging.INFO, "onggi"), world.agent() as agent:
        until(lambda: names(agent) == {"hw-a"}, 60, "the host is as declared")
        until(lambda: "doesn't take the token" in caplog.text, 60, "the refusal is told")
    assert "not-that-one" not in caplog.text
    assert world.forge.statuses == []


@every_forge
def test_a_pull_request_shows_its_plan_in_one_comment_and_does_nothing(world: World) -> None:
    world.push({f"{name}.yaml": vm(name) for name in ("hw-a", "hw-b", "hw-stays")})
    with world.agent() as agent:
        until(lambda: names(agent) == {"hw-a", "hw-b", "hw-stays"}, 60, "the host is as declared")
        first = world.propose(1, {"hw-a.yaml": vm("hw-a", memory=128), "hw-c.yaml": vm("hw-c")}, remove=("hw-b.yaml",))
        agent.fetch_now()
        until(lambda: world.forge.states(first), 60, "the pull request is planned")
        text = world.comment(1)
        assert "1 to delete, 1 to create, 1 waits for a restart" in text
        assert "- VirtualMachine/hw-b" in text
        assert "+ VirtualMachine/hw-c" in text
        assert "/memory: " in text
        assert [entry[1:3] for entry in world.forge.statuses if entry[0] == first] == [
            ("success", f"onggi/{HOST}/plan")
        ]
        second = world.propose(1, {"hw-d.yaml": vm("hw-d")})
        agent.fetch_now()
        until(lambda: world.forge.states(second), 60, "its next commit is planned")
        assert "+ VirtualMachine/hw-d" in world.comment(1)
        assert "hw-c" not in world.comment(1)
        assert names(agent) == {"hw-a", "hw-b", "hw-stays"}
    assert TOKEN not in repr(world.forge.comments)


def test_what_is_proposed_on_an_old_base_does_not_seem_to_undo_what_came_after(world: World) -> None:
    base = world.push({"hw-a.yaml": vm("hw-a")})
    world.push({"hw-later.yaml": vm("hw-later")})
    with world.agent() as agent:
        until(lambda: names(agent) == {"hw-a", "hw-later"}, 60, "the host is as declared")
        head = world.propose(1, {"hw-c.yaml": vm("hw-c")}, start=base)
        agent.fetch_now()
        until(lambda: world.forge.states(head), 60, "the pull request is planned")
    assert "0 to delete, 1 to create" in world.comment(1)
    assert "hw-later" not in world.comment(1)


def test_a_plan_is_made_anew_when_the_branch_moves(world: World) -> None:
    world.push({"hw-a.yaml": vm("hw-a")})
    with world.agent() as agent:
        head = world.propose(1, {"hw-a.yaml": vm("hw-a", memory=128)})
        agent.fetch_now()
        until(lambda: world.forge.states(head), 60, "the pull request is planned")
        before = world.comment(1)
        world.push({"hw-other.yaml": vm("hw-other")})
        agent.fetch_now()
        until(lambda: world.comment(1) != before, 60, "the comment follows the branch")
        assert f"`{world.repository.head[:12]}`" in world.comment(1)


def test_a_pull_request_that_cannot_be_merged_says_so(world: World) -> None:
    base = world.push({"hw-a.yaml": vm("hw-a")})
    world.push({"hw-a.yaml": vm("hw-a", memory=100)})
    with world.agent() as agent:
        head = world.propose(1, {"hw-a.yaml": vm("hw-a", memory=200)}, start=base)
        agent.fetch_now()
        until(lambda: world.forge.states(head) == ["failure"], 60, "the conflict is told")
    assert "No plan" in world.comment(1)
    assert "can't be merged" in world.comment(1)


def test_a_broken_pull_request_hides_no_other(world: World) -> None:
    world.push({"hw-a.yaml": vm("hw-a")})
    with world.agent() as agent:
        broken = world.propose(1, {"hw-x.yaml": "kind: Nothing\n"})
        world.forge.open_pull(2, "f" * 40)  # its commit is nowhere to be fetched
        good = world.propose(3, {"hw-c.yaml": vm("hw-c")})
        agent.fetch_now()
        until(lambda: world.forge.states(good) == ["success"], 60, "the good one is planned")
    assert world.forge.states(broken) == ["failure"]
    assert "1 document with errors" in world.comment(1)
    assert world.comment(2) == ""


@every_forge
def test_a_pull_request_from_a_fork_is_planned_only_when_that_is_wanted(world: World) -> None:
    world.push({"hw-a.yaml": vm("hw-a")})
    with world.agent() as agent:
        strange = world.propose(1, {"hw-c.yaml": vm("hw-c")}, fork=True)
        own = world.propose(2, {"hw-d.yaml": vm("hw-d")})
        agent.fetch_now()
        until(lambda: world.forge.states(own), 60, "our own is planned")
        assert (world.forge.states(strange), world.comment(1)) == ([], "")
    with world.agent(forge_plan_forks=True):
        until(lambda: world.forge.states(strange) == ["success"], 60, "the fork's is planned too")


def test_after_a_restart_what_is_told_already_is_not_told_again(world: World) -> None:
    world.push({"hw-a.yaml": vm("hw-a")})
    head = world.propose(1, {"hw-c.yaml": vm("hw-c")})
    with world.agent():
        until(lambda: world.forge.states(head), 60, "the pull request is planned")
    writes = len([1 for method, path in world.forge.requests if method in ("POST", "PATCH") and "comments" in path])
    other = world.propose(2, {"hw-d.yaml": vm("hw-d")})
    with world.agent():
        until(lambda: world.forge.states(other), 60, "a new one is planned")
    again = len([1 for method, path in world.forge.requests if method in ("POST", "PATCH") and "comments" in path])
    assert again == writes + 1
    assert world.forge.states(head) == ["success"]


def test_hostile_documents_stay_inside_the_fences(world: World) -> None:
    from tests.reporting.test_plan_markdown import outside_fences

    world.push({"hw-a.yaml": vm("hw-a")})
    evil = "```` </details> @everyone <img src=x> <!-- onggi plan x -->"
    with world.agent() as agent:
        until(lambda: names(agent) == {"hw-a"}, 60, "the host is as declared")
        files = {"hw-a.yaml": vm("hw-a", more=f', description: "{evil}"'), "hw-@everyone`.yaml": "kind: Nothing\n"}
        head = world.propose(1, files)
        agent.fetch_now()
        until(lambda: world.forge.states(head), 60, "the pull request is planned")
    tags, words = outside_fences(world.comment(1))
    assert world.comment(1).count("@everyone") == 2
    for word in ("everyone", "<img", "hw-"):
        assert word not in words
    assert "img" not in tags


def test_what_was_approved_by_nobody_shows_no_digest_to_approve_before_the_merge(world: World) -> None:
    many = {f"hw-{number}.yaml": vm(f"hw-{number}") for number in range(6)}
    world.push(many)
    with world.agent() as agent:
        until(lambda: len(names(agent)) == 6, 60, "the host is as declared")
        head = world.propose(1, {}, remove=tuple(sorted(many))[:5])
        agent.fetch_now()
        until(lambda: world.forge.states(head) == ["failure"], 60, "the pull request is planned")
    assert "onggi approve DIGEST, once it is merged" in world.comment(1)
    assert "sha256:" not in world.comment(1)


def test_wrong_settings_end_the_agent_before_it_begins(world: World) -> None:
    world.push({"hw-a.yaml": vm("hw-a")})
    with pytest.raises(SettingsError, match="--forge-repository as owner/name"), world.agent(forge_repository=""):
        pass


def test_an_agent_with_a_silent_forge_still_ends_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PATIENCE", Patience(overall_s=600, begin_s=600))
    world.push({"hw-a.yaml": vm("hw-a")})
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never says a word
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api/v3"
        with world.agent(forge_url=url) as agent:
            until(lambda: names(agent) == {"hw-a"}, 60, "the host is as declared")
    assert world.forge.statuses == []
