"""The last look at a step: whoever changes planning finds out here when it takes a disk from its machine."""

from __future__ import annotations

import pytest

from reconciler.planning.operations import Define, EditLive, Operation, RenameSnapshots
from reconciler.planning.virtualmachine.data_guard import parted
from specs.reference import STORAGE_VOLUME, Ref
from tests.planning.machines import DATA, PLAIN, POOL, WITH_DATA, off, on
from tests.planning.values import step
from tests.planning.worlds import WEB, World, found, wanted

OTHER = wanted("default/data2", STORAGE_VOLUME, pool="default", capacity="1GiB", format="qcow2")
WITH_OTHER = wanted(disks=[{"name": "data", "volume": "default/data2"}])
HOST = World((WITH_DATA,), (POOL, found(DATA), found(OTHER), on(WITH_DATA)))


def define(xml: str) -> Define:
    return Define(WEB, WITH_DATA.uid, xml)


def detach(path: str) -> EditLive:
    return EditLive(WEB, "detach", f"<disk><source file='{path}'/></disk>")


MOVED = RenameSnapshots(WEB, WITH_DATA.uid, (("/default/data", "/default/data2"),))


@pytest.mark.parametrize(
    ("operations", "lost"),
    [
        pytest.param([define(off(PLAIN).xml)], True, id="its definition has no disk any more"),
        pytest.param([define(off(WITH_DATA).xml)], False, id="its definition has the disk"),
        pytest.param(
            [define(off(WITH_DATA).xml.replace('"', "'"))], False, id="its definition has it in libvirt's quotes"
        ),
        pytest.param([define(off(WITH_OTHER).xml)], True, id="its definition has one whose name only begins like it"),
        pytest.param([MOVED, define(off(WITH_OTHER).xml)], False, id="its disk is renamed to that"),
        pytest.param([MOVED, define(off(PLAIN).xml)], True, id="its disk is renamed, and its definition has none"),
        pytest.param([detach("/default/data")], True, id="it is unplugged"),
        pytest.param([detach("/default/data2")], False, id="another one is unplugged"),
    ],
)
def test_a_step_that_would_take_its_disk_is_held_back(operations: list[Operation], lost: bool) -> None:
    found = parted([step(WEB, *operations)], frozenset(), HOST.context)
    assert [item.reason for item in found] == ["DiskWouldBeLost"] * lost
    assert not parted([step(WEB, *operations)], frozenset({DATA.ref}), HOST.context), "a person has let it go"


def test_what_the_definition_lacks_already_is_only_unplugged() -> None:
    host = World((PLAIN,), (POOL, found(DATA), on(run=WITH_DATA)))
    assert not parted([step(WEB, detach("/default/data"))], frozenset(), host.context)


def test_a_disk_that_nobody_declared_goes_from_a_list_that_is_complete() -> None:
    stranger = on(WITH_DATA, mark=None)
    for complete, lost in (((), True), (("disks",), False)):
        document = wanted(policy={"complete": complete})
        host = World((document,), (POOL, found(DATA), stranger))
        assert bool(parted([step(WEB, define(off(PLAIN).xml))], frozenset(), host.context)) is lost


def test_one_that_is_not_there_yet_loses_nothing() -> None:
    host = World((WITH_DATA,), (POOL, found(DATA)))
    assert not parted([step(WEB, define(off(PLAIN).xml)), step(Ref("Network", "x"))], frozenset(), host.context)


def test_a_path_that_is_written_in_another_way_is_not_taken_for_lost() -> None:
    doubled = on(WITH_DATA, patch={"/default/data": "/default//data"})
    host = World((WITH_DATA,), (POOL, found(DATA), doubled))
    assert not parted([step(WEB, define(doubled.xml))], frozenset(), host.context)
