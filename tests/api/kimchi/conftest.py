"""Every test here that asks for `kimchi` runs on both drivers, with the same assertions."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import libvirt
import pytest

from reconciler.hypervisor.host import interfaces
from tests.api.kimchi.coverage import Coverage
from tests.api.kimchi.hosts import QEMU, TEST_DRIVER, Host, on_qemu, on_the_test_driver
from tests.api.kimchi.words import Kimchi
from tests.api.live import live_api
from tests.lab.repositories import Repository
from tests.lab.secluded_libvirtd import SecludedLibvirtd
from tests.stories.hosts import hand as hand_of_the_test_driver

__all__ = ["hand_of_the_test_driver"]


@pytest.fixture(params=[TEST_DRIVER, pytest.param(QEMU, marks=pytest.mark.qemu)])
def host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Host]:
    if request.param == TEST_DRIVER:
        with on_the_test_driver(request.getfixturevalue("hand_of_the_test_driver"), tmp_path) as made:
            yield made
    else:
        daemon: SecludedLibvirtd = request.getfixturevalue("secluded_libvirtd")
        monkeypatch.setattr(interfaces, "kernel_interfaces", daemon.interfaces)
        with on_qemu(daemon) as made:
            yield made


@pytest.fixture
def hand(host: Host) -> libvirt.virConnect:
    """Somebody at virsh."""
    return host.hand


def speaking_tests(module: ModuleType) -> set[str]:
    """The tests of a file that speak to a server, and so run on both drivers."""
    found = {name: inspect.signature(each) for name, each in vars(module).items() if name.startswith("test_")}
    return {name for name, each in found.items() if not {"kimchi", "small", "web"}.isdisjoint(each.parameters)}


@pytest.fixture(scope="module")
def coverage(request: pytest.FixtureRequest) -> Iterator[Coverage]:
    """What a file's tests speak to. One that ran as a whole, here, has left nothing of its nouns out."""
    module = request.module
    noted = Coverage(module.__name__.rpartition(".")[2])
    yield noted
    for driver, ran in noted.ran.items():
        if speaking_tests(module) <= ran:
            assert not (missing := noted.missing(driver)), f"never done on {driver}: {missing}"


@pytest.fixture
def kimchi(
    host: Host, repository: Repository, tmp_path: Path, coverage: Coverage, request: pytest.FixtureRequest
) -> Iterator[Kimchi]:
    """Volumes base.qcow2 (3 GiB), data.qcow2 and installer.iso in the pool; a file some.iso in the folder `isos`."""
    coverage.ran[host.driver].add(request.function.__name__)
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", host.uri, allowed_folders=(str(host.folder / "isos"),)) as running:
        running.client.event_hooks["response"].append(partial(coverage.note, host.driver))
        yield Kimchi(running, host.folder)


@pytest.fixture
def small(kimchi: Kimchi) -> Iterator[Kimchi]:
    """With a template `small`. Its machines are removed afterwards, disks and all."""
    body = {"name": "small", "cdrom": "installer.iso", "memory": 512, "disks": [{"size": 1}]}
    kimchi.write("POST", "/templates", body, 201)
    yield kimchi
    for name in kimchi.names("/vms"):
        if name != "test":
            assert kimchi.send("DELETE", f"/vms/{name}").status_code == 204


@pytest.fixture
def web(small: Kimchi) -> Kimchi:
    """With a machine `web`, which has a disk and installer.iso in its drive."""
    small.task("/vms", {"name": "web", "template": "/templates/small"})
    return small
