"""An agent tells of lost data in its status, its events and the exit code of `onggi status`: once, and when it ends."""

from __future__ import annotations

from pathlib import Path

import libvirt

from reconciler.ledger.ledger import Ledger
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from tests.cli.command import Onggi
from tests.lab.repositories import Repository
from tests.lab.waiting import until
from tests.stories.agents import running_agent
from tests.stories.hosts import SHARED
from tests.stories.live_guest import document

POOL = document("StoragePool", "disks", {"type": "dir", "path": "/disks"})
WEB = document("VirtualMachine", "web", {"memory": 64, "disks": [{"name": "root", "size": "1GiB", "pool": "disks"}]})
DISK, MACHINE = Ref(STORAGE_VOLUME, "disks/web-root.qcow2"), Ref(VIRTUAL_MACHINE, "web")


def conditions(state: Path, ref: Ref) -> set[str]:
    with Ledger.open(state, readonly=True) as ledger:
        status = ledger.status.of(ref)
    return {item.type for item in status.conditions if item.status} if status is not None else set()


def test_loss_is_told_where_people_look_and_ends_with_the_volume(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    state, onggi = tmp_path / "state", Onggi(tmp_path / "home")
    repository.commit({"pool.yaml": POOL, "web.yaml": WEB})
    with running_agent(repository.path, SHARED, state):
        pool = until(lambda: hand.storagePoolLookupByName("disks"), 60, "the pool is there")
        volume = until(lambda: pool.storageVolLookupByName(DISK.short_name), 60, "the disk is there")
        until(lambda: "Ready" in conditions(state, MACHINE), 60, "the machine is well")
        xml = volume.XMLDesc()
        volume.delete()
        pool.refresh()
        for ref in (DISK, MACHINE):
            until(lambda ref=ref: "DataLost" in conditions(state, ref), 60, "it is lost")
        assert onggi("status", "--state", state).code == 1
        pool.refresh()
        pool.createXML(xml)
        pool.refresh()
        for ref in (DISK, MACHINE):
            until(lambda ref=ref: "DataLost" not in conditions(state, ref), 60, "it is back")
        assert onggi("status", "--state", state).code == 0
    with Ledger.open(state, readonly=True) as ledger:
        told = [
            event.result for event in ledger.history.events(ref=DISK) if "DataLost" in (event.result, event.message[:8])
        ]
    assert told == ["DataLost", "resolved"], "once each"
