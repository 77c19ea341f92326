"""The loop on libvirt's own test driver: breadth, and every way in which a source can fail it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import libvirt
import pytest

from reconciler.errors import StateError
from reconciler.line.line import Line
from reconciler.loop.agent import Agent
from reconciler.settings.settings import Settings
from specs.reference import Ref
from tests.lab.approving import approve_removal
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until
from tests.stories.agents import running_agent
from tests.stories.hosts import SHARED


def names(hand: libvirt.virConnect) -> set[str]:
    return {domain.name() for domain in hand.listAllDomains()} - {"test"}


def vm(name: str, **fields: object) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in {"memory": 64, **fields}.items())
    return f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata:\n  name: {name}\nspec:\n{lines}"


POOL = "apiVersion: onggi/v1\nkind: StoragePool\nmetadata:\n  name: disks\nspec:\n  type: dir\n  path: /disks\n"
DISKS = "[{name: root, size: 1GiB, pool: disks}]"


def memory_mib(hand: libvirt.virConnect, name: str) -> int:
    """As the persistent definition has it."""
    definition = ElementTree.fromstring(hand.lookupByName(name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    return int(definition.findtext("memory") or 0) // 1024


def test_a_commit_a_change_by_hand_and_a_removal(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"pool.yaml": POOL, "web.yaml": vm("web", disks=DISKS, runStrategy="Always")})
    with running_agent(repository.path, SHARED, tmp_path / "state") as agent:
        until(lambda: "web" in names(hand) and hand.lookupByName("web").isActive(), 60, "web runs")
        hand.lookupByName("web").destroy()
        until(lambda: hand.lookupByName("web").isActive(), 60, "it was started again")
        repository.commit({"web.yaml": vm("web", disks=DISKS, runStrategy="Always", memory=96)})
        until(
            lambda: "98304" in hand.lookupByName("web").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), 10, "memory changed"
        )
        approve_removal(agent, repository.remove("web.yaml"))
        until(lambda: not names(hand), 60, "web is gone")
        assert hand.storagePoolLookupByName("disks").listVolumes() == ["web-root.qcow2"]


def test_a_reverted_removal_gets_its_disk_back(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"pool.yaml": POOL, "web.yaml": vm("web", disks=DISKS)})
    with running_agent(repository.path, SHARED, tmp_path / "state") as agent:
        until(lambda: names(hand) == {"web"}, 60, "web is there")
        uid = hand.lookupByName("web").UUIDString()
        approve_removal(agent, repository.remove("web.yaml"))
        until(lambda: not names(hand), 60, "web is gone")
        git(repository.path, "revert", "--no-edit", "HEAD")
        until(lambda: names(hand) == {"web"}, 60, "web is back")
        assert hand.lookupByName("web").UUIDString() == uid
        assert "web-root.qcow2" in hand.lookupByName("web").XMLDesc()


def test_a_broken_document_keeps_its_machine_and_holds_up_nobody(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"good.yaml": vm("good"), "bad.yaml": vm("bad")})
    with running_agent(repository.path, SHARED, tmp_path / "state") as agent:
        until(lambda: names(hand) == {"good", "bad"}, 60, "both are there")
        repository.commit({"bad.yaml": "kind: [", "good.yaml": vm("good", memory=80)}, "Break one")
        until(lambda: memory_mib(hand, "good") == 80, 60, "the good one has changed")
        assert names(hand) == {"good", "bad"}
        assert any(problem.path == "bad.yaml" for problem in agent.desired.problems)  # type: ignore[union-attr]


def test_an_empty_source_deletes_nothing(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> None:
    repository.commit({"a.yaml": vm("a"), "b.yaml": vm("b")})
    with running_agent(repository.path, SHARED, tmp_path / "state") as agent:
        until(lambda: names(hand) == {"a", "b"}, 60, "both are there")
        head = repository.remove("a.yaml", "b.yaml")
        until(lambda: agent.plan is not None and head in agent.plan.revision, 60, "the empty revision was planned")
        assert agent.plan is not None
        assert agent.plan.notes, "the plan says why nothing is removed"
        assert names(hand) == {"a", "b"}


def test_a_deleted_branch_leaves_the_last_revision_in_force(
    hand: libvirt.virConnect, pushed_repository: Repository, tmp_path: Path
) -> None:
    remote = tmp_path / "remote.git"
    pushed_repository.commit({"a.yaml": vm("a")})
    pushed_repository.push()
    with running_agent(f"file://{remote}", SHARED, tmp_path / "state", interval_s=1.0):
        until(lambda: names(hand) == {"a"}, 60, "a is there")
        git(remote, "update-ref", "-d", "refs/heads/main")
        hand.lookupByName("a").undefine() if not hand.lookupByName("a").isActive() else hand.lookupByName("a").destroy()
        until(lambda: names(hand) == {"a"}, 60, "a is kept as the last good revision says")
        pushed_repository.commit({"b.yaml": vm("b")})
        pushed_repository.push("--force")
        until(lambda: names(hand) == {"a", "b"}, 60, "the branch is back and is followed")


def test_rewritten_history_is_followed_and_deletes_only_what_is_approved(
    hand: libvirt.virConnect, pushed_repository: Repository, tmp_path: Path
) -> None:
    pushed_repository.commit({"a.yaml": vm("a"), "c.yaml": vm("c")})
    pushed_repository.push()
    with running_agent(f"file://{tmp_path / 'remote.git'}", SHARED, tmp_path / "state", interval_s=1.0) as agent:
        until(lambda: names(hand) == {"a", "c"}, 60, "both are there")
        git(pushed_repository.path, "reset", "--hard", "--quiet", "HEAD~1")
        head = pushed_repository.commit({"b.yaml": vm("b"), "c.yaml": vm("c")})
        pushed_repository.push("--force")
        until(lambda: names(hand) == {"a", "b", "c"}, 60, "what the new history says is there")
        approve_removal(agent, head)
        until(lambda: names(hand) == {"b", "c"}, 60, "what it lacks is gone")


def test_a_remote_that_is_away_for_a_while_changes_nothing(
    hand: libvirt.virConnect, pushed_repository: Repository, tmp_path: Path
) -> None:
    remote, away = tmp_path / "remote.git", tmp_path / "away.git"
    pushed_repository.commit({"a.yaml": vm("a")})
    pushed_repository.push()
    with running_agent(f"file://{remote}", SHARED, tmp_path / "state", interval_s=1.0):
        until(lambda: names(hand) == {"a"}, 60, "a is there")
        remote.rename(away)
        hand.lookupByName("a").destroy()
        hand.lookupByName("a").undefine()
        until(lambda: names(hand) == {"a"}, 60, "it is healed from what is known")
        away.rename(remote)
        pushed_repository.commit({"b.yaml": vm("b")})
        pushed_repository.push()
        until(lambda: names(hand) == {"a", "b"}, 60, "the remote's news arrive again")


def test_a_foreign_machine_with_a_wanted_name_is_a_conflict_and_is_not_touched(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    hand.defineXML("<domain type='test'><name>taken</name><memory>65536</memory><os><type>hvm</type></os></domain>")
    before = hand.lookupByName("taken").XMLDesc()
    repository.commit({"taken.yaml": vm("taken", memory=128), "free.yaml": vm("free")})
    with running_agent(repository.path, SHARED, tmp_path / "state") as agent:
        until(lambda: "free" in names(hand), 60, "the other one is made")
        assert agent.plan is not None
        assert [(item.ref.name, item.reason) for item in agent.plan.blocked] == [("taken", "OwnedByOther")]
        assert hand.lookupByName("taken").XMLDesc() == before


def test_a_failing_object_stops_only_what_depends_on_it(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit(
        {
            "lost.yaml": vm("lost", disks="[{name: root, size: 1GiB, pool: nowhere}]"),
            "fine.yaml": vm("fine"),
        }
    )
    with running_agent(repository.path, SHARED, tmp_path / "state") as agent:
        until(lambda: names(hand) == {"fine"}, 60, "the healthy one is there")
        assert agent.plan is not None
        reasons = {item.ref: item.reason for item in agent.plan.blocked}
        assert reasons[Ref("VirtualMachine", "lost")] == "DependencyNotReady"


def test_a_second_agent_on_the_same_state_refuses(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"a.yaml": vm("a")})
    with running_agent(repository.path, SHARED, tmp_path / "state"):
        second = subprocess.run(
            [sys.executable, "-m", "reconciler.cli.main", "apply", str(repository.path), "--connect", SHARED,
             "--state", str(tmp_path / "state"), "--yes"],
            capture_output=True, text=True,
        )  # fmt: skip
    assert second.returncode == 1
    assert "another" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_state_that_is_no_folder_is_a_clear_error(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"a.yaml": vm("a")})
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(StateError, match="state"):
        Line.open(Settings(repository=str(repository.path), connect=SHARED, state=tmp_path / "state"), exclusive=True)


def test_a_lost_ledger_costs_no_machine_and_no_disk(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"pool.yaml": POOL, "web.yaml": vm("web", disks=DISKS), "db.yaml": vm("db")})
    with running_agent(repository.path, SHARED, tmp_path / "one"):
        until(lambda: names(hand) == {"web", "db"}, 60, "both are there")
    uid = hand.lookupByName("web").UUIDString()
    with running_agent(repository.path, SHARED, tmp_path / "two") as agent:
        assert agent.plan is not None
        assert agent.plan.empty
        assert not agent.plan.blocked
        repository.remove("db.yaml")
        until(lambda: names(hand) == {"web"}, 60, "what is ours is known without a ledger, and pruned")
    assert hand.lookupByName("web").UUIDString() == uid


def test_suspended_objects_are_left_alone_until_resumed(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"a.yaml": vm("a", runStrategy="Always"), "b.yaml": vm("b", runStrategy="Always")})
    with running_agent(repository.path, SHARED, tmp_path / "state"):
        until(lambda: names(hand) == {"a", "b"} and hand.lookupByName("a").isActive(), 60, "both run")

        def cli(verb: str) -> None:
            words = [sys.executable, "-m", "reconciler.cli.main", verb, "vm", "a", "--state", str(tmp_path / "state")]
            subprocess.run(words, check=True, capture_output=True)

        cli("suspend")
        hand.lookupByName("a").destroy()
        hand.lookupByName("b").destroy()
        until(lambda: hand.lookupByName("b").isActive(), 60, "b was healed")
        assert not hand.lookupByName("a").isActive()
        cli("resume")
        until(lambda: hand.lookupByName("a").isActive(), 60, "a was healed after it was resumed")


def test_a_pass_with_nothing_changed_plans_nothing(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({f"{index}.yaml": vm(f"vm{index}") for index in range(20)})
    settings = Settings(repository=str(repository.path), connect=SHARED, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as line:
        assert line.converge().succeeded
        first = line.observe()
        assert line.compare(line.desired(), first).plan.empty
        assert line.observe() is first, "an unchanged world is the same snapshot"


def test_the_agent_can_be_asked_while_it_runs(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> None:
    repository.commit({"a.yaml": vm("a")})
    with running_agent(repository.path, SHARED, tmp_path / "state") as agent:
        assert isinstance(agent, Agent)
        until(lambda: names(hand) == {"a"}, 60, "a is there")
        told = until(
            lambda: subprocess.run(
                [sys.executable, "-m", "reconciler.cli.main", "get", "vm", "-o", "json",
                 "--state", str(tmp_path / "state")],
                capture_output=True, text=True, check=True,
            ).stdout,
            60,
            "get answers",
        )  # fmt: skip
        assert '"a"' in told
