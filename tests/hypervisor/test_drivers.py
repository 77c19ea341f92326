"""A kind's work on a host is its folder's: nothing beside the folders names a kind, and a new folder is a new kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import reconciler.hypervisor
from reconciler.errors import Unsupported
from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.driver import drivers
from reconciler.planning import one_off, operations
from reconciler.planning.operations import Start, Undefine
from specs.reference import NETWORK, STORAGE_VOLUME, Ref
from specs.registry import own_kinds
from tests.lab.kinds_named import named_in

ROOM = Path(reconciler.hypervisor.__file__).parent
FOLDERS = {path.parent for path in ROOM.glob("*/driver.py")}
KIND_FOLDERS = {folder.name for folder in FOLDERS}
BESIDE = sorted(path for path in ROOM.rglob("*.py") if path.parent not in FOLDERS)

# Where one kind has what no other has, and somebody outside asks for it by name.
OF_ONE_KIND = {
    "hypervisor.py": "the door: volumes take data, pools are looked into, machines count what they use",
    "queries.py": "the door's questions about machines: screens, addresses, snapshots",
    "handlers.py": "what running machines were told in vain is kept by the door: a plan asks for it, too",
}


@pytest.mark.parametrize("path", BESIDE, ids=lambda path: str(path.relative_to(ROOM)))
def test_only_a_kinds_folder_names_a_kind(path: Path) -> None:
    may = str(path.relative_to(ROOM)) in OF_ONE_KIND
    assert bool(named_in(path, reconciler.hypervisor.__name__, KIND_FOLDERS)) == may, (
        "ask the kind's driver instead, or have its folder do this" if not may else "it is no exception any more"
    )


def test_what_has_xml_has_a_driver_and_nothing_else_has_one() -> None:
    assert set(drivers()) == {kind.name for kind in own_kinds().values() if kind.has_xml}


def test_every_operation_is_performed_by_some_kind() -> None:
    every = {*get_args(operations.Operation), *get_args(one_off.OneOff)} - {one_off.OneOff}
    host = Hypervisor.open("test:///default")  # asked for nothing, so it doesn't connect
    kinds = [kind.handlers for kind in host._commands()._kinds.values()]
    assert {each for handlers in kinds for each in handlers} == every
    host.close()


def test_what_a_kind_has_no_handler_for_is_refused(test_host: Hypervisor) -> None:
    with pytest.raises(Unsupported, match="StorageVolume/p/v has no Undefine"):
        test_host.perform(Undefine(Ref(STORAGE_VOLUME, "p/v"), "u"))
    with pytest.raises(Unsupported, match="Template/small has no Start"):
        test_host.perform(Start(Ref("Template", "small")))


LAMP = """
from reconciler.hypervisor.driver import Driver
from reconciler.hypervisor.handlers import KindCommands, nothing
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import Start
from specs.reference import NETWORK, Ref

LIT = []

class Reader:
    def __init__(self, tools):
        self.connections = tools.connections

    def read(self, reading):
        ref = Ref("Lamp", "desk")
        networks = len(list(reading.found_of(NETWORK)))
        reading.found.objects[ref] = Observed(ref, "", f"<lamp networks='{networks}'/>")

    def outdated(self, name):
        pass

def commands(access):
    found = KindCommands()
    found.on(Start, lambda given: LIT.append(given.operation.ref), opens=nothing)
    return found

DRIVER = Driver(
    "Lamp", look_up=lambda connection, ref: None, reader=Reader, commands=commands, reads_after=(NETWORK,)
)
"""


@pytest.fixture
def lamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of a kind that onggi doesn't have, beside those of its own."""
    folder = tmp_path / "lamp"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "driver.py").write_text(LAMP)
    monkeypatch.setattr(reconciler.hypervisor, "__path__", [*reconciler.hypervisor.__path__, str(tmp_path)])
    drivers.cache_clear()
    yield
    drivers.cache_clear()
    for name in [name for name in sys.modules if name.startswith("reconciler.hypervisor.lamp")]:
        del sys.modules[name]


@pytest.mark.usefixtures("lamp")
def test_a_new_kind_is_one_folder(private_test_uri: str) -> None:
    desk = Ref("Lamp", "desk")
    host = Hypervisor.open(private_test_uri)
    try:
        seen = host.observe()
        networks = sum(ref.kind == NETWORK for ref in seen.objects)
        assert seen.objects[desk].xml == f"<lamp networks='{networks}'/>", "it is read after what it is read after"
        assert host.observe(seen, frozenset({desk})).objects[desk] is not seen.objects[desk]
        host.perform(Start(desk))
        assert [desk] == sys.modules["reconciler.hypervisor.lamp.driver"].LIT
    finally:
        host.close()
