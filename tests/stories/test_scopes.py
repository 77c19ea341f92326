"""Two agents, branches, folders or repositories on one host: none ever deletes what another one declares."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import libvirt
import pytest

from reconciler.line.line import Line
from reconciler.planning.operations import CreateVolume, Define
from reconciler.planning.plan import Plan
from reconciler.settings.settings import Settings
from specs.reference import Ref
from tests.lab.approving import approve
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until
from tests.stories.agents import running_agent
from tests.stories.hosts import SHARED

VMS = ("db", "mail", "web")
NETS = ("dmz", "lan")
ID = "apiVersion: onggi/v1\nrepositoryId: {}\n"
FIRST = "0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55"
Opened = Callable[..., Line]


def vm(name: str, memory: int = 64) -> str:
    return (
        f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {name}}}\n"
        f"spec: {{memory: {memory}, runStrategy: Halted}}\n"
    )


def net(name: str) -> str:
    return f"apiVersion: onggi/v1\nkind: Network\nmetadata: {{name: {name}}}\nspec: {{mode: isolated, active: false}}\n"


POOL = "apiVersion: onggi/v1\nkind: StoragePool\nmetadata: {name: disks}\nspec: {type: dir, path: /disks}\n"


@pytest.fixture
def host(hand: libvirt.virConnect) -> Callable[[], set[str]]:
    def names() -> set[str]:
        found = [*hand.listAllDomains(), *hand.listAllNetworks(), *hand.listAllStoragePools()]
        return {each.name() for each in found} - {"test", "default", "default-pool"}

    return names


@pytest.fixture
def opened(repository: Repository, tmp_path: Path) -> Iterator[Opened]:
    """Lines on one host: of a folder or branch of the repository, each with a state of its own unless it's said."""
    with ExitStack() as lines:

        def open_line(path: str = "", *, state: str = "state", branch: str = "", where: Path | None = None) -> Line:
            place = str(where or repository.path)
            settings = Settings(repository=place, connect=SHARED, state=tmp_path / state, path=path, branch=branch)
            return lines.enter_context(Line.open(settings, exclusive=True))

        yield open_line


@pytest.fixture
def lived(repository: Repository, host: Callable[[], set[str]]) -> set[str]:
    repository.commit(
        {"storage/pool.yaml": POOL}
        | {f"vms/{name}.yaml": vm(name) for name in VMS}
        | {f"networks/{name}.yaml": net(name) for name in NETS}
    )
    return {*VMS, *NETS, "disks"}


def reasons(plan: Plan) -> dict[str, str]:
    return {item.ref.name: item.reason for item in plan.blocked}


def test_agents_of_two_folders_leave_each_others_objects_alone(
    opened: Opened, lived: set[str], host: Callable[[], set[str]]
) -> None:
    lines = [opened(path, state=path) for path in ("vms", "networks", "storage")]
    for line in lines:
        assert line.converge().succeeded
    assert host() == lived
    for line in lines:
        plan = line.plan()
        assert plan.empty
        assert not plan.blocked
        assert not plan.notes, "that others work here too is nothing to tell with each plan"


def test_what_two_agents_declare_and_only_its_uid_claims_is_deleted_by_neither_without_a_word(
    opened: Opened, repository: Repository, lived: set[str], host: Callable[[], set[str]]
) -> None:
    git(repository.path, "branch", "first")
    first, second = opened(state="first", branch="first"), opened("networks", state="second")
    assert first.converge().succeeded
    assert second.converge().succeeded, "libvirt keeps no mark in a network"
    repository.remove("networks/dmz.yaml")
    repository.commit({f"networks/more-{index}.yaml": net(f"more-{index}") for index in range(4)})
    [held] = second.converge().remaining.blocked
    assert held.reason == "NeedsApproval"
    assert "another branch or folder of the repository may declare it" in held.message
    assert "dmz" in host()
    assert approve(second)
    assert second.converge().succeeded
    assert "dmz" not in host()


def test_a_mistyped_path_deletes_nothing_and_is_told(
    opened: Opened, lived: set[str], host: Callable[[], set[str]]
) -> None:
    with opened() as everything:
        assert everything.converge().succeeded
    with opened("networks") as networks:
        convergence = networks.converge()
    assert host() == lived
    assert reasons(convergence.remaining) == dict.fromkeys(NETS, "ScopeChanged")
    [note] = convergence.remaining.notes
    assert "VirtualMachine/web" in note
    assert "path networks" in note
    assert "--state" in note
    with opened() as everything:
        assert everything.plan().empty


