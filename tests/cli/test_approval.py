"""What waits for a person, and plans that were reviewed: `approve`, `plan --out`, `apply FILE` and `trash`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import libvirt
import pytest

from tests.cli.command import Done, Onggi
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.waiting import until
from tests.stories.agents import running_agent


@dataclass
class Host:
    """A repository of machines that are off, on the real hypervisor."""

    onggi: Onggi
    uri: str
    connection: libvirt.virConnect
    objects: HostObjects
    repository: Repository
    state: Path

    def document(self, index: int, memory: int = 64) -> str:
        return (
            f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {self.objects.name(f'm{index}')}}}\n"
            f"spec: {{memory: {memory}, runStrategy: Halted, domainType: emulated}}\n"
        )

    def __call__(self, verb: str, *words: object) -> Done:
        return self.onggi(verb, self.repository.path, "--connect", self.uri, "--state", self.state, *words)

    def of_state(self, verb: str, *words: object) -> Done:
        return self.onggi(verb, *words, "--state", self.state)

    def machines(self) -> set[str]:
        return {each.name().removeprefix(self.objects.prefix) for each in self.connection.listAllDomains()
                if each.name().startswith(self.objects.prefix)}  # fmt: skip

    def change_memory(self, index: int, kib: int) -> None:
        self.connection.lookupByName(self.objects.name(f"m{index}")).setMemoryFlags(
            kib, libvirt.VIR_DOMAIN_AFFECT_CONFIG | libvirt.VIR_DOMAIN_MEM_MAXIMUM
        )


@pytest.fixture
def host(
    onggi: Onggi,
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    tmp_path: Path,
) -> Host:
    host = Host(onggi, qemu_system, qemu_connection, host_objects, repository, tmp_path / "state")
    repository.commit({f"vms/m{index}.yaml": host.document(index) for index in range(5)})
    assert host("apply").code == 0
    return host


def digest_of(done: Done) -> str:
    [digest] = {item["approve"] for item in done.json["blocked"]}
    return str(digest)


def test_removing_many_waits_for_approve_which_names_what_it_lets_go(host: Host) -> None:
    host.repository.remove("vms")
    host.repository.commit({"new.yaml": host.document(9)})
    refused = host("apply")
    assert refused.code == 1
    assert "onggi approve sha256:" in refused.out
    assert len(host.machines()) == 6
    assert host.of_state("approve", digest_of(host("plan", "-o", "json"))).code == 0
    assert host("apply").code == 0
    assert host.machines() == {"m9"}


def test_a_running_agent_goes_on_as_soon_as_it_is_approved(host: Host) -> None:
    with running_agent(host.repository.path, host.uri, host.state) as agent:
        host.repository.remove("vms")
        host.repository.commit({"new.yaml": host.document(9)})

        def waiting() -> str:
            plan = agent.plan
            return next((item.digest for item in plan.blocked if item.digest), "") if plan is not None else ""

        digest = until(waiting, 60, "the removal waits for an approval")
        status = host.of_state("status")
        assert "NeedsApproval" in status.out
        done = host.of_state("approve", digest)
        assert host.objects.name("m3") in done.out
        until(lambda: host.machines() == {"m9"}, 60, "what was approved is gone")


def test_what_nobody_was_asked_for_cannot_be_approved(host: Host) -> None:
    nothing = host.of_state("approve", f"sha256:{'0' * 32}")
    assert nothing.code == 1
    assert "nothing waits for an approval" in nothing.err
    host.repository.remove("vms")
    host.repository.commit({"new.yaml": host.document(9)})
    digest = digest_of(host("plan", "-o", "json"))
    mistyped = host.of_state("approve", f"sha256:{'0' * 32}")
    assert mistyped.code == 1
    assert f"what waits: {digest} (VirtualMachine/{host.objects.name('m0')}, " in mistyped.err
    assert host.of_state("approve", digest[:20]).out.startswith(f"approved: VirtualMachine/{host.objects.name('m0')}")
    assert host.of_state("approve", digest).out.strip() == f"{digest} was approved before"
    assert host("apply").code == 0
    assert host.machines() == {"m9"}


def test_what_only_lies_in_the_work_tree_cannot_be_approved_yet_and_its_plan_says_so(host: Host) -> None:
    for file in (host.repository.path / "vms").iterdir():
        file.unlink()
    (host.repository.path / "new.yaml").write_text(host.document(9))
    shown = host("plan", "--worktree")
    assert "can be approved once it is committed" in shown.out.splitlines()[-1]
    refused = host.of_state("approve", digest_of(host("plan", "--worktree", "-o", "json")))
    assert (refused.code, "nothing waits for an approval" in refused.err) == (1, True)


@pytest.mark.parametrize("word", ["", "yes", "sha256:", "--help-me", "sha256:ZZZZZZZZZZZZ"])
def test_only_a_digest_can_be_approved(onggi: Onggi, tmp_path: Path, word: str) -> None:
    done = onggi("approve", "--state", tmp_path, "--", word)
    assert done.code == 1
    assert "digest" in done.err


def test_a_plan_can_be_printed_for_a_pull_request(host: Host) -> None:
    host.repository.commit({"vms/m0.yaml": host.document(0, memory=80)})
    done = host("plan", "-o", "markdown", "--detailed-exitcode")
    assert done.code == 2
    assert done.out.startswith("**")
    assert host.objects.name("m0") in done.out


def test_a_saved_plan_is_applied_as_it_was_reviewed(host: Host, tmp_path: Path) -> None:
    host.repository.commit({"vms/m0.yaml": host.document(0, memory=80)})
    file = tmp_path / "plan.json"
    assert host("plan", "--out", file).code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    done = host.onggi("apply", file, "--state", host.state)
    assert done.code == 0, done.err
    assert host.connection.lookupByName(host.objects.name("m0")).maxMemory() == 80 * 1024


def move_repository(host: Host) -> None:
    host.repository.commit({"vms/m1.yaml": host.document(1, memory=96)})


def move_planned(host: Host) -> None:
    host.change_memory(0, 70 * 1024)


def move_other(host: Host) -> None:
    host.change_memory(4, 70 * 1024)


@pytest.mark.parametrize(
    ("move", "words"),
    [(move_repository, "the repository has moved"), (move_planned, "the host has changed"),
     (move_other, "the host has changed")],
)  # fmt: skip
def test_a_saved_plan_is_refused_once_either_side_has_moved(
    host: Host, tmp_path: Path, move: Callable[[Host], None], words: str
) -> None:
    host.repository.commit({"vms/m0.yaml": host.document(0, memory=80)})
    file = tmp_path / "plan.json"
    assert host("plan", "--out", file).code == 0
    move(host)
    done = host.onggi("apply", file, "--state", host.state)
    assert done.code == 1
    assert words in done.err
    assert host.connection.lookupByName(host.objects.name("m0")).maxMemory() != 80 * 1024


NO_PLANS = {
    "empty": b"",
    "text": b"not json",
    "object": b"{}",
    "nested": b"[" * 100_000,
    "cut-off": b'{"onggiPlan": 1}',
    "newer": b'{"onggiPlan": 2, "origin": {}, "revision": "", "digest": "", "plan": {}}',
    "bytes": b"\xff",
}


@pytest.mark.parametrize("content", NO_PLANS.values(), ids=NO_PLANS.keys())
def test_a_file_that_is_no_saved_plan_is_refused(onggi: Onggi, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(content)
    done = onggi("apply", file, "--state", tmp_path / "state")
    assert done.code == 1
    assert "isn't a plan that onggi saved" in done.err


def test_the_trash_is_listed_and_emptied(
    host: Host, dir_pool_folder: Path,
) -> None:  # fmt: skip
    pool, name = host.objects.name("pool"), host.objects.name("data.qcow2")
    host.repository.commit(
        {
            "pool.yaml": f"apiVersion: onggi/v1\nkind: StoragePool\nmetadata: {{name: {pool}}}\n"
            f"spec: {{type: dir, path: {dir_pool_folder / 'pool'}}}\n",
            "data.yaml": f"apiVersion: onggi/v1\nkind: StorageVolume\nmetadata: {{name: {name}}}\n"
            f"spec: {{pool: {pool}, format: qcow2, capacity: 16MiB, deletionPolicy: Delete}}\n",
        }
    )
    assert host("apply").code == 0
    assert host.of_state("trash").out.strip() == "The trash is empty."
    host.repository.remove("data.yaml")
    assert host("apply").code == 0
    assert (dir_pool_folder / "pool" / name).exists()
    assert [item["name"] for item in host.of_state("trash", "-o", "json").json] == [f"{pool}/{name}"]
    assert host.of_state("trash", "--empty").code == 0
    assert host("apply").code == 0
    assert not (dir_pool_folder / "pool" / name).exists()
    assert host.of_state("trash").out.strip() == "The trash is empty."
