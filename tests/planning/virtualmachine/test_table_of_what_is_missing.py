"""What of a declared object is missing: left so, told as lost, made again, or done without until it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.context import Context
from reconciler.planning.gathered import Gathered
from reconciler.planning.operations import EditLive, SetAutostart, Start, Stop
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Step
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.storagevolume.loss import find_losses, held, held_losses
from reconciler.planning.vanished import left_missing
from reconciler.planning.virtualmachine.power import MIGRATED_AWAY
from reconciler.planning.virtualmachine.unmet_needs import Unmet, can_be_defined, reduced, unmet_needs
from specs.host import Feature, Host, NodeDevice, VolumeSource
from specs.mark import Mark
from specs.reference import STORAGE_POOL, Ref
from tests.planning.values import REPOSITORY, REVISION, network, resource, step, vm

WEB, SHOP, LAN, DMZ, POOL = vm("web"), vm("shop"), network("lan"), network("dmz"), Ref(STORAGE_POOL, "disks")
DATA, BASE, SEED = (Ref.volume("disks", name) for name in ("data", "base", "seed"))
OTHER_REPOSITORY = "22222222-2222-3333-4444-555555555555"


def context_of(
    declared: Iterable[Resource] = (),
    seen: Iterable[Observed] = (),
    owned: Iterable[Owned] = (),
    host: Host | None = None,
    **options: Any,
) -> Context:
    objects = {each.ref: each for each in seen}
    desired = DesiredState(REVISION, REPOSITORY, {each.ref: each for each in declared})
    known = {each.ref: each for each in owned}
    return Gathered(desired, Snapshot(1, host or Host(), objects), known, options=PlanOptions(**options))


# What isn't on the host, and stays away: (document's driftPolicy, whether it was applied, who needs it) -> left.
def declared(ref: Ref, *needs: Ref, drift: str = "warn") -> Resource:
    return replace(resource(ref, *needs), policy=Policy(drift=drift), digest="d")


def applied(ref: Ref, digest: str = "d") -> Owned:
    return Owned(ref, "u", facts={Fact.DIGEST: digest})


def making(*refs: Ref, action: Action = Action.CREATE) -> dict[Ref, Step]:
    return {ref: step(ref, action=action) for ref in refs}


@pytest.mark.parametrize(
    ("says", "resources", "owned", "steps", "left"),
    [
        ("what vanished and is only told of", [declared(LAN)], [applied(LAN)], making(LAN), {LAN}),
        ("or not even told of", [declared(LAN, drift="ignore")], [applied(LAN)], making(LAN), {LAN}),
        ("not what is put back", [declared(LAN, drift="enforce")], [applied(LAN)], making(LAN), set()),
        ("not what a new revision asks for", [declared(LAN)], [applied(LAN, "earlier")], making(LAN), set()),
        ("nor what was never there", [declared(LAN)], [], making(LAN), set()),
        ("nor what is only changed", [declared(LAN)], [applied(LAN)], making(LAN, action=Action.UPDATE), set()),
        ("nor what nobody declares", [], [applied(LAN)], making(LAN, action=Action.DELETE), set()),
        ("what another step needs is made all the same", [declared(LAN), declared(WEB, LAN)], [applied(LAN)],
         making(LAN, WEB), set()),
        ("unless that stays away, too", [declared(LAN), declared(WEB, LAN)], [applied(LAN), applied(WEB)],
         making(LAN, WEB), {LAN, WEB}),
        ("through all that it needs", [declared(LAN), declared(DMZ, LAN), declared(WEB, DMZ)],
         [applied(LAN), applied(DMZ)], making(LAN, DMZ, WEB), set()),
        ("not for one that leaves", [declared(LAN), declared(WEB, LAN)], [applied(LAN)],
         making(LAN) | making(WEB, action=Action.DELETE), {LAN}),
        ("nor for what isn't declared", [declared(LAN)], [applied(LAN)],
         making(LAN) | making(SHOP, action=Action.UPDATE), {LAN}),
    ],
)  # fmt: skip
def test_what_stays_missing(
    says: str, resources: Sequence[Resource], owned: Sequence[Owned], steps: Mapping[Ref, Step], left: set[Ref]
) -> None:
    assert left_missing(steps, context_of(resources, owned=owned)) == left, says


# Volumes that are gone with the data in them.
def pool(state: str = "active") -> Observed:
    return Observed(POOL, "p", "<pool/>", state=state)


def machine(ref: Ref, *sources: str, mark: Mark | None = None, running: bool = False) -> Observed:
    disks = "".join(
        f"<disk type='file' device='disk'><source file='{each}'/><target dev='vda' bus='virtio'/></disk>"
        for each in sources
    )
    xml = f"<domain><name>{ref.name}</name><devices>{disks}</devices></domain>"
    return Observed(ref, f"u-{ref.name}", xml, xml if running else None, "running" if running else "shutoff", mark=mark)


def disk(ref: Ref = DATA, *needs: Ref, **spec: Any) -> Resource:
    return replace(resource(ref, *needs), spec={"pool": "disks", **spec}, digest="d")


ABOVE = Observed(DATA, "", "<volume/>", details={"path": "/disks/data", "backing": "/disks/base"})
PLACE = Host(pool_paths={"disks": "/disks"})
OURS = Mark(REPOSITORY, "web", frozenset({"/disks/disks/data", "/interfaces/disks/base"}))
NEEDED = replace(resource(WEB, DATA), uid="u-web")


@pytest.mark.parametrize(
    ("says", "resources", "seen", "owned", "evidence"),
    [
        ("onggi made it", [disk()], [pool()], [Owned(DATA, "")], "onggi made it"),
        ("or took it over", [disk()], [pool()], [Owned(DATA, "", created=False)], "onggi took it over"),
        ("a machine of ours names it", [disk()],
         [pool(), machine(WEB, "/disks/data", mark=Mark(REPOSITORY, "web"))], [],
         "the definition of VirtualMachine/web names it"),
        ("or one that is declared to need it", [disk(), NEEDED], [pool(), machine(WEB, "/disks/data")], [],
         "the definition of VirtualMachine/web names it"),
        ("or a volume that was made on it", [disk(BASE), disk(DATA, BASE)], [pool(), ABOVE], [],
         "StorageVolume/disks/data lies above it"),
        ("not one that its document makes on another", [disk(BASE), disk(DATA)], [pool(), ABOVE], [], ""),
        ("nor a machine that its document gives another", [disk(), replace(NEEDED, depends_on=(BASE,))],
         [pool(), machine(WEB, "/disks/data")], [], ""),
        ("a stranger's may mean another one", [disk()], [pool(), machine(WEB, "/disks/data")], [], ""),
        ("and so may another repository's", [disk()],
         [pool(), machine(WEB, "/disks/data", mark=Mark(OTHER_REPOSITORY, "web"))], [], ""),
        ("a mark lists it", [disk()], [pool(), machine(WEB, mark=OURS)], [], "VirtualMachine/web was defined with it"),
        ("not another repository's", [disk()],
         [pool(), machine(WEB, mark=replace(OURS, repository_id=OTHER_REPOSITORY))], [], ""),
        ("nor as anything but a disk", [disk(BASE)], [pool(), machine(WEB, mark=OURS)], [], ""),
        ("nobody knows of it: it was never there", [disk()], [pool()], [], ""),
        ("one that is there isn't lost", [disk()],
         [pool(), Observed(DATA, "", "<volume/>", details={"path": "/disks/data"})], [Owned(DATA, "")], ""),
        ("one that can't be seen isn't either", [disk()], [pool("inactive")], [Owned(DATA, "")], ""),
        ("nor in a pool that is away", [disk()], [], [Owned(DATA, "")], ""),
        ("a seed is made of its document", [replace(disk(), content=b"x")], [pool()], [Owned(DATA, "")], ""),
        ("what a machine may have taken along isn't lost", [disk(), NEEDED], [pool()],
         [Owned(DATA, ""), Owned(WEB, "u-web", facts={Fact.LAST_RUN: MIGRATED_AWAY})], ""),
        ("only volumes are", [replace(resource(LAN), digest="d")], [pool()], [Owned(LAN, "l")], ""),
    ],
)  # fmt: skip
def test_what_is_lost(
    says: str, resources: Sequence[Resource], seen: Sequence[Observed], owned: Sequence[Owned], evidence: str
) -> None:
    losses = find_losses(context_of(resources, seen, owned, PLACE))
    assert [loss.evidence for loss in losses.values()] == ([evidence] if evidence else []), says


def test_what_is_just_being_moved_or_was_never_readable_is_not_lost() -> None:
    context = context_of([disk()], [pool()], [Owned(DATA, "")])
    assert set(find_losses(context)) == {DATA}
    assert not find_losses(context_of([disk()], [pool()], [Owned(DATA, "")], moving=frozenset({DATA})))
    assert not find_losses(replace(context, snapshot=replace(context.snapshot, unseen=frozenset({DATA}))))


def test_a_word_is_for_one_loss_and_for_what_would_be_made() -> None:
    def lost(*owned: Owned, digest: str = "d", **options: Any) -> Any:
        return find_losses(context_of([replace(disk(), digest=digest)], [pool()], owned, **options))[DATA]

    once = lost(Owned(DATA, ""))
    assert once.allowed == ""
    assert lost(Owned(DATA, ""), approved=frozenset({once.digest})).allowed == "that was approved"
    again = lost(Owned(DATA, "", facts={Fact.REMADE: "1"}), approved=frozenset({once.digest}))
    other = lost(Owned(DATA, ""), digest="e", approved=frozenset({once.digest}))
    assert (again.allowed, other.allowed) == ("", "")


def test_a_machine_waits_for_what_is_lost_below_its_disks() -> None:
    resources = [disk(BASE), disk(DATA, BASE), resource(WEB, DATA, LAN)]
    lost = context_of(resources, [pool()], [Owned(BASE, "")])
    assert held_losses(lost.desired.resources[WEB], lost) == {BASE}
    assert held_losses(lost.desired.resources[DATA], lost) == {BASE}
    both = context_of(resources, [pool()], [Owned(BASE, ""), Owned(DATA, "")])
    assert held_losses(both.desired.resources[WEB], both) == {DATA}, "what lies above hides what lies below"
    again = [disk(BASE, onLoss="recreate"), disk(DATA, BASE, onLoss="recreate"), resource(WEB, DATA)]
    allowed = context_of(again, [pool()], [Owned(BASE, ""), Owned(DATA, "")])
    assert held_losses(allowed.desired.resources[WEB], allowed) == frozenset()
    one = context_of([disk(BASE, onLoss="recreate"), disk(DATA, BASE), resource(WEB, DATA)], [pool()],
                     [Owned(BASE, ""), Owned(SEED, "")])  # fmt: skip
    assert held_losses(one.desired.resources[WEB], one) == frozenset()
    circle = context_of(
        [disk(BASE, DATA), disk(DATA, BASE), resource(WEB, DATA), disk(SEED)], [pool()], [Owned(SEED, "")]
    )
    assert held_losses(circle.desired.resources[WEB], circle) == frozenset()


@pytest.mark.parametrize(
    ("spec", "made"),
    [
        ({}, "an empty one"),
        ({"source": {"url": "https://images.example/x"}}, "it downloaded again"),
        ({"backingVolume": "base"}, "a fresh copy of base"),
    ],
)
def test_what_would_be_made_in_the_place_of_a_lost_one_is_told(spec: Mapping[str, Any], made: str) -> None:
    context = context_of([disk(**spec)], [pool()], [Owned(DATA, "")], PLACE)
    told = held(context.desired.resources[DATA], context.losses[DATA], context)
    assert told.message.startswith(
        "StorageVolume/disks/data (/disks/data) was on this host (onggi made it) and is gone"
    )
    assert told.message.endswith(f"To have {made} made in its place: onggi approve {told.digest}")
    assert "runs with it open" not in told.message


def test_who_still_has_it_open_is_told_to_save_it() -> None:
    host = replace(PLACE, volumes={DATA: VolumeSource("/disks/data")})
    context = context_of([disk()], [pool(), machine(WEB, "/disks/data", running=True)], [Owned(DATA, "")], host)
    told = held(context.desired.resources[DATA], context.losses[DATA], context)
    assert "; VirtualMachine/web still runs with it open: save what it holds before it is switched off" in told.message


def test_without_a_known_place_none_is_told() -> None:
    context = context_of([disk(), disk(BASE)], [pool()], [Owned(DATA, ""), Owned(BASE, "")])
    told = held(context.desired.resources[DATA], context.losses[DATA], context)
    assert told.message.startswith("StorageVolume/disks/data was on this host")
    assert (
        "none of the 2 volumes that are known in the pool disks is there: if what was mounted is away" in told.message
    )


# What a machine does without.
STICK = "usb_1_2"
CD = {"name": "cd", "volume": "disks/base"}
DISK = {"name": "root", "volume": "disks/data"}
WITH_DISK = machine(WEB, "/disks/data")


@pytest.mark.parametrize(
    ("says", "spec", "seen", "missing", "untouched", "defined"),
    [
        ("nothing", {"disks": [DISK]}, None, (), (), True),
        ("a network, which no definition takes", {"interfaces": [{"network": "lan"}], "disks": [DISK]}, None, (LAN,),
         (), True),
        ("a disk", {"disks": [DISK]}, None, (DATA,), ("disks",), False),
        ("one that its definition has already", {"disks": [DISK]}, WITH_DISK, (DATA,), (), True),
        ("a CD, which can be put in later", {"cdroms": [CD]}, None, (BASE,), ("cdroms",), True),
        ("a device of the host", {"hostDevices": [{"device": STICK}]}, None, (), ("hostDevices",), True),
        ("all of it", {"disks": [DISK], "cdroms": [CD], "hostDevices": [{"device": STICK}]}, None, (DATA, BASE),
         ("cdroms", "disks", "hostDevices"), False),
    ],
)  # fmt: skip
def test_what_a_machine_lacks(
    says: str,
    spec: Mapping[str, Any],
    seen: Observed | None,
    missing: Sequence[Ref],
    untouched: Sequence[str],
    defined: bool,
) -> None:
    lack = unmet_needs(replace(resource(WEB), spec=spec), seen, context_of(), frozenset(missing))
    assert (lack.untouched, can_be_defined(lack)) == (tuple(untouched), defined), says
    assert bool(lack) == (says != "nothing")
    assert lack.running is False


def test_a_device_that_is_there_is_no_lack() -> None:
    host = Host(features=frozenset(Feature), node_devices={STICK: NodeDevice(STICK, "usb", {"bus": 1, "device": 2})})
    spec = {"hostDevices": [{"device": STICK}, {"device": "usb_9_9"}]}
    lack = unmet_needs(replace(resource(WEB), spec=spec), None, context_of(host=host), frozenset())
    assert lack.devices == ("usb_9_9",)
    assert reduced(replace(resource(WEB), spec=spec), None, lack).spec == {"hostDevices": [{"device": STICK}]}


def test_a_new_machine_gets_an_empty_drive_and_one_that_is_there_keeps_its_lists() -> None:
    other = {"name": "tools", "volume": "disks/data"}
    wanted = replace(
        resource(WEB), spec={"cdroms": [CD, other], "memory": 64}, policy=Policy(ignore_fields=("/title",))
    )
    lack = Unmet(frozenset({BASE}), untouched=("cdroms",))
    assert reduced(wanted, None, lack).spec == {"cdroms": [{"name": "cd"}, other], "memory": 64}
    there = reduced(wanted, machine(WEB), lack)
    assert (there.spec, there.policy.ignore_fields) == (wanted.spec, ("/title", "/cdroms"))
    devices = Unmet(devices=(STICK,), untouched=("hostDevices",))
    kept = reduced(replace(wanted, spec={"hostDevices": [{"device": STICK}], "memory": 64}), machine(WEB), devices)
    assert (kept.spec, kept.policy.ignore_fields) == ({"memory": 64}, ("/title", "/hostDevices"))
    assert reduced(wanted, None, Unmet(frozenset({LAN}))) is wanted


CARD = "<interface type='network'><source network='{}'/></interface>"


@pytest.mark.parametrize(
    ("says", "lack", "operation", "waits"),
    [
        ("a start", Unmet(frozenset({LAN})), Start(WEB), True),
        ("with nothing missing it doesn't", Unmet(), Start(WEB), False),
        ("a stop, when data is lost", Unmet(frozenset({DATA}), frozenset({DATA})), Stop(WEB), True),
        ("no stop else", Unmet(frozenset({DATA})), Stop(WEB), False),
        ("a card on what is missing", Unmet(frozenset({LAN})), EditLive(WEB, "attach", CARD.format("lan")), True),
        (
            "also when it is moved there",
            Unmet(frozenset({LAN})),
            EditLive(WEB, "update", CARD.format("lan")),
            True,
        ),
        ("not when it goes", Unmet(frozenset({LAN})), EditLive(WEB, "detach", CARD.format("lan")), False),
        ("not one elsewhere", Unmet(frozenset({LAN})), EditLive(WEB, "attach", CARD.format("dmz")), False),
        ("nor what has no source", Unmet(frozenset({LAN})), EditLive(WEB, "attach", "<rng/>"), False),
        ("nor all else", Unmet(frozenset({LAN})), SetAutostart(WEB, True), False),
    ],
)
def test_what_waits_meanwhile(says: str, lack: Unmet, operation: Any, waits: bool) -> None:
    assert lack.hinders(operation) is waits, says


RUN = Fact.RUN_STRATEGY.value


@pytest.mark.parametrize(
    ("says", "lack", "before", "now", "held"),
    [
        ("an order to start isn't carried out yet", Unmet(frozenset({LAN})), None, "Always", None),
        ("nor one that replaces another", Unmet(frozenset({LAN})), "Halted", "Always", "Halted"),
        ("one that was carried out stays so", Unmet(frozenset({LAN})), "Always", "Always", "Always"),
        ("an order to stop is", Unmet(frozenset({LAN})), "Always", "Halted", "Halted"),
        ("and so is any where nothing is missing", Unmet(), "Halted", "Always", "Always"),
    ],
)
def test_which_order_the_ledger_holds_as_carried_out(
    says: str, lack: Unmet, before: str | None, now: str, held: str | None
) -> None:
    entry = Owned(WEB, "u", facts={RUN: before} if before is not None else {})
    found = lack.record(Owned(WEB, "u", facts={RUN: now, Fact.DIGEST: "d2"}), entry)
    assert found.facts == {Fact.DIGEST: "d2"} | ({RUN: held} if held is not None else {}), says


def test_a_document_with_a_list_that_stays_as_it_is_was_not_applied() -> None:
    record, entry = Owned(WEB, "u", facts={Fact.DIGEST: "d2"}), Owned(WEB, "u", facts={Fact.DIGEST: "d1"})
    lack = Unmet(devices=(STICK,), untouched=("hostDevices",))
    assert lack.record(record, entry).facts[Fact.DIGEST] == "d1"
    assert lack.record(record, None).facts[Fact.DIGEST] == ""


def test_what_an_earlier_revision_declared_of_such_a_list_stays_in_the_mark() -> None:
    marked = machine(WEB, mark=Mark(REPOSITORY, "web", frozenset({"/hostDevices/usb:1.2", "/disks/data"})))
    assert Unmet(devices=(STICK,), untouched=("hostDevices",)).managed(marked) == {"/hostDevices/usb:1.2"}
    assert Unmet(devices=(STICK,), untouched=("hostDevices",)).managed(machine(WEB)) == frozenset()


@pytest.mark.parametrize(
    ("lack", "reason", "says"),
    [
        (Unmet(frozenset({DATA}), frozenset({DATA})), "DataLost", "is lost, so it isn't started"),
        (
            Unmet(frozenset({DATA}), frozenset({DATA}), running=True),
            "DataLost",
            "neither stopped nor restarted: save",
        ),
        (Unmet(devices=(STICK,)), "DependencyNotReady", "Until then VirtualMachine/web isn't started."),
        (Unmet(frozenset({LAN})), None, ""),
    ],
)
def test_what_is_told_of_it(lack: Unmet, reason: str | None, says: str) -> None:
    told = lack.told(resource(WEB))
    assert (told.reason if told is not None else None) == reason
    assert told is None or says in told.message
