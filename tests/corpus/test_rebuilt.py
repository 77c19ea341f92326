"""A host is exported, loses its objects, and gets the same ones again from the documents: every XML of the corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from specs.binding import parse
from specs.facts import compare
from tests.corpus.host import corpus
from tests.corpus.rebuilding import Rebuilt, rebuild
from tests.corpus.test_empty_plan import NOT_ON_QEMU, assert_at_rest
from tests.lab.libvirtd import HostObjects


def assert_same(found: Rebuilt) -> None:
    """All of it is kept, and nothing has come."""
    assert found.rebuilt, f"{found.why}\n{found.document}"
    compared = compare(parse(found.original), parse(found.rebuilt))
    assert (list(map(str, compared.lost)), list(map(str, compared.added))) == ([], []), found.document


@pytest.mark.parametrize("name", [name for name in corpus() if name not in NOT_ON_QEMU])
def test_an_object_of_qemu_is_at_rest_and_then_made_again_as_it_was(
    name: str, qemu_system: str, host_objects: HostObjects, dir_pool_folder: Path, tmp_path: Path
) -> None:
    found = rebuild(name, qemu_system, host_objects.prefix, dir_pool_folder, tmp_path, at_rest=assert_at_rest)
    assert_same(found)
