"""Every test here that asks for `kimchi` runs on both drivers, with the same assertions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from reconciler.observed.hypervisor.asking import interfaces
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


@pytest.fixture
def kimchi(host: Host, repository: Repository, tmp_path: Path) -> Iterator[Kimchi]:
    """Volumes base.qcow2 (3 GiB), data.qcow2 and installer.iso in the pool; a file some.iso in the folder `isos`."""
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", host.uri, allowed_folders=(str(host.folder / "isos"),)) as running:
        yield Kimchi(running, host.folder)
