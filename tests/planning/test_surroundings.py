"""Only what a commit or a look at the host has changed is asked again, and the plan is the one of a new planner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import Resource
from reconciler.planning.context import Context
from reconciler.planning.ownership import Fact
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from specs.host import VolumeSource
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, Ref
from specs.scope import Scope
from tests.planning.values import REPOSITORY, vm
from tests.planning.worlds import World, applied, found, wanted

Inputs = dict[str, Any]
Move = Callable[[Inputs], Inputs]

POOL = wanted("default", STORAGE_POOL, type="dir", path="/default")
DATA = wanted("default/data.raw", STORAGE_VOLUME, capacity=1 << 20, format="raw")
WEB = wanted("web", disks=[{"volume": "default/data.raw"}], runStrategy="Halted")
DB, MAIL = wanted("db", runStrategy="Halted"), wanted("mail", runStrategy="Halted")
ALL = (POOL, DATA, WEB, DB, MAIL)


def at_rest(documents: tuple[Resource, ...] = ALL) -> Inputs:
    """Documents that are applied."""
    world = World(documents, tuple(map(found, documents)), tuple(map(applied, documents)))
    snapshot = replace(world.snapshot, host=replace(world.snapshot.host, volumes={DATA.ref: file("raw")}))
    inputs = {"desired": world.wish, "snapshot": snapshot, "owned": {one.ref: one for one in world.ledger}}
    records = Planner().plan(**inputs).records
    return inputs | {"owned": inputs["owned"] | {one.ref: one for one in records}}


def file(form: str) -> VolumeSource:
    return VolumeSource("/default/data.raw", "file", form)


def commit(inputs: Inputs, *changed: Resource, **of_desired: Any) -> Inputs:
    """The next revision: all that isn't named is the very same."""
    resources = {**inputs["desired"].resources, **{one.ref: one for one in changed}}
    return inputs | {"desired": replace(inputs["desired"], resources=resources, **of_desired)}


def another(document: Resource, **spec: Any) -> Resource:
    return replace(document, spec={**document.spec, **spec}, digest=f"another {document.digest}")


def observed(inputs: Inputs, ref: Ref, **how: Any) -> Inputs:
    objects = inputs["snapshot"].objects
    there = {**objects, ref: replace(objects[ref], **how)} if how else {r: o for r, o in objects.items() if r != ref}
    return inputs | {"snapshot": replace(inputs["snapshot"], serial=2, objects=there)}


def remembered(inputs: Inputs, ref: Ref, **facts: str) -> Inputs:
    entry = inputs["owned"][ref]
    return inputs | {"owned": {**inputs["owned"], ref: replace(entry, facts={**entry.facts, **facts})}}


MOVES: dict[str, Move] = {
    "nothing": commit,
    "a document": lambda inputs: commit(inputs, another(DB, memory=1024)),
    "two documents": lambda inputs: commit(inputs, another(DB, memory=1024), another(MAIL, title="Mail")),
    "a volume's document": lambda inputs: commit(inputs, another(DATA, format="qcow2")),
    "a new document": lambda inputs: commit(inputs, wanted("new", runStrategy="Halted")),
    "a document's blob": lambda inputs: commit(inputs, blobs={"db.yaml": "b2"}),
    "the pool's document": lambda inputs: commit(inputs, another(POOL, path="/elsewhere")),
    "the branch": lambda inputs: commit(inputs, where=Scope(REPOSITORY, "other", "")),
    "an object": lambda inputs: observed(inputs, WEB.ref, xml=found(another(WEB, memory=640)).xml),
    "a state": lambda inputs: observed(inputs, WEB.ref, state="running"),
    "an object that is gone": lambda inputs: observed(inputs, MAIL.ref),
    "a disk that is gone": lambda inputs: observed(inputs, DATA.ref),
    "a file's format": lambda inputs: inputs | {
        "snapshot": replace(
            inputs["snapshot"], host=replace(inputs["snapshot"].host, volumes={DATA.ref: file("qcow2")})
        )
    },
    "what the ledger holds": lambda inputs: remembered(inputs, DB.ref, **{Fact.DIGEST.value: "older"}),
    "what is only observed": lambda inputs: remembered(inputs, DB.ref, **{Fact.OBSERVE.value: "yes"}),
    "what is left alone": lambda inputs: inputs | {"suspended": frozenset({DB.ref})},
}  # fmt: skip


