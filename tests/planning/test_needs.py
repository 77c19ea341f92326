"""What a machine does while something that it needs isn't there, isn't seen yet, or is somebody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.order import ordered
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action, Blocked
from specs.reference import NETWORK, STORAGE_POOL, STORAGE_VOLUME, Ref
from tests.planning import values
from tests.planning.machines import CARD, DATA, LAN, OTHERS, PLAIN, POOL, WITH_DATA, off
from tests.planning.worlds import WEB, World, applied, check, found, table, wanted

NET = wanted("lan", NETWORK, mode="isolated", subnet="10.1.2.0/24")
DISKS = wanted("default", STORAGE_POOL, type="dir", path="/default")
CLOSED = found(DISKS, "inactive")
NET_REF, DATA_REF = Ref(NETWORK, "lan"), Ref(STORAGE_VOLUME, "default/data")
BASE = '<source file="/default/data"/>'
SNAPSHOT = {
    BASE: f'<source file="/default/data.snap"/><backingStore type="file"><format type="qcow2"/>{BASE}<backingStore/>'
    "</backingStore>",
}
TWO_DISKS = wanted(disks=[{"name": "data", "volume": "default/data"}, {"name": "more", "volume": "default/more"}])


@table(
    (
        "what comes is waited for",
        World((CARD, NET), ()),
        "+ lan /mode /subnet: define, start (declared, and not on the host)",
        "+ web /memory /interfaces: define, start (declared, and not on the host)",
    ),
    (
        "what is there needn't come",
        World((CARD,), (LAN,)),
        "+ web /memory /interfaces: define, start (declared, and not on the host)",
    ),
    (
        "what nobody has",
        World((CARD,), ()),
        "+ web /memory /interfaces: define (declared, and not on the host)",
        "! web DependencyNotReady: VirtualMachine/web needs Network/lan, which is neither in the repository…",
    ),
    (
        "what has errors in its document",
        World((CARD,), (), held=frozenset({NET_REF})),
        "+ web /memory /interfaces: define (declared, and not on the host)",
        "! web DependencyNotReady: VirtualMachine/web needs Network/lan, whose document has errors; correct…",
    ),
    (
        "what is held back itself",
        World((CARD, wanted("lan", NETWORK, mode="nat", gateway="10.1.2.1")), ()),
        "+ lan /mode /gateway /subnet: define, start (declared, and not on the host)",
        "+ web /memory /interfaces: define, start (declared, and not on the host)",
    ),
    (
        "what is going",
        World(
            (CARD, *(wanted(f"m{i}", runStrategy="Manual") for i in range(9))),
            (LAN, *(off(wanted(f"m{i}", runStrategy="Manual")) for i in range(9))),
            (replace(applied(NET), deletion="Delete"), applied(CARD)),
        ),
        "- lan: stop, undefine (its document is gone)",
        "+ web /memory /interfaces: define, start (declared, and not on the host)",
    ),
    (
        "a disk of somebody else",
        World(
            (WITH_DATA, DATA),
            (POOL, found(DATA, details={"path": "/default/data"})),
            (replace(applied(DATA), facts={"scope": OTHERS.to_text()}),),
        ),
        "! default/data OwnedByOther: StorageVolume/default/data on this host belongs to another repository…",
        "! web DependencyNotReady: VirtualMachine/web needs StorageVolume/default/data, which is held back:…",
    ),
    (
        "a disk of somebody else, which it has already",
        World(
            (WITH_DATA, DATA),
            (POOL, found(DATA), off(WITH_DATA)),
            (replace(applied(DATA), facts={"scope": OTHERS.to_text()}), applied(WITH_DATA)),
        ),
        "! default/data OwnedByOther: StorageVolume/default/data on this host belongs to another repository…",
    ),
    (
        "a disk in a pool that is only just started",
        World((WITH_DATA, DISKS), (CLOSED,), (applied(DISKS),)),
        "~ default /active: start built (changed on the host since it was last applied)",
        "! web DependencyNotReady: VirtualMachine/web waits for StorageVolume/default/data, which only shows…",
    ),
    (
        "a disk in a pool that is off",
        World((WITH_DATA,), (CLOSED,)),
        "! web DependencyNotReady: VirtualMachine/web waits for StorageVolume/default/data, which only shows…",
    ),
    (
        "a disk in a pool that is off, which it has already",
        World((WITH_DATA,), (CLOSED, off(WITH_DATA)), (applied(WITH_DATA),)),
    ),
    (
        "a disk in a pool that is off, which it has already, and changes",
        World((wanted(title="x", disks=WITH_DATA.spec["disks"]),), (CLOSED, off(WITH_DATA)), (applied(WITH_DATA),)),
        "~ web /title: define (its document changed)",
    ),
    (
        "a disk that can't be read",
        World((WITH_DATA,), (POOL, off(WITH_DATA)), (applied(WITH_DATA),), unseen=frozenset({DATA_REF})),
    ),
    (
        "a disk that can't be read, which it doesn't have yet",
        World((WITH_DATA,), (POOL, off()), (applied(PLAIN),), unseen=frozenset({DATA_REF})),
        "! web DependencyNotReady: VirtualMachine/web needs StorageVolume/default/data, which is on the host…",
    ),
    (
        "a disk that can't be read, of a new machine",
        World((WITH_DATA,), (POOL,), (), unseen=frozenset({DATA_REF})),
        "! web DependencyNotReady: VirtualMachine/web needs StorageVolume/default/data, which is on the host…",
    ),
    (
        "a network that can't be read",
        World((CARD,), (off(),), (applied(PLAIN),), unseen=frozenset({NET_REF})),
        "~ web /interfaces/52:54:00:fe:b9:77: define (its document changed)",
        "! web DependencyNotReady: VirtualMachine/web needs Network/lan, which is on the host and can't be…",
    ),
    (
        "a network of somebody else",
        World((CARD, NET), (replace(LAN, uid="other"),)),
        "+ web /memory /interfaces: define (declared, and not on the host)",
        "! lan OwnedByOther: Network/lan already exists on this host and isn't onggi's; rename this…",
        "! web DependencyNotReady: VirtualMachine/web needs Network/lan, which is held back: Network/lan…",
    ),
    (
        "a network of somebody else, on which it is already",
        World(
            (wanted(title="x", interfaces=CARD.spec["interfaces"]), NET),
            (replace(LAN, uid="other"), off(CARD)),
            (applied(CARD),),
        ),
        "~ web /title: define (its document changed)",
        "! lan OwnedByOther: Network/lan already exists on this host and isn't onggi's; rename this…",
    ),
    (
        "a medium in a pool that is off, which it has already",
        World(
            (wanted(title="x", cdroms=[{"volume": "default/data"}]),),
            (
                CLOSED,
                off(wanted(cdroms=[{"volume": "default/data"}])),
            ),
            (applied(WITH_DATA),),
        ),
        "~ web /title: define (its document changed)",
    ),
    (
        "a disk in a pool that is off, below a snapshot that it has",
        World(
            (wanted(title="x", disks=WITH_DATA.spec["disks"]),),
            (CLOSED, off(WITH_DATA, patch=SNAPSHOT)),
            (applied(WITH_DATA),),
        ),
        "~ web /title: define (its document changed)",
    ),
    (
        "a second disk that is missing",
        World((TWO_DISKS,), (POOL, found(DATA), off(WITH_DATA)), (applied(WITH_DATA),)),
        "! web DependencyNotReady: VirtualMachine/web needs StorageVolume/default/more, which is neither in…",
    ),
    (
        "what else it is changed to comes all the same",
        World(
            (replace(TWO_DISKS, spec={**TWO_DISKS.spec, "title": "x"}),),
            (POOL, found(DATA), off(WITH_DATA)),
            (applied(WITH_DATA),),
        ),
        "~ web /title: define (its document changed)",
        "! web DependencyNotReady: VirtualMachine/web needs StorageVolume/default/more, which is neither in…",
    ),
)
def test_what_a_machine_needs(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


def at_rest(document: Resource = CARD, *more: Observed, ledger: tuple[Owned, ...] = (), **rest: Any) -> World:
    """As declared, on a host without its network."""
    return World((document,), (off(document), *more), ledger or (applied(document),), **rest)


@table(
    (
        "its next start lacks something",
        at_rest(),
        "! web DependencyNotReady: VirtualMachine/web needs Network/lan, which is neither in the repository…",
    ),
    ("its starts are for people", at_rest(wanted(interfaces=CARD.spec["interfaces"], runStrategy="Manual"))),
    ("it is left alone", at_rest(suspended=frozenset({WEB}))),
    ("it is only observed", at_rest(ledger=(applied(CARD, observe="yes"),))),
    ("it lacks nothing", at_rest(CARD, LAN)),
    (
        "it lacks nothing, but another does",
        World(
            (PLAIN, wanted("db", interfaces=[{"network": "lan"}], runStrategy="Halted")),
            (off(), off(wanted("db", interfaces=[{"network": "lan"}]))),
        ),
        "! db DependencyNotReady: VirtualMachine/db needs Network/lan, which is neither in the repository…",
    ),
)
def test_a_machine_about_which_nothing_is_to_be_done(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


A, B, C = values.vm("a"), values.vm("b"), values.vm("c")


def test_steps_that_wait_for_each_other_stay_at_the_end_and_hold_up_nobody() -> None:
    steps = {B: values.step(B, after=[A]), A: values.step(A, after=[B]), C: values.step(C)}
    in_order, blocked = ordered(steps, {}, values.context([values.resource(each) for each in steps]))
    assert [step.ref for step in in_order] == [C, A, B]
    assert not blocked


def test_what_follows_is_sorted_by_name_among_those_that_became_free() -> None:
    steps = {B: values.step(B, after=[C]), A: values.step(A, after=[C]), C: values.step(C)}
    in_order, _ = ordered(steps, {}, values.context([values.resource(each) for each in steps]))
    assert [step.ref for step in in_order] == [C, A, B]


def test_a_step_whose_needs_nobody_can_find_out_is_held_back_alone() -> None:
    lan = values.network("lan")
    resources = [values.resource(lan, Ref("Nonsense", "x")), values.resource(B)]
    in_order, blocked = ordered({each.ref: values.step(each.ref) for each in resources}, {}, values.context(resources))
    assert [step.ref for step in in_order] == [B]
    assert [(item.ref, item.reason) for item in blocked] == [(lan, "InternalError")]


def test_a_machine_of_which_nobody_can_tell_what_it_has_is_held_back_alone() -> None:
    disk = Ref.volume("gone", "data")
    context = values.context([values.resource(A, disk), values.resource(B)])
    objects = {A: Observed(A, "u", None)}  # type: ignore[arg-type]
    broken = replace(context, snapshot=replace(context.snapshot, objects=objects, unseen=frozenset({disk})))
    in_order, blocked = ordered({A: values.step(A), B: values.step(B)}, {}, broken)
    assert [step.ref for step in in_order] == [B]
    assert [(item.ref, item.reason) for item in blocked] == [(A, "InternalError")]


def test_a_removal_needs_nothing() -> None:
    resources = [values.resource(A, B)]
    removal = values.step(A, action=Action.DELETE)
    in_order, blocked = ordered({A: removal}, {B: Blocked(B, "Some", "why")}, values.context(resources))
    assert [step.ref for step in in_order] == [A]
    assert [item.ref for item in blocked] == [B]
