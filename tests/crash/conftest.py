"""Hosts whose daemon is the tests' own: libvirt's test driver and QEMU's, both with the same life to live.

Each module has its own and lives the undisturbed life once; every test begins with an empty host and no memory.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.crash.fork_server import ForkServer
from tests.crash.lives import Lives
from tests.hostile.private_libvirtd import PrivateLibvirtd, running_libvirtd
from tests.lab.libvirtd import PREFIX, STORAGE
from tests.lab.repositories import Repository


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that QEMU's user can reach."""
    folder = STORAGE / f"{PREFIX}{secrets.token_hex(4)}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def libvirtd(place: Path) -> Iterator[PrivateLibvirtd]:
    """A daemon that may be killed."""
    with running_libvirtd(place) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def pools_folder(place: Path) -> Path:
    """A folder for pools' folders, which the daemon of QEMU's user may write to."""
    folder = place / "pools"
    folder.mkdir(mode=0o755)
    shutil.chown(folder, "libvirt-qemu", "kvm")
    return folder


@pytest.fixture(scope="module")
def undisturbed_on_test_driver(
    libvirtd: PrivateLibvirtd, fork_server: ForkServer, pools_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lives]:
    yield from _undisturbed(libvirtd, libvirtd.test_uri, fork_server, pools_folder, tmp_path_factory.mktemp("crash"))


@pytest.fixture(scope="module")
def undisturbed_on_qemu(
    libvirtd: PrivateLibvirtd, fork_server: ForkServer, pools_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lives]:
    yield from _undisturbed(libvirtd, libvirtd.uri, fork_server, pools_folder, tmp_path_factory.mktemp("crash"))


def _undisturbed(daemon: PrivateLibvirtd, uri: str, server: ForkServer, folder: Path, place: Path) -> Iterator[Lives]:
    connection = libvirt.open(uri)  # the test driver's state lasts for as long as somebody is connected
    lives = Lives(daemon, uri, connection, folder, Repository(place / "repository"), place / "state", server)
    lives.prepare()
    yield lives
    lives.begin()
    lives.connection.close()


@pytest.fixture
def test_driver_lives(undisturbed_on_test_driver: Lives) -> Lives:
    """The test driver inside a daemon, so that its state outlives a killed onggi."""
    undisturbed_on_test_driver.begin()
    return undisturbed_on_test_driver


@pytest.fixture
def qemu_lives(undisturbed_on_qemu: Lives) -> Lives:
    """QEMU with real files; one of the machines runs, with its CPUs stopped."""
    undisturbed_on_qemu.begin()
    return undisturbed_on_qemu
