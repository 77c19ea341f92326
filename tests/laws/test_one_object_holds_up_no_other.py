"""The law of the bulkheads: whatever any stage raises for one object, all others are treated as if it weren't there.

Every function of the line that is handed one object is made to fail for the odd ones, one function after the other.
"""

from __future__ import annotations

import hashlib
import traceback
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler import bulkhead
from reconciler.desired.load import Loader
from reconciler.desired.resolve import Resolver
from reconciler.exporting.export import export
from reconciler.line.line import Line
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.ownership import Owned
from reconciler.planning.planner import Planner
from reconciler.settings.settings import Settings
from reconciler.source.tree import Revision, SourceFile, SourceTree
from reconciler.status.drift import drift
from reconciler.status.one_pass import Pass
from reconciler.status.status import conditions
from specs.reference import Ref
from tests.laws.odd_ones import OddError, fail_for, functions

REPOSITORY = "0f3ee1de-6a31-4f3f-a3a8-5d8d1f6b9c02"
ODD = frozenset(f"odd{what}" for what in ("", "-pool", "-data.qcow2", "-root.qcow2", "-gone", ".yaml"))
Documents = Mapping[str, dict[str, Any]]


def documents(name: str, *, later: bool = False) -> dict[str, dict[str, Any]]:
    """One of each kind that is on a host, and of a template; `later` everything is to be changed."""
    pool = f"{name}-pool"
    specs: dict[str, tuple[str, dict[str, Any]]] = {
        "Network": (name, {"mode": "isolated", "subnet": f"10.{zlib.crc32(name.encode()) % 250}.1.0/24"}),
        "StoragePool": (pool, {"type": "dir", "path": f"/{name}", "autostart": later}),
        "StorageVolume": (f"{name}-data.qcow2", {"pool": pool, "capacity": "8MiB"}),
        "Template": (name, {"memory": "64MiB"}),
        "VirtualMachine": (
            name,
            {
                "template": name, "runStrategy": "Halted", "cpus": 2 if later else 1,
                "disks": [{"name": "root", "size": "16MiB", "pool": pool}, {"volume": f"{pool}/{name}-data.qcow2"}],
                "interfaces": [{"network": name}],
            },
        ),
    }  # fmt: skip
    return {
        kind: {"apiVersion": "onggi/v1", "kind": kind, "metadata": {"name": called}, "spec": spec}
        for kind, (called, spec) in specs.items()
    }


def tree(*files: tuple[str, Documents]) -> SourceTree:
    sources = []
    for name, each in files:
        content = yaml.safe_dump_all(each.values()).encode()
        sources.append(SourceFile(f"{name}.yaml", hashlib.sha256(content).hexdigest(), content))
    return SourceTree(Revision("main", "sha1", "0" * 40), tuple(sources), (), REPOSITORY)


@dataclass(frozen=True)
class World:
    """A host on which everything was applied once, and what has become of it since."""

    snapshot: Snapshot
    owned: Mapping[Ref, Owned]

    def fresh(self) -> Snapshot:
        """With nothing read of any definition yet."""
        return replace(self.snapshot, objects={ref: replace(seen) for ref, seen in self.snapshot.objects.items()})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    place = tmp_path_factory.mktemp("world")
    node = Path(__file__).parents[1] / "lab/node.xml"
    (place / "documents").mkdir()
    (place / "documents/onggi.yaml").write_text(f"apiVersion: onggi/v1\nrepositoryId: {REPOSITORY}\n")
    for name in ("good", "odd"):
        (place / f"documents/{name}.yaml").write_text(yaml.safe_dump_all(documents(name).values()))
    for name in ("gone", "odd-gone"):
        (place / f"documents/{name}.yaml").write_text(yaml.safe_dump(documents(name)["Network"]))
    options = Settings(repository=str(place / "documents"), connect=f"test://{node}", state=place / "state")
    with Line.open(options, exclusive=True) as line:
        done = line.converge()
        assert [item.message for item in (*done.outcomes, *done.remaining.blocked) if item.message] == []
        owned = dict(line.ledger.ownership.all())
        snapshot = line.observe()
    missing = Ref("Network", "good")  # so that there is drift, too
    return World(replace(snapshot, objects={r: o for r, o in snapshot.objects.items() if r != missing}), owned)


