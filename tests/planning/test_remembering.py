"""Whatever moves beside what was planned before, a planner that remembers plans as a new one does.

Each world of the tables beside it is planned at rest, then with one thing after the other moved, and as it was in
between. All that doesn't move is the very same object, as in an agent's passes: that is what a memory goes by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.planner import Planner
from specs.host import NodeDevice, VolumeSource
from specs.reach import Reach
from specs.reference import NETWORK, STORAGE_POOL, STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from specs.scope import Scope
from tests.planning.machines import DATA
from tests.planning.values import REPOSITORY
from tests.planning.worlds import QEMU, TABLED, World, applied, found, wanted, yes

Inputs = dict[str, Any]
Move = Callable[[Inputs], Iterator[Inputs]]

_HERE = Path(__file__).parent
for module in sorted(_HERE.rglob("test_*.py")):  # wherever a table is
    if module != Path(__file__) and "\n@table(" in module.read_text():
        import_module(".".join(("tests.planning", *module.relative_to(_HERE).with_suffix("").parts)))

DEVICE = NodeDevice("usb_1_2", "usb", {"bus": 1, "device": 2})
HOST = replace(QEMU, interfaces=frozenset({"eth0"}), node_devices={"usb_1_2": DEVICE})
BASE = wanted("default/base", STORAGE_VOLUME, pool="default", capacity="1GiB", format="qcow2")
COPY = wanted("default/copy", STORAGE_VOLUME, pool="default", backingVolume="default/base", format="qcow2")
FOLDER = wanted("default", STORAGE_POOL, type="dir", path="/default")
OVER_ETH0 = wanted("out", NETWORK, mode="bridge", interface="eth0")
CHOSEN = wanted("lan", NETWORK, mode="isolated", policy={"drift": "warn"})
USB = wanted(hostDevices=[{"device": "usb_1_2"}], runStrategy="Halted")
GOES_ON = wanted(
    disks=[{"name": "data", "volume": "default/data"}], runStrategy="Always", interfaces=[{"network": "lan"}]
)


def applied_world(*documents: Resource, **states: str) -> World:
    """On the host as declared, and in the ledger."""
    there = tuple(found(one, states.get(one.ref.short_name, ""), host=HOST) for one in documents)
    return World(documents, there, tuple(map(applied, documents)), host=HOST)


AT_REST = {
    "a bridge over a card": applied_world(OVER_ETH0),
    "a network whose subnet was chosen": applied_world(CHOSEN),
    "a machine that runs on a network, with a disk": applied_world(FOLDER, DATA, CHOSEN, GOES_ON, web="running"),
    "a machine with a device": applied_world(USB),
    "a copy above its base": applied_world(FOLDER, BASE, COPY),
    "a pool that is off": applied_world(FOLDER, BASE, default="inactive"),
    "volumes that the ledger has lost": replace(applied_world(FOLDER, DATA, GOES_ON, web="running"), ledger=()),
}
WORLDS = {**TABLED, **AT_REST}


def inputs_of(world: World) -> Inputs:
    """As a pass has them, once the ledger holds what the plan has it remember, and the steps of a plan aren't done."""
    inputs = {
        "desired": world.wish,
        "snapshot": world.snapshot,
        "owned": world.owned,
        "suspended": world.suspended,
        "options": world.options,
        "last_seen": world.gone.get,
    }
    records = Planner().plan(**inputs).records
    return inputs | {"owned": {**inputs["owned"], **{entry.ref: entry for entry in records}}}


def with_objects(inputs: Inputs, objects: dict[Ref, Observed], **of_host: Any) -> Inputs:
    snapshot = inputs["snapshot"]
    host = replace(snapshot.host, **of_host) if of_host else snapshot.host
    return inputs | {"snapshot": replace(snapshot, serial=snapshot.serial + 1, objects=objects, host=host)}


def with_entry(inputs: Inputs, ref: Ref, **facts: str) -> Inputs:
    entry: Owned = inputs["owned"][ref]
    return inputs | {"owned": {**inputs["owned"], ref: replace(entry, facts={**entry.facts, **facts})}}


def an_object(inputs: Inputs) -> Iterator[Inputs]:
    objects = inputs["snapshot"].objects
    for ref, seen in objects.items():
        others = {each: it for each, it in objects.items() if each != ref}
        yield with_objects(inputs, others)
        off = "shutoff" if ref.kind == VIRTUAL_MACHINE else "inactive"
        on = "running" if ref.kind == VIRTUAL_MACHINE else "active"
        turned = replace(seen, state=off, live_xml=None) if seen.active else replace(seen, state=on, live_xml=seen.xml)
        yield with_objects(inputs, {**objects, ref: turned})
        yield with_objects(inputs, {**objects, ref: replace(seen, uid="another")})
        yield with_objects(inputs, {**objects, ref: replace(seen, mark=None)})
        if ref.kind != STORAGE_VOLUME:
            yield with_objects(inputs, {**objects, ref: replace(seen, persistent=False)})
        if ref.kind == VIRTUAL_MACHINE:
            yield with_objects(inputs, {**objects, ref: replace(seen, state="shutoff", reason="migrated")})


def a_user(inputs: Inputs) -> Iterator[Inputs]:
    """Another machine comes, with what others have: a volume, or a place on a network."""
    objects = inputs["snapshot"].objects
    for ref in objects:
        devices = {"disks": [{"volume": ref.name}]} if ref.kind == STORAGE_VOLUME else {}
        devices |= {"interfaces": [{"network": ref.name}]} if ref.kind == NETWORK else {}
        if devices:
            other = found(wanted("other", **devices), "running", mark=None, host=inputs["snapshot"].host)
            yield with_objects(inputs, {**objects, other.ref: other})


