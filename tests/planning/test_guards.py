"""Which removals need a person's word: by what would be left, not only by how many go."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reconciler.desired.state import DesiredState
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.guards import Leaving, judged
from reconciler.planning.operations import Undefine
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action
from reconciler.planning.terms import Terms
from specs.host import Host
from specs.reference import STORAGE_POOL, Ref
from tests.planning.values import REPOSITORY, REVISION, Context, network, step, vm

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
    return Context(desired, Snapshot(1, Host(), objects), owned, terms=Terms(approved=frozenset({approved})))


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
    held = judged(going(context, *leaving), context).held
    assert [item.ref for item in held] == (list(leaving) if why else [])
    assert all(why in item.message and f"onggi approve {item.digest}" in item.message for item in held)


def test_a_network_that_goes_with_a_machine_that_uses_it_asks_even_on_a_large_host() -> None:
    context = host_of(LARGE, wired=[vm("m1")])
    assert not judged(going(context, vm("m1")), context).held
    assert not judged(going(context, LAN), host_of(LARGE)).held
    held = judged(going(context, vm("m1"), LAN), context).held
    assert "Network/lan would be deleted together with what uses it (VirtualMachine/m1)" in held[0].message


def test_a_rewritten_history_asks_for_a_single_removal() -> None:
    context = host_of(LARGE, rewritten="0123456789abcdef")
    [held] = judged(going(context, vm("m1")), context).held
    assert "the history of main was rewritten, 0123456789ab isn't in it any more" in held.message


def test_what_was_approved_goes_on_although_less_is_left_by_now() -> None:
    context = host_of(SMALL)
    [digest] = {item.digest for item in judged(going(context, A, B), context).held}
    approved = host_of(SMALL, approved=digest)
    verdict = judged(going(approved, A, B), approved)
    assert not verdict.held
    assert verdict.approved, "so that it is written down"
    later = host_of((POOL, LAN, B))
    assert not judged(going(later, B, approved=[B]), later).held


def test_a_disk_that_goes_with_its_machine_does_not_count() -> None:
    disk = Ref.volume("disks", "a-root.qcow2")
    context = host_of((*LARGE, disk))
    leaving = [*going(context, vm("m1"), vm("m2"), vm("m3")), *going(context, disk)]
    along = Leaving(Owned(disk, "", parent=vm("m1")), disk, leaving[-1].step)
    assert not judged([*leaving[:-1], along], context).held
