"""One pass over many objects: what is told of each, what holds up none of the others, and what is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.observing import enforced_entry, observed_entry
from reconciler.planning.plan import Action
from reconciler.planning.planner import Planner
from specs.host import NodeDevice
from specs.reference import NETWORK, STORAGE_VOLUME, TEMPLATE, VIRTUAL_MACHINE, Ref
from tests.planning.machines import DATA, GONE, PLAIN, POOL, WITH_DATA, off, on
from tests.planning.worlds import QEMU, WEB, World, applied, check, facts, found, table, wanted, yes

DB, BROKEN = wanted("db", runStrategy="Manual"), wanted(graphics=5)
CHANGED = off(wanted(memory=1024))
WATCHED = wanted(policy={"drift": "warn"})
OWN_DISK = wanted("default/web-root", STORAGE_VOLUME, parent=WEB, pool="default", capacity="1GiB", format="qcow2")


def left(document: Resource, *there: Observed, **more: Any) -> World:
    """A machine that a user told onggi to leave alone."""
    return World((document,), there, (applied(PLAIN),), suspended=frozenset({WEB}), **more)


@table(
    (
        "a defect of ours stays with its object",
        World((BROKEN, DB), ()),
        "+ db /memory /runStrategy: define (declared, and not on the host)",
        "! web InternalError: planning failed unexpectedly (AttributeError at…",
    ),
    (
        "it isn't told of what is left alone",
        replace(left(BROKEN), desired=(BROKEN, DB)),
        "+ db /memory /runStrategy: define (declared, and not on the host)",
    ),
    (
        "a template is nothing on the host",
        World((replace(DB, ref=Ref(TEMPLATE, "small")), DB), ()),
        "+ db /memory /runStrategy: define (declared, and not on the host)",
    ),
    (
        "what can't be read stays as it is",
        World((PLAIN, DB), (), unseen=frozenset({WEB})),
        "+ db /memory /runStrategy: define (declared, and not on the host)",
        "! web Unreadable: VirtualMachine/web is on the host and can't be read; the agent's log and onggi…",
    ),
    ("what is left alone as declared", left(PLAIN, off())),
    ("what is left alone and was changed by hand", left(PLAIN, CHANGED), "left alone web /memory"),
    ("what is left alone and has a new document", left(wanted(cpus=2), off())),
    ("what is left alone and was removed", left(PLAIN), "left alone web /"),
    (
        "what is left alone, and drift is only told of it",
        World((WATCHED,), (CHANGED,), (applied(WATCHED),), suspended=frozenset({WEB})),
        "left alone web /memory",
    ),
    (
        "a disk is left alone with its machine",
        World(
            (replace(OWN_DISK, spec={**OWN_DISK.spec, "capacity": "2GiB"}),),
            (POOL, found(OWN_DISK)),
            (applied(OWN_DISK),),
            suspended=frozenset({WEB}),
        ),
        "left alone default/web-root /capacity",
    ),
)
def test_what_is_left_alone_or_can_not_be_told(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


def observed(document: Resource, **more: Any) -> Any:
    return observed_entry(applied(document, **more))


@table(
    ("as declared", World((PLAIN,), (off(),), (observed(PLAIN),))),
    ("it differs", World((PLAIN,), (CHANGED,), (observed(PLAIN),)), "drifted web /memory"),
    (
        "it differs, and drift is only told anyhow",
        World((WATCHED,), (CHANGED,), (observed(WATCHED),)),
        "drifted web /memory",
    ),
    ("it crashed", World((PLAIN,), (found(PLAIN, reason="crashed"),), (observed(PLAIN),)), "drifted web /runStrategy"),
    ("it is gone", World((PLAIN,), (), (observed(PLAIN),)), "drifted web /memory"),
    (
        "it was never there",
        World((DB, replace(OWN_DISK, parent=Ref(VIRTUAL_MACHINE, "db"))), (POOL,), (observed(DB),)),
        "drifted db /memory /runStrategy",
        "drifted default/web-root /pool /capacity /format",
    ),
    (
        "it can't be had",
        World((wanted(domainType="kvm"),), (off(),), (observed(PLAIN),)),
        "! web DependencyNotReady: This host can't run machines of the domain type 'kvm'; enable it there,…",
    ),
    (
        "another one isn't observed",
        World((PLAIN, DB), (CHANGED,), (observed(PLAIN),)),
        "+ db /memory /runStrategy: define (declared, and not on the host)",
        "drifted web /memory",
    ),
    (
        "its disk is observed with it",
        World(
            (PLAIN, replace(OWN_DISK, spec={**OWN_DISK.spec, "capacity": "2GiB"})),
            (POOL, off(), found(OWN_DISK)),
            (observed(PLAIN), applied(OWN_DISK)),
        ),
        "drifted default/web-root /capacity",
    ),
    ("its documents are gone", World((DB,), (off(), off(DB)), (observed(PLAIN), applied(DB))), "forgotten web"),
)
def test_what_was_taken_over_and_is_only_observed(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


def test_the_observation_goes_on_until_it_is_ended_and_writes_nothing_down_that_was_not_done() -> None:
    wish = wanted(memory=1024, restartPolicy="Graceful")
    remembered = facts(World((wish,), (on(),), (observed(PLAIN, lastRun="shutdown"),)).plan())
    assert remembered["observe"] == "yes"
    assert "restarting" not in remembered
    assert remembered["lastRun"] == "shutdown", "as it was: nothing was done"


@pytest.mark.parametrize(("keep", "says"), [(True, "changed on the host"), (False, "differs from its document")])
def test_after_the_observation_what_differs_is_put_right(keep: bool, says: str) -> None:
    entry = enforced_entry(observed(PLAIN), keep_digest=keep)
    [step] = World((PLAIN,), (CHANGED,), (entry,)).plan().steps
    assert says in step.why


@table(
    (
        "it is made where that is enforced",
        World((PLAIN,), (), (applied(PLAIN),), gone=GONE),
        "+ web /memory: define, start (gone from the host; made again as it was last seen there, with what…",
    ),
    ("it stays away where drift is only told", World((WATCHED,), (), (applied(WATCHED),), gone=GONE), "drifted web /"),
    (
        "it stays away where drift is ignored",
        World((wanted(policy={"drift": "ignore"}),), (), (applied(wanted(policy={"drift": "ignore"})),)),
    ),
)
def test_what_is_gone_from_the_host(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


def network(name: str, **more: Any) -> Resource:
    return wanted(name, NETWORK, mode="isolated", **more)


def test_new_networks_get_subnets_that_nobody_has() -> None:
    taken = replace(QEMU, used_subnets=("192.168.100.0/24",))
    first = subnets(World((network("a"), network("b"), network("c", subnet="192.168.101.0/24")), host=taken))
    assert first["c"] == "192.168.101.0/24"
    assert len({*first.values(), "192.168.100.0/24"}) == 4
    remembered = applied(network("z"), subnet=first["a"])
    assert subnets(World((network("b"),), ledger=(remembered,), host=taken))["b"] != first["a"]


def subnets(world: World) -> dict[str, Any]:
    return {
        step.ref.name: change.new
        for step in world.plan().steps
        for change in step.changes
        if change.pointer == "/subnet"
    }


def test_a_planner_remembers_what_is_at_rest_and_finds_what_moved() -> None:
    planner, at_rest = Planner(), World((PLAIN, DB), (off(), off(DB)), (applied(PLAIN), applied(DB)))
    check(at_rest.plan(planner))
    assert planner._memory, "what it found out of both"
    there = {seen.ref: seen for seen in at_rest.there}
    before = planner._memory[DB.ref]
    again = replace(at_rest, there=(CHANGED, there[DB.ref]))
    check(again.plan(planner), "~ web /memory: define (changed on the host since it was last applied)")
    assert planner._memory[DB.ref] is before
    check(again.plan(planner), "~ web /memory: define (changed on the host since it was last applied)")


def test_a_planner_looks_again_at_a_machine_whose_device_is_unplugged() -> None:
    planner, stick = Planner(), NodeDevice("usb_1_2", "usb", {"bus": 1, "device": 2})
    plugged, unplugged = replace(QEMU, node_devices={stick.name: stick}), QEMU
    document = wanted(hostDevices=[{"device": stick.name}])
    at_rest = World((document,), (off(document, host=plugged),), (applied(document),), host=plugged)
    check(at_rest.plan(planner))
    check(replace(at_rest, host=unplugged).plan(planner), "! web DependencyNotReady: The host has no PCI, USB or SCSI…")


def test_a_plan_says_by_its_digest_what_it_would_do_and_nothing_else() -> None:
    world = World((wanted(memory=1024), DB), (on(),), (applied(PLAIN),))
    plan = world.plan()
    assert plan.digest == world.plan().digest
    assert plan.digest.startswith("sha256:")
    assert plan.digest != replace(world, desired=(wanted(memory=2048), DB)).plan().digest
    said = plan.to_json()
    assert said["summary"] == {"create": 1, "update": 1, "delete": 0, "replace": 0, "blocked": 0, "waiting": 1}
    assert (plan.count(Action.CREATE), plan.count(Action.DELETE), plan.empty) == (1, 0, False)
    assert [step["operations"] for step in said["steps"]] == [["Define"], ["Define"]]
    assert said["waiting"][0]["waitsFor"].startswith("its next boot")


def test_all_that_a_plan_says_is_in_its_json() -> None:
    held = World((PLAIN, WATCHED), (CHANGED,), (applied(WATCHED),)).plan().to_json()
    assert [each["changes"][0]["field"] for each in held["drifted"]] == ["/memory"]
    told = World((wanted(domainType="kvm"),), ()).plan().to_json()
    assert told["blocked"][0] == {
        "kind": "VirtualMachine", "name": "web", "reason": "DependencyNotReady", "path": "web.yaml", "line": 1,
        "message": told["blocked"][0]["message"],
    }  # fmt: skip
    alone = left(PLAIN, CHANGED).plan().to_json()
    assert alone["suspended"][0]["name"] == "web"
    kept = World((PLAIN,), (POOL, found(DATA), off(WITH_DATA)), (applied(WITH_DATA),)).plan()
    assert kept.to_json()["blocked"][0]["field"] == "/disks"
    assert {kept.to_json()["blocked"][0]["approve"]} == yes(kept)
