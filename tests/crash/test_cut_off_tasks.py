"""A task that makes volumes before it commits is killed: the next start takes them back, or finds them committed.

On libvirt's test driver and on real files, both in a daemon that outlives the agent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.api.live import LiveApi, live_api
from tests.api.parts import is_at_rest
from tests.crash.clients import Request, Requests
from tests.crash.fork_server import KILLED, ForkServer
from tests.crash.world import clear
from tests.hostile.documents import pool, vm
from tests.hostile.private_libvirtd import PrivateLibvirtd
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until

MIB = 1 << 20
DISKS = "[{name: root, size: 16MiB, pool: lab}, {name: data, size: 2MiB, format: raw, pool: lab}]"
MINE = {"web-root.qcow2", "web-data.img"}
COPIES = {"web-clone-1-root.qcow2", "web-clone-1-data.img"}
VOLUMES = "/storagepools/lab/storagevolumes"

CLONE_MACHINE = Request("POST", "/vms/web/clone")
CLONE_VOLUME = Request("POST", f"{VOLUMES}/web-data.img/clone", {"name": "copy.img"})
SMALL = Request("POST", VOLUMES, {"name": "small.img", "capacity": 512, "format": "raw"})
UPLOAD = Request("POST", VOLUMES, {"name": "sent.img", "capacity": 2 * MIB, "upload": True})
FIRST = Request("PUT", f"{VOLUMES}/sent.img", form={"chunk_size": str(MIB), "chunk": "x" * MIB})
SECOND = FIRST
KEPT = (
    "apiVersion: onggi/v1\nkind: StorageVolume\nmetadata: {name: web-clone-1-data.img}\n"
    "spec: {pool: lab, capacity: 2MiB, format: raw}\n"
)


@dataclass
class Host:
    """A host with the machine `web`, as the repository says. `files` is False on the test driver."""

    uri: str
    hand: libvirt.virConnect
    repository: Repository
    state: Path
    files: bool
    source: str
    server: ForkServer

    def kill(self, boundary: str, *requests: Request, time: int = 1) -> None:
        told = self.server.ask(Requests(self.source, self.uri, str(self.state), requests, boundary, time))
        assert told.end == KILLED, f"it wasn't killed: {told}"

    def volumes(self) -> set[str]:
        lab = self.hand.storagePoolLookupByName("lab")
        lab.refresh()
        return {volume.name() for volume in lab.listAllVolumes()}

    def machines(self) -> set[str]:
        return {domain.name() for domain in self.hand.listAllDomains()} - {"test"}

    @contextmanager
    def started(self) -> Iterator[LiveApi]:
        """The next start, once nothing is left to do."""
        with live_api(self.repository, self.state, self.uri, source=self.source) as api:
            assert api.agent.passes.wait(is_at_rest, 60) is not None
            yield api
            assert api.agent.line.ledger.intents.unfinished() == ()


# The test driver takes no data for volumes.
ON_FILES = pytest.mark.parametrize("host", ["qemu"], indirect=True)


@pytest.fixture(params=["test driver", "qemu"])
def host(
    request: pytest.FixtureRequest,
    libvirtd: PrivateLibvirtd,
    fork_server: ForkServer,
    pools_folder: Path,
    repository: Repository,
    tmp_path: Path,
) -> Iterator[Host]:
    files = request.param == "qemu"
    uri = libvirtd.uri if files else libvirtd.test_uri
    hand = libvirt.open(uri)  # the test driver's host lasts while somebody is connected
    clear(hand, pools_folder)
    repository.commit({"pool.yaml": pool("lab", pools_folder / "lab"), "web.yaml": vm("web", disks=DISKS)})
    yield Host(uri, hand, repository, tmp_path / "state", files, str(repository.path), fork_server)
    clear(hand, pools_folder)
    hand.close()


def last_task(api: LiveApi) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get("/tasks").json()[-1]
    return found


def names(volumes: set[str]) -> list[str]:
    return [f"StorageVolume/lab/{name}" for name in sorted(volumes)]


def is_told_as_removed(task: dict[str, Any], *volumes: str) -> bool:
    told = [f"StorageVolume/lab/{name}, which was made for it, was removed." for name in sorted(volumes)]
    return task["status"] == "failed" and task["message"] == " ".join(
        ["The agent was restarted while this was under way.", *told]
    )


# What leaves no copy


@pytest.mark.parametrize(
    ("boundary", "time", "copied"),
    [
        ("after copying a volume", 1, {"web-clone-1-root.qcow2"}),
        ("after an operation", 1, {"web-clone-1-root.qcow2"}),
        ("after copying a volume", 2, COPIES),
        ("after volumes are noted as whole", 1, COPIES),
    ],
)
def test_a_machine_s_clone_that_is_killed_before_its_commit_leaves_no_copy(
    host: Host, boundary: str, time: int, copied: set[str]
) -> None:
    host.kill(boundary, CLONE_MACHINE, time=time)
    assert host.volumes() == MINE | copied, "that much was there"
    head = host.repository.head
    with host.started() as api:
        assert host.volumes() == MINE
        assert host.machines() == {"web"}
        assert is_told_as_removed(last_task(api), *copied), last_task(api)
        assert host.repository.head == head
        assert not [ref for ref in api.agent.line.ledger.ownership.all() if "clone" in ref.name]
        again = api.task(api.client.post("/vms/web/clone"))
        assert again["status"] == "finished", again
        assert host.volumes() == MINE | COPIES


@pytest.mark.parametrize("boundary", ["after copying a volume", "after volumes are noted as whole"])
def test_a_volume_s_clone_that_is_killed_before_its_commit_leaves_no_copy(host: Host, boundary: str) -> None:
    host.kill(boundary, CLONE_VOLUME)
    assert host.volumes() == MINE | {"copy.img"}
    with host.started() as api:
        assert host.volumes() == MINE
        assert is_told_as_removed(last_task(api), "copy.img"), last_task(api)


@ON_FILES
@pytest.mark.parametrize("boundary", ["after a piece of an upload", "after volumes are noted as whole"])
def test_an_upload_that_is_killed_before_its_commit_leaves_nothing(host: Host, boundary: str) -> None:
    host.kill(boundary, UPLOAD, FIRST, SECOND)
    assert host.volumes() == MINE | {"sent.img"}
    with host.started() as api:
        assert host.volumes() == MINE
        assert is_told_as_removed(last_task(api), "sent.img"), last_task(api)


@ON_FILES
def test_the_volume_of_an_upload_whose_task_has_not_begun_is_removed(host: Host) -> None:
    host.kill("after an operation", UPLOAD)
    assert host.volumes() == MINE | {"sent.img"}
    with host.started() as api:
        assert host.volumes() == MINE
        assert api.client.get("/tasks").json() == []


def test_a_volume_without_a_document_is_removed_when_its_task_is_killed(host: Host) -> None:
    host.kill("after an operation", SMALL)
    with host.started() as api:
        assert host.volumes() == MINE
        assert is_told_as_removed(last_task(api), "small.img"), last_task(api)


@pytest.mark.parametrize(
    "boundary",
    ["before discarding a half-made volume", "after discarding a half-made volume", "before a recovery is noted"],
)
def test_a_start_that_is_killed_while_it_takes_copies_back_is_followed_by_one_that_does(
    host: Host, boundary: str
) -> None:
    host.kill("after volumes are noted as whole", CLONE_MACHINE)
    host.kill(boundary)
    with host.started() as api:
        assert host.volumes() == MINE
        assert last_task(api)["status"] == "failed"
        assert all(name in last_task(api)["message"] for name in names(COPIES))
        deeds = [event["message"] for event in api.client.get("/events").json() if event["result"] == "deleted"]
        assert len(deeds) == len(COPIES), "the history tells of each once"


# What stays


def test_a_machine_s_clone_that_is_committed_is_made_by_the_next_start(host: Host) -> None:
    host.kill("after a change of documents", CLONE_MACHINE, time=2)  # the first only reads
    with host.started() as api:
        assert host.volumes() == MINE | COPIES
        assert host.machines() == {"web", "web-clone-1"}
        task = last_task(api)
        assert task["status"] == "failed"
        assert task["message"].count("stays: a document asks for it") == len(COPIES)
        assert api.agent.line.ledger.intents.uncommitted() == ()
        assert api.client.delete("/vms/web-clone-1").status_code == 204
        assert host.volumes() == MINE


@pytest.mark.parametrize(
    ("host", "requests"),
    [("test driver", [CLONE_VOLUME]), ("qemu", [CLONE_VOLUME]), ("qemu", [UPLOAD, FIRST, SECOND])],
    ids=["clone on the test driver", "clone on qemu", "upload on qemu"],
    indirect=["host"],
)
def test_a_volume_whose_document_is_committed_stays(host: Host, requests: list[Request]) -> None:
    host.kill("after a change of documents", *requests)
    there = host.volumes()
    with host.started() as api:
        assert host.volumes() == there > MINE
        assert "stays: a document asks for it" in last_task(api)["message"]
        assert api.agent.line.ledger.intents.uncommitted() == ()


def test_a_copy_that_was_declared_meanwhile_stays_and_the_other_goes(host: Host) -> None:
    host.kill("after volumes are noted as whole", CLONE_MACHINE)
    host.repository.commit({"data.yaml": KEPT}, "Keep the data")
    with host.started() as api:
        assert host.volumes() == MINE | {"web-clone-1-data.img"}
        message = last_task(api)["message"]
        assert "web-clone-1-data.img, which was made for it, stays" in message
        assert "web-clone-1-root.qcow2, which was made for it, was removed" in message


def test_a_copy_that_a_machine_has_by_now_stays_for_good(host: Host) -> None:
    host.kill("after volumes are noted as whole", CLONE_MACHINE)
    path = host.hand.storagePoolLookupByName("lab").storageVolLookupByName("web-clone-1-data.img").path()
    source = f"<disk type='file'><source file='{path}'/><target dev='vda' bus='virtio'/></disk>"
    kind = "qemu" if host.files else "test"
    mine = (
        f"<domain type='{kind}'><name>mine</name><memory>65536</memory><os><type>hvm</type></os>"
        f"<devices>{source}</devices></domain>"
    )
    host.hand.defineXML(mine)
    with host.started() as api:
        assert host.volumes() == MINE | {"web-clone-1-data.img"}
        assert "web-clone-1-data.img, which was made for it, stays: something on the host" in last_task(api)["message"]
        host.hand.lookupByName("mine").undefine()
    with host.started():
        assert host.volumes() == MINE | {"web-clone-1-data.img"}


def test_nothing_goes_while_a_document_that_may_ask_for_it_can_t_be_read(host: Host) -> None:
    host.kill("after volumes are noted as whole", CLONE_MACHINE)
    host.repository.commit({"broken.yaml": "kind: ["}, "Break")
    with live_api(host.repository, host.state, host.uri) as api:
        assert host.volumes() == MINE | COPIES
        task = last_task(api)
        assert task["status"] == "failed"
        assert task["message"].count("is still there: it is removed once") == len(COPIES)
        host.repository.remove("broken.yaml", message="Mend")
        until(lambda: host.volumes() == MINE, 60, "the copies are removed")
        until(lambda: is_told_as_removed(last_task(api), *COPIES), 60, "the task tells of it")


def test_nothing_goes_before_the_remote_has_told_what_was_pushed_to_it(host: Host, tmp_path: Path) -> None:
    remote, away = tmp_path / "remote.git", tmp_path / "away.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(host.repository.path), str(remote))
    host.source = f"file://{remote}"
    host.kill("after volumes are noted as whole", CLONE_MACHINE)
    host.repository.commit({"data.yaml": KEPT}, "Keep the data")
    git(host.repository.path, "push", "--quiet", str(remote), "main")
    remote.rename(away)
    with host.started() as api:
        assert host.volumes() == MINE | COPIES
        assert last_task(api)["message"].count("is still there: it is removed once") == len(COPIES)
        away.rename(remote)
        api.agent.fetch_now()
        until(lambda: host.volumes() == MINE | {"web-clone-1-data.img"}, 60, "the other copy is removed")
