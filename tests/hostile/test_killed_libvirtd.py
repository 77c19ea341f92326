"""libvirtd dies in mid-apply and comes back: the agent waits, answers meanwhile, and ends where it should."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import libvirt
import pytest

from tests.hostile.commands import onggi
from tests.hostile.documents import pool, vm
from tests.hostile.private_libvirtd import PrivateLibvirtd, private_libvirtd
from tests.lab.repositories import Repository
from tests.lab.waiting import until
from tests.stories.agents import running_agent

__all__ = ["private_libvirtd"]  # a fixture

NAMES = [f"vm{number:02}" for number in range(20)]


def documents(folder: Path, count: int = len(NAMES)) -> dict[str, str | bytes]:
    machines = {
        f"{name}.yaml": vm(name, disks="[{name: root, size: 1GiB, pool: disks}, {name: data, size: 2GiB, pool: disks}]")
        for name in NAMES[:count]
    }
    return {"pool.yaml": pool("disks", folder), **machines}


def assert_whole(daemon: PrivateLibvirtd, folder: Path) -> None:
    """Twenty machines, each once, each with its two disks, all of them sound; and nothing else."""
    expected = {f"{name}-{disk}.qcow2": size for name in NAMES for disk, size in (("root", 1 << 30), ("data", 2 << 30))}
    assert {path.name for path in folder.iterdir()} == expected.keys()
    for name, size in expected.items():
        told = subprocess.run(["qemu-img", "info", "--output=json", folder / name], check=True, capture_output=True)
        found = json.loads(told.stdout)
        assert (found["format"], found["virtual-size"]) == ("qcow2", size), name
        subprocess.run(["qemu-img", "check", "-q", folder / name], check=True)
    connection = libvirt.open(daemon.uri)
    domains = connection.listAllDomains()
    assert sorted(domain.name() for domain in domains) == NAMES
    assert len({domain.UUIDString() for domain in domains}) == len(NAMES)
    used = Counter(path for domain in domains for path in expected if f"/{path}'" in domain.XMLDesc())
    assert used == Counter(expected.keys())
    connection.close()


@pytest.mark.parametrize("machines", [0, 1, 5, 12])
def test_libvirtd_dies_after_some_machines_and_all_are_there_in_the_end(
    private_libvirtd: PrivateLibvirtd,
    repository: Repository,
    dir_pool_folder: Path,
    tmp_path: Path,
    machines: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "onggi")
    daemon, state = private_libvirtd, tmp_path / "state"
    disks = dir_pool_folder / "disks"
    disks.mkdir(mode=0o777)
    disks.chmod(0o777)
    repository.commit({"nothing.yaml": documents(disks)["pool.yaml"]})
    with running_agent(repository.path, daemon.uri, state) as agent:
        repository.commit(documents(disks) | {"nothing.yaml": ""})
        if machines:
            until(lambda: len(daemon.names()) >= machines, 60, f"{machines} machines are there", every_s=0.005)
        else:
            until(lambda: any(disks.iterdir()), 60, "a first disk is being made", every_s=0.001)
        daemon.kill()
        until(lambda: "Trying again in" in caplog.text, 30, "the agent has noticed")
        asked = onggi("status", "--state", state, "-o", "json")
        assert asked.returncode in (0, 1)
        assert NAMES[0] in asked.stdout
        assert agent.snapshot is not None, "the last snapshot is still served"
        assert json.loads(asked.stdout)["agent"]["connected"] is False
        assert "HostUnreachable" in asked.stdout, "what is shown is marked as old"
        daemon.start()
        until(
            lambda: len(daemon.names()) == len(NAMES) and agent.plan is not None and agent.plan.empty,
            90,
            "everything is there and the agent rests",
        )
        assert_whole(daemon, disks)
        assert f"connected to {daemon.uri} again" in caplog.text
    assert "Traceback" not in caplog.text


def test_an_agent_that_starts_before_libvirtd_waits_for_it(
    private_libvirtd: PrivateLibvirtd, repository: Repository, dir_pool_folder: Path, tmp_path: Path
) -> None:
    daemon, disks = private_libvirtd, dir_pool_folder / "disks"
    disks.mkdir()
    disks.chmod(0o777)
    repository.commit(documents(disks))
    daemon.kill()
    words = ("apply", repository.path, "--connect", daemon.uri, "--state", tmp_path / "other", "-y")
    done = onggi(*words)
    assert done.returncode == 1
    assert "can't be reached" in done.stderr
    daemon.start()
    with running_agent(repository.path, daemon.uri, tmp_path / "state") as agent:
        until(lambda: len(daemon.names()) == len(NAMES) and agent.plan and agent.plan.empty, 60, "all are there")
        assert_whole(daemon, disks)
