"""A machine that is migrated for real, from one libvirtd to another: its host leaves it and its disk alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from reconciler.line.line import Line
from reconciler.planning.plan import Plan
from reconciler.settings.settings import Settings
from tests.hostile.private_libvirtd import PrivateLibvirtd
from tests.lab.repositories import Repository
from tests.lab.waiting import until
from tests.stories.live_guest import document

SPEC = {"memory": 64, "domainType": "emulated", "runStrategy": "Always", "paused": True, "graphics": {"type": "none"}}


class Host(PrivateLibvirtd):
    """One of several on one machine: libvirt migrates nothing to the host that it comes from."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        super().__init__(folder)
        with (folder / "libvirtd.conf").open("a") as settings:
            settings.write(f'host_uuid = "{uuid.uuid4()}"\n')


@pytest.fixture
def hosts(dir_pool_folder: Path) -> Iterator[tuple[Host, Host]]:
    dir_pool_folder.chmod(0o777)  # both run as QEMU's user
    made = Host(dir_pool_folder / "here"), Host(dir_pool_folder / "there")
    try:
        for host in made:
            host.start()
        yield made
    finally:
        for host in made:
            host.stop()
            host.remove()


def migrate(source: libvirt.virConnect, target: libvirt.virConnect, folder: Path, *more: int) -> libvirt.virDomain:
    """Somebody moves the machine, whose disk both hosts reach."""
    flags = libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_PERSIST_DEST | libvirt.VIR_MIGRATE_UNSAFE
    for flag in more:
        flags |= flag
    way = {libvirt.VIR_MIGRATE_PARAM_URI: f"unix://{folder}/way"}
    return source.lookupByName("web").migrate3(target, way, flags)


def is_left_alone(plan: Plan) -> bool:
    """Nothing is to be done about the machine and its disk, and both say why."""
    return not plan.steps and {item.reason for item in plan.blocked} == {"Migrated"}


def test_a_migrated_machine_is_neither_started_nor_made_again_where_it_came_from(
    hosts: tuple[Host, Host], dir_pool_folder: Path, repository: Repository, tmp_path: Path
) -> None:
    here, there = (libvirt.open(host.uri) for host in hosts)
    pool = document("StoragePool", "shared", {"type": "dir", "path": str(dir_pool_folder / "shared")})
    disk = {"name": "root", "size": "16MiB", "pool": "shared"}
    repository.commit({"pool.yaml": pool, "web.yaml": document("VirtualMachine", "web", {**SPEC, "disks": [disk]})})
    settings = Settings(repository=str(repository.path), connect=hosts[0].uri, state=tmp_path / "state")

    with Line.open(settings, exclusive=True) as line:
        assert line.converge().succeeded
        image = next((dir_pool_folder / "shared").iterdir())
        size = image.stat().st_size

        # Its definition stays at the source.
        away = migrate(here, there, dir_pool_folder)
        grown = {**disk, "size": "32MiB"}
        repository.commit({"web.yaml": document("VirtualMachine", "web", {**SPEC, "disks": [grown]})})
        assert is_left_alone(line.converge().remaining)
        assert not here.lookupByName("web").isActive()
        assert image.stat().st_size == size

        # It comes back by itself, and is cared for again. (QEMU can't move one on that never ran where it came to.)
        away.resume()
        migrate(there, here, dir_pool_folder, libvirt.VIR_MIGRATE_UNDEFINE_SOURCE)
        assert line.converge().succeeded
        assert here.lookupByName("web").isActive()

        # Nothing of it stays at the source but what an event has told.
        away = migrate(here, there, dir_pool_folder, libvirt.VIR_MIGRATE_UNDEFINE_SOURCE)
        until(lambda: line.hypervisor.migrated(), 30, "the event was heard")
        assert is_left_alone(line.converge().remaining)
        assert here.listAllDomains() == []

    # Another start of the agent has heard no event.
    with Line.open(settings, exclusive=True) as line:
        assert is_left_alone(line.converge().remaining)
        assert here.listAllDomains() == []
        assert away.isActive()
        # It's said to be needed here, for there it is gone.
        away.destroy()
        digest = next(item.digest for item in line.plan().blocked if item.digest)
        line.ledger.decisions.approve(digest)
        assert line.converge().succeeded
        assert here.lookupByName("web").isActive()
        here.lookupByName("web").destroy()