def test_two_folders_that_share_one_state_one_after_the_other_delete_nothing(
    opened: Opened, lived: set[str], host: Callable[[], set[str]]
) -> None:
    for _ in range(2):
        for path in ("vms", "networks", "storage"):
            with opened(path) as line:
                assert line.converge().succeeded
    assert host() == lived


def test_another_branch_changes_and_deletes_nothing_of_the_first_ones(
    opened: Opened, repository: Repository, lived: set[str], host: Callable[[], set[str]], hand: libvirt.virConnect
) -> None:
    with opened() as main:
        assert main.converge().succeeded
    git(repository.path, "checkout", "--quiet", "-b", "next")
    repository.remove("vms/db.yaml", "storage")
    repository.commit({"vms/web.yaml": vm("web", memory=128)})
    for state in ("state", "another"):
        with opened(branch="next", state=state) as line:
            remaining = line.converge().remaining
            assert reasons(remaining)["web"] == "ScopeChanged"
            assert "branch main" in next(item.message for item in remaining.blocked if item.ref.name == "web")
    assert host() == lived
    assert hand.lookupByName("web").maxMemory() == 64 << 10


def test_a_person_may_widen_and_narrow_the_folder_of_an_agent(
    opened: Opened, repository: Repository, lived: set[str], host: Callable[[], set[str]]
) -> None:
    with opened("vms") as line:
        assert line.converge().succeeded
    with opened() as wider:
        assert set(reasons(wider.plan()).values()) == {"ScopeChanged"}
        [digest] = approve(wider)
        assert all(digest in item.message for item in wider.plan().blocked)
        assert wider.converge().succeeded
        assert wider.plan().empty
        repository.remove("vms/db.yaml")
        assert wider.converge().succeeded
    assert host() == lived - {"db"}, "what has moved is removed from where it is now"
    with opened("vms") as narrower:
        approve(narrower)
        assert narrower.converge().succeeded
        assert len(narrower.plan().notes) == 1
    assert host() == lived - {"db"}, "what isn't in the narrower folder stays"


def test_another_repository_with_the_same_state_deletes_nothing_and_is_told(
    opened: Opened, lived: set[str], host: Callable[[], set[str]], tmp_path: Path
) -> None:
    with opened() as line:
        assert line.converge().succeeded
    other = Repository(tmp_path / "other")
    other.commit({"vm.yaml": vm("other"), "lan.yaml": net("lan")})
    with opened(where=other.path) as line:
        remaining = line.converge().remaining
        assert reasons(remaining) == {"lan": "OwnedByOther"}
        assert any("VirtualMachine/web" in note and "repository" in note for note in remaining.notes)
    assert host() == lived | {"other"}
    with opened() as line:
        assert line.plan().empty


