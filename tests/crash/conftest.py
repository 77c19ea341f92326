"""Hosts whose daemon is the test's own: libvirt's test driver and QEMU's, both with the same life to live."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.crash import world
from tests.crash.fork_server import ForkServer
from tests.crash.lives import Lives
from tests.hostile.private_libvirtd import PrivateLibvirtd, private_libvirtd
from tests.lab.repositories import Repository

__all__ = ["private_libvirtd"]  # a fixture


@pytest.fixture
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


@pytest.fixture
def pools_folder(dir_pool_folder: Path) -> Path:
    """A folder for pools' folders, which the daemon of QEMU's user may write to."""
    folder = dir_pool_folder / "pools"
    folder.mkdir(mode=0o755)
    shutil.chown(folder, "libvirt-qemu", "kvm")
    return folder


@pytest.fixture
def test_driver_lives(
    private_libvirtd: PrivateLibvirtd,
    fork_server: ForkServer,
    pools_folder: Path,
    repository: Repository,
    tmp_path: Path,
) -> Iterator[Lives]:
    """The test driver inside a daemon: its state outlives a killed onggi for as long as this connection is open."""
    connection = libvirt.open(private_libvirtd.test_uri)
    lives = Lives(
        private_libvirtd.test_uri, connection, pools_folder, repository, tmp_path / "state", fork_server, False
    )
    lives.prepare()
    yield lives
    connection.close()


@pytest.fixture
def qemu_lives(
    private_libvirtd: PrivateLibvirtd,
    fork_server: ForkServer,
    pools_folder: Path,
    repository: Repository,
    tmp_path: Path,
) -> Iterator[Lives]:
    """QEMU with real files; one of the machines runs, with its CPUs stopped."""
    connection = libvirt.open(private_libvirtd.uri)
    lives = Lives(private_libvirtd.uri, connection, pools_folder, repository, tmp_path / "state", fork_server, True)
    lives.prepare()
    yield lives
    world.clear(connection, pools_folder)
    connection.close()
