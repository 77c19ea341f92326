"""Hosts as people have them: every XML of the corpus is exported, and its plan is empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.exporting.export import Export
from reconciler.hypervisor import Hypervisor
from reconciler.lazy import Lazy
from reconciler.line.line import Line
from specs.reference import Ref
from tests.corpus.host import corpus, define, exported, line_of, write

PREFIX = "corpus-"
# Where libvirt's QEMU driver takes them only with a backend or a device that most machines lack.
NOT_ON_QEMU = frozenset(
    {
        "domain/ppc64-pseries",
        "domain/s390x",
        "domain/sev-guest",
        "network/hostdev-pool",
        "pool/gluster",
        "pool/iscsi-direct",
        "pool/rbd",
        "pool/rbd-of-several-monitors",
        "pool/zfs",
    }
)


@pytest.fixture
def hypervisor(private_test_uri: str) -> Iterator[Hypervisor]:
    opened = Hypervisor.open(private_test_uri)
    yield opened
    opened.close()


def assert_at_rest(line: Line, ref: Ref, found: Export) -> None:
    """The plan of the exported documents is empty, and applying it leaves the object as it was to the letter."""
    assert ref in {document.ref for document in found.documents}, found.notes
    desired = line.desired()
    assert desired.problems == ()
    before = line.observe().objects[ref]
    plan = line.compare(desired, line.observe()).plan
    # What a machine's next start lacks it lacked before, and is told; nothing of it is the documents'.
    assert (plan.steps, plan.blocked, plan.drifted) == ((), (), ())
    assert line.converge().succeeded
    after = line.observe().objects[ref]
    assert (after.xml, after.live_xml, after.state) == (before.xml, before.live_xml, before.state)
    entry = line.ledger.ownership.all().get(ref)
    assert entry is not None
    assert not entry.created


@pytest.mark.parametrize("name", corpus())
def test_a_host_of_the_test_driver_is_exported_with_an_empty_plan(
    name: str, private_test_uri: str, tmp_path: Path
) -> None:
    with line_of(write(Export((), ()), tmp_path / "empty"), private_test_uri, tmp_path / "state") as line:
        ref = define(line.hypervisor, name, tmp_path / "images", PREFIX.__add__)
        found = exported(line.observe(), PREFIX)
        write(found, tmp_path / "documents")
        assert_exported(line, tmp_path, ref, found)


def assert_exported(line: Line, tmp_path: Path, ref: Ref, found: Export) -> None:
    """As `assert_at_rest`, for the documents below `tmp_path`."""
    over = line_of(tmp_path / "documents", line.settings.connect, tmp_path / "state-2")
    over.hypervisor.close()
    over.hypervisor = line.hypervisor
    over._executor = Lazy(over._new_executor)
    with over:
        assert_at_rest(over, ref, found)