def what_lies_above_or_came(inputs: Inputs) -> Iterator[Inputs]:
    """A snapshot's file above a volume; and the volume that only a definition or a document names until now."""
    snapshot = inputs["snapshot"]
    objects, volumes = snapshot.objects, snapshot.host.volumes
    for ref, place in volumes.items():
        above = Ref.volume(ref.pool, "above.snap")
        details = {"path": f"/{above.name}", "type": "file", "format": "qcow2", "backing": place.path}
        came = Observed(above, "", "<volume/>", state="active", details=details)
        places = {**volumes, above: replace(place, path=f"/{above.name}", format="qcow2")}
        yield with_objects(inputs, {**objects, above: came}, volumes=places)
    named = {need for one in inputs["desired"].resources.values() for need in one.depends_on}
    named |= {Ref(STORAGE_VOLUME, "default/data"), Ref(STORAGE_VOLUME, "default/root")}
    for ref in sorted(named - objects.keys()):
        if ref.kind == STORAGE_VOLUME:
            made = found(wanted(ref.name, STORAGE_VOLUME, pool=ref.pool, capacity="1GiB", format="qcow2"))
            place = VolumeSource(made.details["path"], "file", made.details["format"])
            yield with_objects(inputs, {**objects, ref: made}, volumes={**volumes, ref: place})


def the_host(inputs: Inputs) -> Iterator[Inputs]:
    host, objects = inputs["snapshot"].host, inputs["snapshot"].objects
    for facts in (
        {"features": frozenset()},
        {"domain_types": ("kvm",)},
        {"interfaces": frozenset()},
        {"interfaces": frozenset({"eth0", "eth1", "br0", "eno1"})},
        {"reach": Reach()},
        {"pool_paths": {}},
        {"pool_paths": {name: f"/elsewhere{path}" for name, path in host.pool_paths.items()}},
        {"node_devices": {}},
        {"node_devices": {"usb_1_2": DEVICE}},
        {"used_subnets": ("192.168.122.0/24", "10.0.0.0/8")},
        {"volumes": {ref: replace(place, format="vmdk") for ref, place in host.volumes.items()}},
        {"volumes": {ref: replace(place, path=f"/elsewhere{place.path}") for ref, place in host.volumes.items()}},
    ):
        yield with_objects(inputs, objects, **facts)
    for ref in list(objects)[:1]:
        others = {each: seen for each, seen in objects.items() if each != ref}
        yield inputs | {"snapshot": replace(inputs["snapshot"], unseen=frozenset({ref}), objects=others)}


def the_ledger(inputs: Inputs) -> Iterator[Inputs]:
    owned = inputs["owned"]
    for ref in owned:
        yield inputs | {"owned": {each: entry for each, entry in owned.items() if each != ref}}
        yield with_entry(inputs, ref, **{Fact.DIGEST.value: "an earlier one"})
        yield with_entry(inputs, ref, **{Fact.OBSERVE.value: "yes"})
        yield with_entry(inputs, ref, **{Fact.LAST_RUN.value: "migrated"})
        yield with_entry(inputs, ref, **{Fact.SCOPE.value: Scope(REPOSITORY, "other", "").to_text()})
        yield with_entry(inputs, ref, **{Fact.KEPT.value: '{"data": "default/data", "root": "default/root"}'})


def people(inputs: Inputs) -> Iterator[Inputs]:
    """What they say."""
    options, objects = inputs["options"], inputs["snapshot"].objects
    everything = {**inputs["owned"], **inputs["desired"].resources, **objects}
    said = frozenset(yes(Planner().plan(**inputs)))
    uids = frozenset(seen.uid for seen in objects.values())
    yield inputs | {"options": replace(options, approved=options.approved | said)}
    yield inputs | {"options": replace(options, approved=frozenset())}
    yield inputs | {"options": replace(options, migrated=uids)}
    yield inputs | {"options": replace(options, rebooted=frozenset(everything), now=options.now + 1e6)}
    yield inputs | {"options": replace(options, moving=frozenset(everything))}
    for ref in everything:
        yield inputs | {"suspended": inputs["suspended"] | {ref}}


def the_documents(inputs: Inputs) -> Iterator[Inputs]:
    desired = inputs["desired"]
    for ref, resource in desired.resources.items():
        gone = {each: it for each, it in desired.resources.items() if each != ref}
        yield inputs | {"desired": replace(desired, resources=gone)}
        moved = replace(resource, digest="another", policy=replace(resource.policy, drift="warn"))
        yield inputs | {"desired": replace(desired, resources={**desired.resources, ref: moved})}
        yield inputs | {"desired": replace(desired, blobs={resource.path: "another"})}
    yield inputs | {"desired": replace(desired, where=Scope(REPOSITORY, "other", ""))}
    yield inputs | {"desired": replace(desired, repository_id="another")}


MOVES: tuple[Move, ...] = (
    an_object, a_user, what_lies_above_or_came, the_host, the_ledger, people, the_documents,
)  # fmt: skip


@pytest.mark.parametrize(("sentence", "first"), [(sentence, place % 2) for place, sentence in enumerate(WORLDS)])
def test_a_planner_that_remembers_plans_as_a_new_one(sentence: str, first: int) -> None:
    inputs = inputs_of(WORLDS[sentence])
    planner, as_it_is = Planner(), Planner().plan(**inputs)
    assert planner.plan(**inputs) == as_it_is
    moves = MOVES if sentence in AT_REST else MOVES[first::2]  # of many worlds half of the moves each
    for move in moves:
        for place, moved in enumerate(move(inputs)):
            assert planner.plan(**moved) == Planner().plan(**moved), (move.__name__, place)
            assert planner.plan(**inputs) == as_it_is, (move.__name__, place, "and back")
