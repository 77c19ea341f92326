"""What several stories begin with: a repository, a host, and the line that joins them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.stories.live_guest import LiveGuest, live_guest

SHARED = "test:///default"  # one world for all connections of this process, so that the test can play the hand
BORN = frozenset({"test", "default", "default-pool"})  # all of it, and active


@pytest.fixture
def hand() -> Iterator[libvirt.virConnect]:
    """Somebody at virsh, on the test driver's shared host.

    That is born anew when nobody is connected, and on a busy machine a thread of an earlier test may still be.
    """
    connection = libvirt.open(SHARED)
    for listing in (connection.listAllDomains(), connection.listAllNetworks(), connection.listAllStoragePools()):
        for each in listing:
            if each.name() in BORN and not each.isActive():
                each.create()
    yield connection
    clear(connection)
    connection.close()


def clear(connection: libvirt.virConnect) -> None:
    """Nothing is left of that host but what it was born with."""
    for domain in connection.listAllDomains():
        if domain.name() != "test":
            if domain.isActive():
                domain.destroy()
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    for listing, keep in (
        (connection.listAllNetworks(), "default"),
        (connection.listAllStoragePools(), "default-pool"),
    ):
        for each in listing:
            if each.name() != keep:
                if each.isActive():
                    each.destroy()
                each.undefine()


@pytest.fixture
def shared_line(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> Iterator[Line]:
    """onggi on the host of `hand`."""
    settings = Settings(repository=str(repository.path), connect=SHARED, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as opened:
        yield opened


@pytest.fixture
def line_with_pool(
    qemu_system: str, host_objects: HostObjects, dir_pool_folder: Path, repository: Repository, tmp_path: Path
) -> Iterator[Line]:
    """onggi on the real hypervisor, with a declared pool whose folder is `dir_pool_folder / "pool"`."""
    pool = f"metadata: {{name: {host_objects.name('pool')}}}\nspec: {{type: dir, path: {dir_pool_folder / 'pool'}}}\n"
    repository.commit({"pool.yaml": f"apiVersion: onggi/v1\nkind: StoragePool\n{pool}"})
    settings = Settings(repository=str(repository.path), connect=qemu_system, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as opened:
        yield opened


@pytest.fixture
def imageless_guest(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    dir_pool_folder: Path,
    tmp_path: Path,
) -> Iterator[LiveGuest]:
    """A machine before its first commit that never gets the guest's image: for what QEMU does with stopped CPUs."""
    base = dir_pool_folder / "unused"
    with live_guest(qemu_system, qemu_connection, host_objects, repository, base, tmp_path / "state") as made:
        yield made
