"""What vanishes from the host behind onggi's back: data is told and not replaced, a definition comes back as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libvirt
import pytest
from lxml import etree

from reconciler.planning.plan import Plan
from specs.reference import Ref
from tests.stories.live_guest import LiveGuest, places


def disk(guest: LiveGuest, name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "size": "16MiB", "pool": guest.pool, **more}


@pytest.fixture
def guest(imageless_guest: LiveGuest) -> LiveGuest:
    """A machine that starts with stopped CPUs, with a system and data of its own."""
    imageless_guest.spec["disks"] = [disk(imageless_guest, "root"), disk(imageless_guest, "data")]
    imageless_guest.spec |= {"memory": 64, "maximumMemory": 128, "paused": True}
    return imageless_guest


def data(guest: LiveGuest) -> Ref:
    return Ref.volume(guest.pool, f"{guest.name}-data.qcow2")


def lose(guest: LiveGuest) -> Path:
    """Somebody deletes the data disk."""
    pool = guest.connection.storagePoolLookupByName(guest.pool)
    volume = pool.storageVolLookupByName(data(guest).short_name)
    path = Path(volume.path())
    volume.delete()
    return path


def lost(plan: Plan) -> set[Ref]:
    return {item.ref for item in plan.blocked if item.reason == "DataLost"}


def test_a_deleted_data_disk_is_told_and_nothing_empty_comes_in_its_place(guest: LiveGuest) -> None:
    guest.begin()
    path = lose(guest)
    run = guest.domain.ID()
    told = guest.line.converge()
    assert not told.succeeded
    assert lost(told.remaining) == {data(guest), guest.ref}
    assert not path.exists()

    # All else goes on, and the running machine keeps what it has open.
    guest.commit(memory=96, runStrategy="Halted", paused=None)
    assert lost(guest.line.converge().remaining) == {data(guest), guest.ref}
    assert guest.config().findtext("memory") is not None
    assert int(guest.config().findtext("currentMemory") or 0) == 96 * 1024
    assert guest.domain.ID() == run

    # Off, it isn't started: neither now nor by a later pass.
    guest.commit(runStrategy="Always", paused=True)
    guest.domain.destroy()
    for _ in range(2):
        assert lost(guest.line.converge().remaining) == {data(guest), guest.ref}
        assert not guest.domain.isActive()
        assert not path.exists()

    digest = next(item.digest for item in guest.line.plan().blocked if item.ref == data(guest))
    guest.line.ledger.decisions.approve(digest)
    assert guest.line.converge().succeeded
    assert path.exists()
    assert guest.domain.isActive()
    lose(guest)
    assert lost(guest.line.converge().remaining) == {data(guest), guest.ref}, "a yes is for one loss"


def test_a_disk_that_is_put_back_ends_the_loss(guest: LiveGuest) -> None:
    guest.begin()
    guest.domain.destroy()
    pool = guest.connection.storagePoolLookupByName(guest.pool)
    path = Path(pool.storageVolLookupByName(data(guest).short_name).path())
    away = path.rename(path.with_suffix(".away"))
    pool.refresh()
    assert lost(guest.line.converge().remaining) == {data(guest), guest.ref}
    away.rename(path)
    pool.refresh()
    assert guest.line.converge().succeeded
    assert guest.domain.isActive()


def test_a_scratch_disk_is_made_again_without_asking(guest: LiveGuest) -> None:
    guest.begin(disks=[disk(guest, "root"), disk(guest, "data", onLoss="recreate")])
    guest.domain.destroy()
    path = lose(guest)
    assert guest.line.converge().succeeded
    assert path.exists()
    assert guest.domain.isActive()


def test_a_machine_that_was_undefined_while_it_runs_is_persistent_again_and_runs_on(guest: LiveGuest) -> None:
    guest.begin(autostart=True)
    before, run = guest.config(), guest.domain.ID()
    guest.domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)
    assert not guest.domain.isPersistent()
    plan = guest.line.plan()
    assert [step.drift for step in plan.steps if step.ref == guest.ref] == [True]
    assert guest.line.converge().succeeded
    assert guest.domain.isPersistent()
    assert guest.domain.autostart()
    assert guest.domain.ID() == run
    assert places(guest.config()) == places(before)
    assert guest.line.plan().empty


def test_a_machine_that_was_undefined_while_it_is_off_comes_back_with_what_was_added_by_hand(guest: LiveGuest) -> None:
    guest.begin(firmware="uefi")
    root = guest.config()
    devices = root.find("devices")
    devices.append(etree.fromstring("<sound model='ich9'/>"))
    devices.append(
        etree.fromstring("<interface type='user'><mac address='52:54:00:be:ef:01'/><model type='e1000'/></interface>")
    )
    guest.connection.defineXML(etree.tostring(root, encoding="unicode"))
    guest.domain.destroy()
    guest.domain.create()  # with that, and with its NVRAM
    assert guest.line.converge().succeeded
    before = guest.config()
    nvram = Path(guest.live().findtext("os/nvram") or "")
    kept = nvram.read_bytes()

    guest.domain.destroy()
    guest.domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)
    plan = guest.line.plan()
    assert [step.why for step in plan.steps if step.ref == guest.ref] == [
        "gone from the host; made again as it was last seen there, with what its document says"
    ]
    assert guest.line.converge().succeeded
    after = guest.config()
    assert after.findtext("uuid") == before.findtext("uuid")
    assert after.find("devices/sound") is not None
    assert places(after) == places(before)
    assert (Path(guest.live().findtext("os/nvram") or ""), nvram.read_bytes()) == (nvram, kept)
    assert guest.domain.isActive(), "it ran when it was last seen"
    assert guest.line.plan().empty
