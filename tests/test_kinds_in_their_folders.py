"""A new kind is a folder in each layer: outside the kinds' folders no module names one, but where two kinds meet.

Whoever wants to know something of a kind asks its declaration (`specs/registry.py`), its rules (`planning/rules.py`) or
its driver (`hypervisor/driver.py`). The hypervisor's half is held in tests/hypervisor/test_drivers.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.exporting.exporter import exporters
from reconciler.planning.rules import all_rules
from specs.registry import own_kinds
from tests.lab.kinds_named import named_in

ROOT = Path(__file__).parents[1]
OWN = {kind.folder.name for kind in own_kinds().values()}
OUTSIDE = sorted(
    path
    for room in ("specs", "reconciler")
    for path in (ROOT / room).rglob("*.py")
    if not OWN & set(path.relative_to(ROOT).parts[:-1]) and "hypervisor" not in path.parts
)

# Where kinds meet, or one has what no other has and somebody asks for it by name.
MEETINGS = {
    "reconciler/planning/projected_host.py": "where the volumes of pools that are only declared will be",
    "reconciler/loop/debounce.py": "the machines that are plugged into a network",
    "reconciler/exporting/choosing.py": "what a machine needs is exported with it",
}
OF_ONE_KIND = {
    "specs/reference.py": "the names themselves, and that a volume's has its pool's in it",
    "reconciler/cli/machines.py": "verbs for machines alone: start, stop, console",
    "reconciler/serving/freshness.py": "clients' nouns: a pool's files",
    "reconciler/serving/machine_items.py": "clients' nouns: what is plugged into a machine",
    "reconciler/serving/new_volumes.py": "clients' nouns: volumes that they make",
    "reconciler/serving/put_back.py": "clients' nouns: what a snapshot brings back of a machine",
    "reconciler/serving/seen_events.py": "clients' nouns: what was done to machines that are somebody's",
    "reconciler/serving/sight.py": "clients' nouns: whose a machine is",
    "reconciler/serving/uploads.py": "clients' nouns: volumes that they upload",
    "reconciler/serving/within.py": "clients' nouns: what of a machine is whose to change",
}
NAMED = MEETINGS | OF_ONE_KIND


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_a_kinds_folder_names_a_kind(path: Path) -> None:
    may = str(path.relative_to(ROOT)) in NAMED
    assert bool(named_in(path)) == may, (
        "ask the kind's declaration or its rules instead, or have its folder do this"
        if not may
        else "it is no exception any more"
    )


def test_the_exceptions_are_there() -> None:
    assert {path for path in NAMED if not (ROOT / path).is_file()} == set()


def test_whatever_is_on_the_host_has_rules_and_an_exporter_and_nothing_else_has() -> None:
    assert set(all_rules()) == set(exporters()) == {kind.name for kind in own_kinds().values() if kind.has_xml}
    assert all(rules.root for rules in all_rules().values() if own_kinds()[rules.kind].is_defined)