def passes(world: World) -> dict[str, Any]:
    """What two passes say of everything, by the name of the object."""
    good, odd = documents("good", later=True), documents("odd", later=True)
    loader, resolver, planner = Loader(), Resolver(), Planner()
    told: dict[str, Any] = {}
    for _ in range(2):
        source, snapshot = tree(("good", good), ("odd", odd)), world.fresh()
        desired = resolver.resolve(source, loader.load(source), REPOSITORY)
        plan = planner.plan(desired, snapshot, world.owned)
        now = Pass(desired, snapshot, plan, owned=world.owned)
        drifts = drift(now)
        states = conditions(now, drifts)
        told = {
            "steps": {step.ref: step for step in plan.steps},
            "blocked": {item.ref: item for item in plan.blocked},
            "records": {item.ref: item for item in plan.records},
            "waiting": {item.ref: item for item in plan.waiting},
            "drift": {(item.ref, item.kind): item for item in drifts},
            "conditions": states,
            "problems": {problem.path: str(problem) for problem in desired.problems},
        }
    return told


def exported(world: World) -> dict[str, Any]:
    """The documents that are made of the host as it is."""
    snapshot = world.fresh()
    found = export(replace(snapshot, objects={r: replace(o, mark=None) for r, o in snapshot.objects.items()}), "")
    return {"exported": {document.ref: document.text for document in found.documents}}


def of_good(told: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is told of the odd ones."""
    return {part: {key: value for key, value in found.items() if "odd" not in str(key)} for part, found in told.items()}


@pytest.fixture
def as_usual(world: World) -> Mapping[str, Any]:
    return passes(world) | exported(world)


# The bulkheads themselves, what only looks a value up, and what decides about a group as a whole.
BEYOND = frozenset(
    {
        "reconciler.desired.load:_load",
        "reconciler.desired.load:_mistakes",
        "reconciler.exporting.choosing:_contained",
        "reconciler.exporting.choosing:_path",
        "reconciler.exporting.fitting:_place",
        "reconciler.observed.snapshot:Observed.active",
        "reconciler.observed.snapshot:Snapshot.get",
        "reconciler.planning.context:Context.present_name",
        "reconciler.planning.context:has_object",
        "reconciler.planning.gathered:Gathered._uses",
        "reconciler.planning.guards:_goes_along",
        "reconciler.planning.guards:is_approved",
        "reconciler.planning.observing:is_observed",
        "reconciler.planning.observing:under_observation",
        "reconciler.planning.order:_after",
        "reconciler.planning.order:_held",
        "reconciler.planning.prune:_assess",
        "reconciler.planning.prune:_is_new_loss",
        "reconciler.status.drift:_Drifts.contained",
        "reconciler.status.status:_Conditions.contained",
    }
)
PLACES = sorted(
    set(
        functions(
            "specs.document", "specs.validate", "specs.network", "specs.storagepool", "specs.storagevolume",
            "specs.virtualmachine", "specs.template", "reconciler.desired",
            "reconciler.observed.snapshot", "reconciler.planning",
            "reconciler.status.drift", "reconciler.status.status", "reconciler.exporting",
        )
    )
    - BEYOND
)  # fmt: skip


def test_the_story_has_something_to_say_of_everything(as_usual: Mapping[str, Any]) -> None:
    assert len(PLACES) > 100
    assert {part for part, found in of_good(as_usual).items() if found} >= {"steps", "drift", "conditions", "exported"}
    assert {ref.name for ref in as_usual["steps"]} >= {"good", "odd", "gone"}


def test_whatever_fails_for_one_object_costs_the_others_nothing(
    world: World, as_usual: Mapping[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    reached, wrong = 0, []
    for place in PLACES:
        caplog.clear()
        bulkhead._told.clear()
        with pytest.MonkeyPatch.context() as patch:
            raised = fail_for(ODD, place, patch)
            try:
                found = passes(world)
                traces = [record.getMessage() for record in caplog.records if record.exc_info]
                found |= exported(world)
            except OddError as error:
                frames = [f"{each.name}:{each.lineno}" for each in traceback.extract_tb(error.__traceback__)]
                wrong.append(f"{place}: nobody contained it: {frames[-4:]}")
                continue
        reached += bool(raised)
        if of_good(found) != of_good(as_usual):
            parts = [part for part in found if of_good(found)[part] != of_good(as_usual)[part]]
            wrong.append(f"{place}: {parts} of the neighbours changed")
        if raised and not any(record.exc_info for record in caplog.records):
            wrong.append(f"{place}: nothing is told")
        if len(traces) != len(set(traces)):
            wrong.append(f"{place}: told more than once: {traces}")
    assert not wrong, "\n".join(wrong)
    assert reached > 60
