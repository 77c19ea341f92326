"""Disks that are full and folders that can't be written: said clearly, nothing half-made, everybody else served."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from tests.hostile.commands import error, onggi, planned, told
from tests.hostile.documents import pool, vm
from tests.hostile.web_server import WebServer, web_server
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.waiting import until
from tests.stories.agents import running_agent

__all__ = ["web_server"]  # a fixture

TEST = ("--connect", "test:///default")
Mount = Callable[[Path, str], Path]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts a small file system in memory at a folder; `size` in mount's words."""
    mounted: list[Path] = []

    def make(folder: Path, size: str) -> Path:
        folder.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", folder], check=True)
        mounted.append(folder)
        return folder

    yield make
    for folder in reversed(mounted):
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    """Leave not a byte free."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return ballast


def test_a_full_pool_says_so_keeps_no_half_volume_and_holds_up_no_other(
    qemu_system: str,
    host_objects: HostObjects,
    repository: Repository,
    dir_pool_folder: Path,
    mount: Mount,
    web_server: WebServer,
    tmp_path: Path,
) -> None:
    small, large = host_objects.name("small"), host_objects.name("large")
    small_folder = mount(dir_pool_folder / "small", "512k")
    web_server.files["/image"] = os.urandom(3 << 20)
    names = [host_objects.name(f"vm{number}") for number in range(10)]
    repository.commit(
        {f"{name}.yaml": vm(name, disks=f"[{{name: root, size: 1GiB, pool: {small}}}]") for name in names}
        | {"small.yaml": pool(small, small_folder), "large.yaml": pool(large, dir_pool_folder / "large")}
        | {
            "fine.yaml": vm(host_objects.name("fine"), disks=f"[{{name: root, size: 1GiB, pool: {large}}}]"),
            "image.yaml": "apiVersion: onggi/v1\nkind: StorageVolume\nmetadata: {name: image.raw}\n"
            f"spec: {{pool: {small}, format: raw, source: {{url: '{web_server.url('/image')}'}}}}\n",
        }
    )
    words = (repository.path, "--connect", qemu_system, "--state", tmp_path / "state", "-o", "json")
    done = onggi("apply", *words)
    assert done.returncode == 1
    failed = {item["name"]: item["message"] for item in told(done)["outcomes"] if item["result"] == "failed"}
    assert failed
    assert all("space" in message.lower() or "room" in message for message in failed.values()), failed
    assert "room" in failed[f"{small}/image.raw"]

    left = set(host_objects.left())
    fine = host_objects.name("fine")
    assert {f"domain {fine}", f"volume {fine}-root.qcow2", f"pool {small}", f"pool {large}"} <= left
    made = {name for name in names if f"domain {name}" in left}
    assert {path.name for path in small_folder.iterdir()} == {f"{name}-root.qcow2" for name in made}
    assert 0 < len(made) < len(names)
    for name in made:
        subprocess.run(["qemu-img", "check", "-q", small_folder / f"{name}-root.qcow2"], check=True)

    subprocess.run(["mount", "-o", "remount,size=16m", small_folder], check=True)
    assert onggi("apply", *words).returncode == 0
    assert planned(told(onggi("plan", *words))) == set()
    assert (small_folder / "image.raw").read_bytes() == web_server.files["/image"]


def test_a_state_on_a_full_disk_is_a_clear_error_and_nothing_was_done(
    qemu_system: str, host_objects: HostObjects, repository: Repository, mount: Mount, tmp_path: Path
) -> None:
    state = mount(tmp_path / "state", "256k")
    repository.commit({"a.yaml": vm(host_objects.name("a"))})
    ballast = fill(state)
    words = (repository.path, "--connect", qemu_system, "--state", state, "-y")
    assert "full" in error(onggi("apply", *words))
    assert host_objects.left() == []
    ballast.unlink()
    assert onggi("apply", *words).returncode == 0
    assert host_objects.left() == [f"domain {host_objects.name('a')}"]


def test_an_agent_whose_state_fills_up_says_so_and_goes_on_when_there_is_room_again(
    qemu_system: str,
    host_objects: HostObjects,
    repository: Repository,
    mount: Mount,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = mount(tmp_path / "state", "4m")
    repository.commit({"a.yaml": vm(host_objects.name("a"))})
    with running_agent(repository.path, qemu_system, state):
        ballast = fill(state)
        caplog.clear()
        repository.commit({f"{n}.yaml": vm(host_objects.name(f"b{n}")) for n in range(40)})
        until(lambda: "is full" in caplog.text, 60, "the agent says that the disk is full")
        assert len(host_objects.left()) in range(1, 42)
        ballast.unlink()
        until(lambda: len(host_objects.left()) == 41, 120, "it goes on by itself")
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("begun", [False, True], ids=["new", "in-use"])
def test_a_read_only_state_refuses_to_apply_but_can_be_asked(
    qemu_system: str, host_objects: HostObjects, repository: Repository, mount: Mount, tmp_path: Path, begun: bool
) -> None:
    state = mount(tmp_path / "state", "4m")
    name = host_objects.name("a")
    repository.commit({"a.yaml": vm(name)})
    words = (repository.path, "--connect", qemu_system, "--state", state)
    if begun:
        assert onggi("apply", *words, "-y").returncode == 0
    repository.commit({"a.yaml": vm(name, memory=80)})
    subprocess.run(["mount", "-o", "remount,ro", state], check=True)
    before = host_objects.left()
    for verb in ("apply", "run"):
        assert "can't be written" in error(onggi(verb, *words))
    assert host_objects.left() == before
    assert planned(told(onggi("plan", *words, "-o", "json"))) == {name}
    for verb in ("status", "events", "get"):
        asked = onggi(verb, *(["vm"] if verb == "get" else []), "--state", state)
        assert asked.returncode == 0, asked.stderr


def test_a_state_that_becomes_read_only_under_an_agent_is_said_and_survived(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    mount: Mount,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # The mount under a running agent can't be made read-only while it writes, so the folder's database is taken away.
    state = mount(tmp_path / "state", "4m")
    name = host_objects.name("a")
    repository.commit({"a.yaml": vm(name)})
    with running_agent(repository.path, qemu_system, state):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", state], check=True)
        try:
            repository.commit({"a.yaml": vm(name, memory=80)})
            until(
                lambda: qemu_connection.lookupByName(name).maxMemory() == 80 << 10 or "state" in caplog.text,
                60,
                "it goes on with what it has open, or says why not",
            )
        finally:
            subprocess.run(["umount", state], check=True)
        repository.commit({"a.yaml": vm(name, memory=96)})
        until(lambda: qemu_connection.lookupByName(name).maxMemory() == 96 << 10, 60, "the agent lives on")


@pytest.mark.parametrize("verb", ["apply", "plan", "run", "status", "get"])
def test_a_state_that_is_a_file_is_a_clear_error(repository: Repository, tmp_path: Path, verb: str) -> None:
    repository.commit({"a.yaml": vm("a")})
    state = tmp_path / "state"
    state.write_text("in the way")
    words = {"status": (), "get": ("vm",)}.get(verb, (repository.path, *TEST))
    assert str(state) in error(onggi(verb, *words, "--state", state))
    assert state.read_text() == "in the way"


def test_a_damaged_state_is_set_aside_and_costs_nothing(
    qemu_system: str, host_objects: HostObjects, repository: Repository, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    repository.commit({"a.yaml": vm(host_objects.name("a"))})
    words = (repository.path, "--connect", qemu_system, "--state", state, "-y")
    assert onggi("apply", *words).returncode == 0
    databases = [file for file in state.iterdir() if file.read_bytes().startswith(b"SQLite")]
    assert databases
    for database in databases:
        database.write_bytes(b"SQLite format 3\0" + os.urandom(8192))
    assert onggi("apply", *words).returncode == 0
    assert host_objects.left() == [f"domain {host_objects.name('a')}"]
