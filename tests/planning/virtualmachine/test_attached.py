"""Which volume a drive is, by what the definition says of it alone."""

from __future__ import annotations

import pytest

from reconciler.planning.virtualmachine.attached import has_volume
from reconciler.planning.virtualmachine.retained_disks import has_data
from specs.reference import Ref
from specs.virtualmachine.storage.cdroms import SEED_PREFIX
from tests.planning.machines import DATA, PLAIN, POOL, WITH_DATA, off
from tests.planning.worlds import World, found

FILE = '<source file="/default/data"/>'


@pytest.mark.parametrize(
    ("source", "has"),
    [
        (FILE, True),
        ('<source file="/elsewhere/data"/>', True),  # where a pool that isn't seen has its folder is unknown
        ('<source file="/default/data2"/>', False),
        ('<source dev="/dev/default/data"/>', True),
        ('<source pool="default" volume="data"/>', True),
        ('<source pool="fast" volume="data"/>', False),
        (f'<source file="/default/data.snap"/><backingStore type="file">{FILE}<backingStore/></backingStore>', True),
        ("", False),
    ],
)
def test_a_drive_is_a_volume_by_its_source(source: str, has: bool) -> None:
    assert has_volume(off(WITH_DATA, patch={FILE: source}), DATA.ref) is has


def test_no_machine_and_no_drive_is_none() -> None:
    assert not has_volume(None, DATA.ref)
    assert not has_volume(off(PLAIN), DATA.ref)


def test_a_seed_is_made_anew_from_its_document_and_holds_nobodys_data() -> None:
    context = World((), (POOL, found(DATA))).context
    assert has_data({"source": {}}, DATA.ref, context)
    assert not has_data({"source": {}}, Ref.volume("default", f"{SEED_PREFIX}web"), context, exchanged=True)
