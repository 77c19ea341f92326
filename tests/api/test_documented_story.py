"""docs/api.md is true: its blocks run as they are written, one after the other."""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
import threading
from pathlib import Path

import libvirt
import pytest

from reconciler.errors import Terminal
from reconciler.serving.client import Client
from reconciler.serving.tasks import Tell
from tests.api.live import LiveApi, live_api
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository, git
from tests.test_docs import ROOT, blocks

PAGE = ROOT / "docs/api.md"


def run(api: LiveApi, script: str) -> str:
    """What it printed."""
    done = attempt(api, script)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def attempt(api: LiveApi, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=api.repository.path,
        env={**os.environ, "ONGGI": api.url, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_PAGER": "cat"},
        capture_output=True,
        text=True,
        timeout=240,
    )


def story(folder: Path, **names: str) -> str:
    """Every block of the page, in another folder and with other names."""
    return renamed("\n".join(blocks(PAGE, "sh")).replace("/var/lib/libvirt/lab", str(folder)), **names)


def renamed(text: str, **names: str) -> str:
    for name, other in names.items():
        text = re.sub(rf"(?<=[/\"]){name}(?=[/\"]|-clone)", other, text)
    return text


def told(api: LiveApi) -> list[str]:
    return git(api.repository.path, "log", "--reverse", "--format=%s").splitlines()


def test_the_story_runs_on_the_test_driver(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> None:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state") as api:
        printed = run(api, story(tmp_path / "pool"))
        check(api, printed, "lab", "web")
        check_helper(api)
    assert [domain.name() for domain in hand.listAllDomains()] == ["test"]


@pytest.mark.qemu
def test_the_story_runs_on_a_real_hypervisor(
    qemu_system: str,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    free_subnet: ipaddress.IPv4Network,
    repository: Repository,
    tmp_path: Path,
) -> None:
    pool, network, machine = (host_objects.name(what) for what in ("pool", "net", "vm"))
    spec = f"{{mode: isolated, subnet: {free_subnet}, active: true}}"
    document = f"apiVersion: onggi/v1\nkind: Network\nmetadata: {{name: {network}}}\nspec: {spec}\n"
    repository.commit({"network.yaml": document})
    with live_api(repository, tmp_path / "state", qemu_system) as api:
        printed = run(api, story(dir_pool_folder / "pool", lab=pool, default=network, web=machine))
        check(api, printed, pool, machine)
        check_uploads(api, pool, tmp_path, dir_pool_folder / "pool")


def check(api: LiveApi, printed: str, pool: str, machine: str) -> None:
    """What the story has to have left behind."""
    assert f'"name": "{machine}"' in printed
    assert '"state": "running"' in printed
    assert "304\n" in printed
    subjects = told(api)
    for subject in (f"Create storage pool {pool}", f"Activate storage pool {pool}", "Create template small"):
        assert subject in subjects
    assert subjects[-1] == "Delete template small"
    assert any(machine in subject and subject.startswith("Delete") for subject in subjects)
    assert [each["name"] for each in api.client.get("/templates").json()] == []
    assert api.client.get(f"/vms/{machine}").status_code == 404
    volumes = api.client.get(f"/storagepools/{pool}/storagevolumes").json()
    assert [each["name"] for each in volumes] == ["base.qcow2", "data.qcow2"]


def check_helper(api: LiveApi) -> None:
    """`task` ends, and says no, when nothing was begun, and when what was begun has failed."""

    def fails(_tell: Tell, _stop: threading.Event) -> None:
        raise Terminal("There is no space for it; make some.")

    helper = blocks(PAGE, "sh")[0]
    refused = attempt(api, f'{helper}task "$ONGGI/storagepools/nowhere/storagevolumes" -d \'{{"name": "a"}}\'')
    assert (refused.returncode, "nowhere" in refused.stderr) == (1, True), refused
    number = api.serving.tasks.start("/vms/web", fails, Client("test")).id
    failed = attempt(api, f'{helper}api "$ONGGI/tasks/{number}" | ended')
    assert (failed.returncode, "There is no space" in failed.stderr) == (1, True), failed


def check_uploads(api: LiveApi, pool: str, files: Path, folder: Path) -> None:
    """The blocks on uploads make volumes with the bytes of the files."""
    (files / "installer.iso").write_bytes(b"iso" * 1000)
    (files / "disk.img").write_bytes(b"disk" * 3_000_000)
    helper = blocks(PAGE, "sh")[0]
    for block in blocks(PAGE, "bash"):
        run(api, renamed(f"{helper}cd {files}\n{block}", lab=pool))
    for name in ("installer.iso", "disk.img"):
        assert (folder / name).read_bytes() == (files / name).read_bytes()
