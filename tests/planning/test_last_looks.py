"""The last looks at a plan: what is still used doesn't leave, no machine loses a disk, and what failed says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.bulkhead import INTERNAL_ERROR, Failure
from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.approval import approval_digest
from reconciler.planning.assessment import Assessment, ownership_entry
from reconciler.planning.context import Context
from reconciler.planning.failed import failed
from reconciler.planning.gathered import Gathered
from reconciler.planning.operations import Define, EditLive, Stop, Undefine
from reconciler.planning.ownership import Fact, Owned, kept_count, remade_before
from reconciler.planning.plan import Action, Step
from reconciler.planning.planner import Planner
from reconciler.planning.still_in_use import used_all_the_same, users_after
from reconciler.planning.virtualmachine.data_guard import parted
from specs.host import Host, VolumeSource
from specs.mark import Mark
from specs.reference import STORAGE_POOL, Ref
from tests.planning.plan_in_words import in_words
from tests.planning.values import REPOSITORY, REVISION, network, resource, step, vm

WEB, SHOP, LAN, POOL = vm("web"), vm("shop"), network("lan"), Ref(STORAGE_POOL, "disks")
DATA, OTHER, ISO, SEED = (Ref.volume("disks", name) for name in ("data.qcow2", "other.qcow2", "cd.iso", "seed"))
CARD = "<interface type='network'><source network='lan'/></interface>"


def disk(ref: Ref, device: str = "disk", more: str = "") -> str:
    path = f"/disks/{ref.short_name}".replace("&", "&amp;")
    return f"<disk type='file' device='{device}'><source file='{path}'/><target dev='vda' bus='virtio'/>{more}</disk>"


def xml(*devices: str, name: str = "web") -> str:
    return f"<domain><name>{name}</name><devices>{''.join(devices)}</devices></domain>"


def machine(*devices: str, ref: Ref = WEB, running: bool = False, mark: Mark | None = None) -> Observed:
    text = xml(*devices, name=ref.name)
    return Observed(ref, "u", text, text if running else None, "running" if running else "shutoff", mark=mark)


def context_of(*seen: Observed, declared: Sequence[Resource] = (), owned: Sequence[Owned] = ()) -> Context:
    volumes = (DATA, OTHER, ISO, SEED, Ref.volume("disks", "a&b"))
    host = Host(volumes={ref: VolumeSource(f"/disks/{ref.short_name}", "file", "qcow2") for ref in volumes})
    desired = DesiredState(REVISION, REPOSITORY, {each.ref: each for each in declared})
    return Gathered(desired, Snapshot(1, host, {each.ref: each for each in seen}), {each.ref: each for each in owned})


def defining(*devices: str, ref: Ref = WEB) -> Step:
    return step(ref, Define(ref, "u", xml(*devices)), action=Action.UPDATE)


# Whether a machine lets go of the network by its step.
@pytest.mark.parametrize(
    ("says", "seen", "steps", "stays"),
    [
        ("one without a step keeps what it has", machine(CARD), [], True),
        ("one that leaves lets go", machine(CARD), [step(WEB, Undefine(WEB, "u"), action=Action.DELETE)], False),
        ("one that is defined without it lets go", machine(CARD), [defining()], False),
        ("not by what is defined before", machine(CARD),
         [step(WEB, Define(WEB, "u", xml()), Define(WEB, "u", xml(CARD)), action=Action.UPDATE)], True),
        ("one that is defined with it keeps it", machine(CARD), [defining(CARD)], True),
        ("one that runs keeps it until it was unplugged", machine(CARD, running=True), [defining()], True),
        ("one that is only stopped keeps it", machine(CARD), [step(WEB, Stop(WEB), action=Action.UPDATE)], True),
        ("of a definition that can't be read nobody knows", machine(CARD),
         [step(WEB, Define(WEB, "u", "<domain"), action=Action.UPDATE)], True),
        ("another one's step says nothing", machine(CARD), [defining(ref=SHOP)], True),
    ],
)  # fmt: skip
def test_who_lets_go_of_what_it_uses(says: str, seen: Observed, steps: Sequence[Step], stays: bool) -> None:
    users = users_after(LAN, {each.ref: each for each in steps}, context_of(seen))
    assert users == ([WEB] if stays else []), says


def test_a_volume_above_never_lets_go_of_its_base() -> None:
    above = Observed(OTHER, "", "<volume/>", details={"path": "/disks/other.qcow2", "backing": "/disks/data.qcow2"})
    assert users_after(DATA, {OTHER: step(OTHER, action=Action.UPDATE)}, context_of(above)) == [OTHER]
    assert users_after(DATA, {OTHER: step(OTHER, action=Action.DELETE)}, context_of(above)) == []


def leaving(*refs: Ref) -> dict[Ref, Step]:
    return {ref: step(ref, action=Action.DELETE) for ref in refs}


def test_what_is_used_although_it_was_planned_to_leave_stays_and_is_told() -> None:
    context = context_of(machine(CARD, disk(DATA), disk(SEED)), owned=[Owned(SEED, "", seed=True), Owned(DATA, "")])
    found = dict(used_all_the_same(leaving(LAN, DATA, POOL, SEED), context))
    assert {ref: item.reason if item is not None else "" for ref, item in found.items()} == {
        LAN: "InUse", DATA: "InUse", POOL: "InUse", SEED: "",
    }  # fmt: skip
    assert dict(used_all_the_same(leaving(LAN, WEB), context)) == {}, "its user leaves, too"
    assert dict(used_all_the_same(leaving(WEB), context)) == {}
    declared = context_of(machine(CARD), declared=[resource(LAN)])
    assert dict(used_all_the_same({LAN: step(LAN, action=Action.UPDATE)}, declared)) == {}, "a change is no removal"


# Whether a step would cost the machine a disk that nobody let go.
DECLARED = resource(WEB, DATA)
COMPLETE = replace(DECLARED, policy=Policy(complete=("disks",)))
OURS = Mark(REPOSITORY, "web", frozenset({f"/disks/{DATA.name}"}))


def pulling(device: str, verb: Any = "detach") -> Step:
    return step(WEB, EditLive(WEB, verb, device), action=Action.UPDATE)


@pytest.mark.parametrize(
    ("says", "seen", "made", "let_go", "held"),
    [
        ("a definition that keeps its disks is fine", machine(disk(DATA)), defining(disk(DATA)), [], ""),
        ("one that lacks a disk isn't", machine(disk(DATA)), defining(), [], DATA.name),
        ("unless somebody let go of it", machine(disk(DATA)), defining(), [DATA], ""),
        ("each that is lost is named", machine(disk(DATA), disk(OTHER)), defining(), [],
         f"{DATA.name}, {OTHER.name}"),
        ("a disk that is pulled out is lost", machine(disk(DATA), running=True), pulling(disk(DATA)), [], DATA.name),
        ("one that only the run had isn't", machine(running=True), pulling(disk(DATA)), [], ""),
        ("what is plugged in isn't", machine(disk(DATA), running=True), pulling(disk(DATA), "attach"), [], ""),
        ("another one that is pulled isn't this one", machine(disk(DATA), disk(OTHER)), pulling(disk(OTHER)), [OTHER],
         ""),
        ("a CD holds nobody's data", machine(disk(ISO, "cdrom")), defining(), [], ""),
        ("nor does a file that is no volume", machine(disk(Ref.volume("x", "y"))), defining(), [], ""),
        ("what isn't there has nothing to lose", machine(ref=SHOP), defining(), [], ""),
        ("a path with an ampersand is found as XML has it", machine(disk(Ref.volume("disks", "a&b"))),
         defining(disk(Ref.volume("disks", "a&b"))), [], ""),
    ],
)  # fmt: skip
def test_no_step_takes_a_disk_that_nobody_let_go(
    says: str, seen: Observed, made: Step, let_go: Sequence[Ref], held: str
) -> None:
    found = parted([made], frozenset(let_go), context_of(seen, declared=[DECLARED]))
    assert [item.reason for item in found] == (["DiskWouldBeLost"] if held else []), says
    assert all(f"it would lose the disk {held}, for which nobody asked" in item.message for item in found)


@pytest.mark.parametrize(
    ("says", "document", "mark", "held"),
    [
        ("a stranger's disk stays in a list that is declared complete only by its word", COMPLETE, None, False),
        ("one of ours doesn't go by that", COMPLETE, OURS, True),
        ("without that word none goes", DECLARED, None, True),
    ],
)
def test_a_list_that_is_declared_complete_lets_go_of_strangers_disks(
    says: str, document: Resource, mark: Mark | None, held: bool
) -> None:
    found = parted([defining()], frozenset(), context_of(machine(disk(DATA), mark=mark), declared=[document]))
    assert bool(found) is held, says


def test_only_machines_have_disks_to_lose_and_of_a_removal_none_is_lost() -> None:
    assert parted([step(LAN, action=Action.UPDATE)], frozenset(), context_of(Observed(LAN, "l", "<network/>"))) == []
    going = step(WEB, Undefine(WEB, "u"), action=Action.DELETE)
    assert parted([going], frozenset(), context_of(machine(disk(DATA)))) == []


def test_a_machine_whose_disks_cannot_be_told_is_left_as_it_is() -> None:
    [found] = parted([defining()], frozenset(), context_of(Observed(WEB, "u", "<domain")))
    assert (found.ref, found.reason) == (WEB, INTERNAL_ERROR)


# What failed, and what can't be read.
def test_what_failed_is_told_where_its_document_is() -> None:
    failure = Failure("VirtualMachine/web", "planning", "ValueError", "somewhere.py:1")
    told = failed(WEB, failure, "web.yaml", 7)
    assert (told.ref, told.reason, told.path, told.line) == (WEB, INTERNAL_ERROR, "web.yaml", 7)
    assert told.message == failure.message


def test_what_is_on_the_host_and_cannot_be_read_is_not_made_anew() -> None:
    wanted = replace(resource(WEB), spec={"memory": 64}, uid="u")
    desired = DesiredState(REVISION, REPOSITORY, {WEB: wanted})
    plan = Planner().plan(desired, Snapshot(1, Host(), {}, unseen=frozenset({WEB})), {})
    assert in_words(plan) == ["! web Unreadable"]
    assert plan.blocked[0].path == "web.yaml"


# What is remembered, and what a yes is for.
def test_a_yes_is_for_the_subject_the_revision_and_the_objects_as_they_are() -> None:
    seen = machine(CARD)
    others = {
        approval_digest("delete", "r1", [seen]),
        approval_digest("restart", "r1", [seen]),
        approval_digest("delete", "r2", [seen]),
        approval_digest("delete", "r1", []),
        approval_digest("delete", "r1", [replace(seen, uid="v")]),
        approval_digest("delete", "r1", [replace(seen, ref=SHOP)]),
        approval_digest("delete", "r1", [replace(seen, xml="<domain/>")]),
        approval_digest("delete", "r1", [machine(CARD, running=True)]),
    }
    assert len(others) == 8
    pair = [seen, machine(ref=SHOP)]
    assert approval_digest("delete", "r1", pair) == approval_digest("delete", "r1", reversed(pair))


@pytest.mark.parametrize(
    ("more", "owned"),
    [
        ({}, Owned(WEB, "u", "web.yaml", facts={"digest": "d"})),
        ({"policy": Policy(deletion="Delete")}, Owned(WEB, "u", "web.yaml", "Delete", facts={"digest": "d"})),
        ({"policy": Policy(protect=True)}, Owned(WEB, "u", "web.yaml", facts={"digest": "d", "protect": "yes"})),
        ({"parent": SHOP}, Owned(WEB, "u", "web.yaml", parent=SHOP, facts={"digest": "d"})),
        ({"content": b"x"}, Owned(WEB, "u", "web.yaml", seed=True, facts={"digest": "d"})),
    ],
)
def test_what_the_ledger_holds_of_a_document(more: Mapping[str, Any], owned: Owned) -> None:
    wanted = replace(resource(WEB), digest="d", **more)
    assert ownership_entry(wanted, "u", created=True) == owned
    known = ownership_entry(wanted, "u", created=False, format="raw")
    assert known == replace(owned, created=False, facts={**owned.facts, "format": "raw"})


def test_one_fact_more_is_remembered_with_a_step_and_without() -> None:
    entry = Owned(WEB, "u", facts={"digest": "d"})
    more = replace(entry, facts={"digest": "d", "keptVolumes": "{}"})
    of_step = Assessment(step=replace(step(WEB), owned=entry)).with_fact(Fact.KEPT, "{}")
    assert of_step.step is not None
    assert (of_step.step.owned, of_step.record) == (more, None)
    of_record = Assessment(record=entry).with_fact(Fact.KEPT, "{}")
    assert (of_record.step, of_record.record) == (None, more)
    assert Assessment(step=step(WEB)).with_fact(Fact.KEPT, "{}") == Assessment(step=step(WEB))


def test_how_often_something_was_made_again_is_none_until_it_was() -> None:
    twice = Owned(WEB, "u", facts={Fact.REMADE: "2"})
    assert [remade_before(each) for each in (None, Owned(WEB, "u"), twice)] == [0, 0, 2]
    assert [kept_count(each) for each in (None, Owned(WEB, "u"), twice)] == [{}, {}, {"remade": "2"}]
