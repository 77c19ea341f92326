"""Which removals need a person's word: by what would be left, not only by how many go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import DesiredState
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.gathered import Gathered
from reconciler.planning.guards import Leaving, judged
from reconciler.planning.operations import Undefine
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action
from reconciler.planning.plan_options import PlanOptions
from specs.host import Host
from specs.reference import STORAGE_POOL, Ref
from specs.scope import Scope
from tests.planning.values import REPOSITORY, REVISION, Context, network, resource, step, vm

POOL, LAN, DMZ = Ref(STORAGE_POOL, "disks"), network("lan"), network("dmz")
A, B, C, D = (vm(name) for name in "abcd")
SMALL = (POOL, LAN, A, B)
LARGE = (POOL, LAN, DMZ, *(vm(f"m{index}") for index in range(12)))

WIRED = "<domain><devices><interface type='network'><source network='lan'/></interface></devices></domain>"


def host_of(refs: Sequence[Ref], wired: Sequence[Ref] = (), *, rewritten: str = "", approved: str = "") -> Context:
    """A host on which all of it is onggi's; the machines `wired` are plugged into the network lan."""
    objects = {}
    for ref in refs:
        objects[ref] = Observed(ref, f"uid of {ref}", WIRED if ref in wired else "<domain/>")
    desired = DesiredState(REVISION, REPOSITORY, {}, rewritten=rewritten)
    owned = {ref: Owned(ref, f"uid of {ref}") for ref in refs}
    return Gathered(desired, Snapshot(1, Host(), objects), owned, options=PlanOptions(approved=frozenset({approved})))


def going(context: Context, *refs: Ref, approved: Sequence[Ref] = ()) -> list[Leaving]:
    facts = {Fact.REMOVAL: str(REVISION)}
    return [
        Leaving(
            Owned(ref, f"uid of {ref}", facts=facts if ref in approved else {}),
            ref,
            step(ref, Undefine(ref, ""), action=Action.DELETE),
        )
        for ref in refs
    ]


@pytest.mark.parametrize(
    ("there", "leaving", "why"),
    [
        (SMALL, [A], ""),
        (SMALL, [LAN], ""),
        ((POOL, LAN, A), [LAN], ""),
        (LARGE, [vm("m1")], ""),
        (LARGE, [vm("m1"), vm("m2"), DMZ], ""),
        ((POOL, LAN, DMZ, network("n3"), network("n4")), [LAN], ""),
        ((A, POOL), [POOL], "1 of 2 objects"),
        (SMALL, [POOL, LAN], "2 of 4 objects"),
        (SMALL, [A, B], "no machine would be left"),
        ((POOL, LAN, DMZ, A), [A], "no machine would be left without VirtualMachine/a"),
        (SMALL, [A, B, LAN, POOL], "4 of 4 objects"),
        ((POOL, LAN, DMZ, A, B, C), [A, B], "more than half of the machines would be deleted"),
        ((POOL, LAN, DMZ, A, B, C, D), [A, B], ""),
        (LARGE, [vm(f"m{index}") for index in range(4)], "4 of 15 objects"),
    ],
)
def test_a_removal_asks_by_what_would_be_left(there: Sequence[Ref], leaving: Sequence[Ref], why: str) -> None:
    context = host_of(there)
    held = judged(going(context, *leaving), context).waiting
    assert [item.ref for item in held] == (list(leaving) if why else [])
    assert all(why in item.message and f"onggi approve {item.digest}" in item.message for item in held)


def test_a_network_that_goes_with_a_machine_that_uses_it_asks_even_on_a_large_host() -> None:
    context = host_of(LARGE, wired=[vm("m1")])
    assert not judged(going(context, vm("m1")), context).waiting
    assert not judged(going(context, LAN), host_of(LARGE)).waiting
    held = judged(going(context, vm("m1"), LAN), context).waiting
    assert "Network/lan would be deleted together with what uses it (VirtualMachine/m1)" in held[0].message


def test_a_rewritten_history_asks_for_a_single_removal() -> None:
    context = host_of(LARGE, rewritten="0123456789abcdef")
    [held] = judged(going(context, vm("m1")), context).waiting
    assert "the history of main was rewritten, 0123456789ab isn't in it any more" in held.message


def test_what_was_approved_goes_on_although_less_is_left_by_now() -> None:
    context = host_of(SMALL)
    [digest] = {item.digest for item in judged(going(context, A, B), context).waiting}
    approved = host_of(SMALL, approved=digest)
    verdict = judged(going(approved, A, B), approved)
    assert not verdict.waiting
    assert verdict.approved, "so that it is written down"
    later = host_of((POOL, LAN, B))
    assert not judged(going(later, B, approved=[B]), later).waiting


def test_a_disk_that_goes_with_its_machine_does_not_count() -> None:
    disk = Ref.volume("disks", "a-root.qcow2")
    context = host_of((*LARGE, disk))
    leaving = [*going(context, vm("m1"), vm("m2"), vm("m3")), *going(context, disk)]
    along = Leaving(Owned(disk, "", parent=vm("m1")), disk, leaving[-1].step)
    assert not judged([*leaving[:-1], along], context).waiting


# What counts as ours, of which the more is left, the less is asked: two of these four are half.
@pytest.mark.parametrize(
    ("says", "remembered", "declared", "held"),
    [
        ("not what nobody knows", None, False, True),
        ("not disks, which go along", {"parent": A}, False, True),
        ("nor seeds", {"seed": True}, False, True),
        ("not what another branch has", {"facts": {Fact.SCOPE: Scope(REPOSITORY, "test").to_text()}}, False, True),
        ("what is remembered", {}, False, False),
        ("what is declared, and has its UUID, although nobody remembers it", None, True, False),
    ],
)
def test_what_counts_as_ours(says: str, remembered: Mapping[str, Any] | None, declared: bool, held: bool) -> None:
    others = [network(f"other{number}") for number in range(8)]
    context = host_of((*SMALL, *others))
    owned = {ref: entry for ref, entry in context.owned.items() if ref in SMALL}
    if remembered is not None:
        owned |= {ref: replace(context.owned[ref], **remembered) for ref in others}
    resources = {ref: replace(resource(ref), uid=f"uid of {ref}") for ref in others} if declared else {}
    desired = replace(context.desired, resources=resources, where=Scope(REPOSITORY, "main"))
    context = replace(context, owned=owned, desired=desired)
    assert bool(judged(going(context, POOL, LAN), context).waiting) is held, says


def test_what_is_gone_or_another_one_of_its_name_is_not_there() -> None:
    context = host_of(SMALL)
    gone = {ref: Owned(ref, f"uid of {ref}") for ref in map(vm, "wxyz")}
    assert judged(going(context, POOL, LAN), replace(context, owned={**context.owned, **gone})).waiting
    others = host_of((*SMALL, *map(vm, "wxyz")))
    declared = {ref: replace(resource(ref), uid="another") for ref in map(vm, "wxyz")}
    owned = {ref: entry for ref, entry in others.owned.items() if ref in SMALL}
    others = replace(others, owned=owned, desired=replace(others.desired, resources=declared))
    assert judged(going(others, POOL, LAN), others).waiting
