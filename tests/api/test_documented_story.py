"""docs/api.md is true: its blocks run as they are written, one after the other."""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
from pathlib import Path

import libvirt
import pytest

from tests.api.live import LiveApi, live_api
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository, git
from tests.test_docs import ROOT, blocks

PAGE = ROOT / "docs/api.md"


def run(api: LiveApi, script: str) -> str:
    """What it printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=api.repository.path,
        env={**os.environ, "ONGGI": api.url, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_PAGER": "cat"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def story(folder: Path, **names: str) -> str:
    """Every block of the page, in another folder and with other names."""
    text = "\n".join(blocks(PAGE, "sh")).replace("/var/lib/libvirt/lab", str(folder))
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