@pytest.mark.parametrize("then", MOVES.values(), ids=[name.replace(" ", "-") for name in MOVES])
@pytest.mark.parametrize("first", MOVES.values(), ids=[name.replace(" ", "-") for name in MOVES])
def test_what_is_remembered_changes_no_plan(
    first: Callable[[Inputs], Inputs], then: Callable[[Inputs], Inputs]
) -> None:
    planner, inputs = Planner(), at_rest()
    for moved in (inputs, first(inputs), then(first(inputs)), then(inputs), commit(inputs)):
        assert planner.plan(**moved) == Planner().plan(**moved)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Ref]:
    """The machines and volumes that were looked at with all that lies beside them."""
    asked: list[Ref] = []
    sources = Context.resource_sources

    def ask(context: Context, resource: Resource) -> Any:
        asked.append(resource.ref)
        return sources(context, resource)

    monkeypatch.setattr(Context, "resource_sources", ask)
    return asked


def test_only_what_a_commit_has_changed_is_asked_again(asked: list[Ref]) -> None:
    planner, inputs = Planner(), at_rest()
    assert planner.plan(**inputs).empty
    asked.clear()
    plan = planner.plan(**commit(inputs, another(DB, memory=1024)))
    assert [step.ref for step in plan.steps] == [DB.ref] == asked


def looked_again(inputs: Inputs) -> Inputs:
    """The host as it was, in facts that are equal and not the same."""
    snapshot = inputs["snapshot"]
    host = replace(snapshot.host, volumes=dict(snapshot.host.volumes))
    return inputs | {"snapshot": replace(snapshot, serial=2, host=host, objects=dict(snapshot.objects))}


NEWS: dict[str, tuple[Move, list[Ref]]] = {
    "nothing": (looked_again, []),
    "a machine": (lambda inputs: observed(inputs, DB.ref, state="running"), [DB.ref]),
    "a volume": (lambda inputs: observed(inputs, DATA.ref, xml="<volume/>"), [DATA.ref]),
    "an entry": (lambda inputs: remembered(inputs, DB.ref, **{Fact.DIGEST.value: "older"}), [DB.ref]),
    "a yes": (lambda inputs: inputs | {"options": PlanOptions(approved=frozenset({"sha256:0"}))}, []),
    "what is left alone": (lambda inputs: inputs | {"suspended": frozenset({DB.ref})}, []),
}


@pytest.mark.parametrize(("move", "again"), NEWS.values(), ids=[name.replace(" ", "-") for name in NEWS])
def test_only_what_has_changed_on_the_host_is_asked_again(move: Move, again: list[Ref], asked: list[Ref]) -> None:
    planner, inputs = Planner(), at_rest()
    assert planner.plan(**inputs).empty
    asked.clear()
    planner.plan(**move(inputs))
    assert asked == again


def test_one_machine_of_many_that_has_changed_is_one_question(asked: list[Ref]) -> None:
    planner, inputs = (
        Planner(),
        at_rest((*ALL, *(wanted(f"vm{number}", runStrategy="Halted") for number in range(200)))),
    )
    assert planner.plan(**inputs).empty
    for number in (7, 8, 9):
        asked.clear()
        one = vm(f"vm{number}")
        plan = planner.plan(**observed(inputs, one, xml=found(wanted(one.name, memory=640, runStrategy="Halted")).xml))
        assert [step.ref for step in plan.steps] == [one]
        assert one in asked
        assert len(asked) <= 2  # and the one that is as it was again


def test_what_is_remembered_of_something_at_rest_is_the_ledgers_own_entry_and_no_copy() -> None:
    inputs, planner = at_rest(), Planner()
    planner.plan(**inputs)
    entries = {ref: known.assessment.record for ref, known in planner._memory.items()}
    assert entries.keys() >= {WEB.ref, DB.ref, DATA.ref}
    assert all(entry is inputs["owned"][ref] for ref, entry in entries.items() if entry is not None)
    assert any(entry is not None for entry in entries.values())