def test_an_agent_tells_whose_state_it_was_given_once(
    opened: Opened, lived: set[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened() as line:
        assert line.converge().succeeded
    other = Repository(tmp_path / "other")
    other.commit({"vm.yaml": vm("other")})
    with running_agent(other.path, SHARED, tmp_path / "state") as agent:
        other.commit({"vm.yaml": vm("other", memory=80)})
        until(lambda: agent.plan is not None and other.head in agent.plan.revision, 60, "a second revision was planned")
    told = [record.getMessage() for record in caplog.records if "left alone" in record.getMessage()]
    assert len(told) == 1
    assert "VirtualMachine/db" in told[0]


def test_a_volume_that_a_client_made_for_another_repository_outlives_a_run_with_its_state(
    opened: Opened, lived: set[str], hand: libvirt.virConnect, tmp_path: Path
) -> None:
    upload = Ref.volume("disks", "upload.img")
    with opened() as line:
        assert line.converge().succeeded
        xml = (
            "<volume><name>upload.img</name><capacity>1048576</capacity><target><format type='raw'/></target></volume>"
        )
        line.ledger.change(begin=[upload], note="an upload", task=1)
        line.hypervisor.perform(CreateVolume(upload, xml, part_of=1))
        line.ledger.change(own=[line.lineage.made_for_client(upload)], whole=[upload])
    other = Repository(tmp_path / "other")
    other.commit({"vm.yaml": vm("other")})
    with opened(where=other.path) as line:
        line.converge()
        assert hand.storagePoolLookupByName("disks").listVolumes() == ["upload.img"]
    with opened() as line:
        line.converge()
        assert not hand.storagePoolLookupByName("disks").listVolumes(), "its own documents don't ask for it"


def test_a_mark_of_an_earlier_version_is_no_conflict_and_says_where_it_is_after_the_next_write(
    opened: Opened, repository: Repository, lived: set[str], host: Callable[[], set[str]]
) -> None:
    with opened() as line:
        assert line.converge().succeeded
        web = Ref("VirtualMachine", "web")
        seen = line.observe().objects[web]
        line.hypervisor.perform(Define(web, seen.uid, seen.xml.replace(' branch="main"', "").replace(' path=""', "")))
        for entry in line.ledger.ownership.all().values():
            old = {key: value for key, value in entry.facts.items() if key != "scope"}
            line.ledger.change(own=[type(entry)(**{**_fields(entry), "facts": old})])
        mark = line.observe().objects[web].mark
        assert mark is not None
        assert mark.path is None
        assert line.plan().empty
        assert line.converge().succeeded
        assert all(entry.scope is not None for entry in line.ledger.ownership.all().values())
        repository.commit({"vms/web.yaml": vm("web", memory=80)})
        assert line.converge().succeeded
        mark = line.observe().objects[web].mark
        assert mark is not None
        assert (mark.branch, mark.path) == ("main", "")
        repository.remove("vms/web.yaml")
        assert line.converge().succeeded
    assert host() == lived - {"web"}


def _fields(entry: object) -> dict[str, object]:
    return {name: getattr(entry, name) for name in type(entry).__dataclass_fields__}  # type: ignore[attr-defined]


@pytest.mark.parametrize("plain", [False, True], ids=["git", "a-folder"])
def test_a_repository_that_loses_its_identity_is_told_so_and_changes_nothing(
    opened: Opened, repository: Repository, lived: set[str], host: Callable[[], set[str]], plain: bool
) -> None:
    repository.commit({"onggi.yaml": ID.format(FIRST)})
    if plain:
        shutil.rmtree(repository.path / ".git")
    with opened() as line:
        assert line.converge().succeeded
    (repository.path / "onggi.yaml").unlink()
    (repository.path / "vms/new.yaml").write_text(vm("new"))
    if not plain:
        repository.commit({})
    with opened() as line:
        convergence = line.converge()
        assert not convergence.succeeded
        [problem] = convergence.problems
        assert problem.path == "onggi.yaml"
        assert FIRST in problem.message
        assert not convergence.outcomes
    assert host() == lived
    (repository.path / "onggi.yaml").write_text(ID.format(FIRST))
    if not plain:
        repository.commit({})
    with opened() as line:
        assert line.converge().succeeded
    assert host() == lived | {"new"}


def test_a_rewritten_history_deletes_only_what_a_person_says_yes_to(
    opened: Opened, repository: Repository, lived: set[str], host: Callable[[], set[str]]
) -> None:
    with opened() as line:
        assert line.converge().succeeded
        before = repository.head
        git(repository.path, "rm", "--quiet", "vms/web.yaml")
        git(repository.path, "commit", "--quiet", "--amend", "--message", "Another history")
        for _ in range(2):  # a commit on top of it doesn't make it another one
            [held] = line.converge().remaining.blocked
            assert (held.ref.name, held.reason) == ("web", "NeedsApproval")
            assert before[:12] in held.message
            assert "rewritten" in held.message
            assert host() == lived
            repository.commit({"README": "more"})
        approve(line)
        assert line.converge().succeeded
        assert host() == lived - {"web"}
        repository.remove("vms/db.yaml")
        assert line.converge().succeeded, "what was decided is decided"


def test_a_history_that_goes_on_deletes_one_of_many_without_a_word(
    opened: Opened, repository: Repository, lived: set[str], host: Callable[[], set[str]]
) -> None:
    with opened() as line:
        assert line.converge().succeeded
        repository.remove("vms/web.yaml")
        assert line.converge().succeeded
    assert host() == lived - {"web"}
