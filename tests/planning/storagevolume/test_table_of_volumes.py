"""What is decided about a volume: (document, what is in the pool, what is remembered) -> the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.operations import CreateVolume, GrowVolume
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Plan
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from reconciler.planning.virtualmachine.power import MIGRATED_AWAY
from specs.binding import parse
from specs.host import Feature, Host, VolumeSource
from specs.mark import Mark
from specs.reference import STORAGE_POOL, Ref
from specs.scope import Scope
from tests.planning.one_object import APPLIED, owned
from tests.planning.plan_in_words import in_words
from tests.planning.values import REPOSITORY, REVISION, resource, vm

POOL, WEB, SHOP = Ref(STORAGE_POOL, "disks"), vm("web"), vm("shop")
DATA, BASE, ABOVE = (Ref.volume("disks", name) for name in ("data.qcow2", "base.qcow2", "data.snap1"))
GIB = 1 << 30
TWO = {"pool": "disks", "capacity": "2GiB"}
HERE, TEST = Scope(REPOSITORY, "main", ""), Scope(REPOSITORY, "test", "")
WARN, IGNORE, ADOPT = Policy(drift="warn"), Policy(drift="ignore"), Policy(adopt=True)


def pool(state: str = "active") -> Observed:
    return Observed(POOL, "p", "<pool type='dir'><name>disks</name></pool>", state=state)


def volume(ref: Ref = DATA, gib: int = 1, *, kind: str = "qcow2", backing: str = "") -> Observed:
    below = f"<backingStore><path>{backing}</path><format type='qcow2'/></backingStore>" if backing else ""
    xml = (
        f"<volume><name>{ref.short_name}</name><capacity>{gib * GIB}</capacity><target><format type='{kind}'/></target>"
        f"{below}</volume>"
    )
    return Observed(ref, "", xml, state="active", details={"path": f"/disks/{ref.short_name}", "backing": backing})


def machine(ref: Ref, source: str, *, running: bool = False, ours: bool = True, where: str = "file") -> Observed:
    """A machine with a disk at a path, or by pool and volume."""
    said = f"file='{source}'" if where == "file" else f"pool='disks' volume='{source}'"
    xml = (
        f"<domain><name>{ref.name}</name><devices><disk type='{where}' device='disk'><source {said}/>"
        "<target dev='vdb' bus='virtio'/></disk></devices></domain>"
    )
    mark = Mark(REPOSITORY, ref.name, branch="main", path="") if ours else None
    return Observed(ref, f"u-{ref.name}", xml, xml if running else None, "running" if running else "shutoff", mark=mark)


@dataclass(frozen=True)
class Case:
    """The pool `disks` is there and looked into, and the connection does all, unless a row says otherwise."""

    says: str
    spec: Mapping[str, Any]
    there: Sequence[Observed]
    plan: Sequence[str]
    entry: Owned | None = None
    policy: Policy = Policy()  # noqa: RUF009  (it can't be changed)
    document: Mapping[str, Any] = field(default_factory=dict)
    others: Sequence[Resource] = ()
    remembered: Sequence[Owned] = ()
    features: Sequence[Feature] = tuple(Feature)
    pool: Observed | None = pool()  # noqa: RUF009
    pool_paths: Mapping[str, str] = field(default_factory=lambda: {"disks": "/disks"})


def planned(case: Case) -> Plan:
    document = Resource(DATA, "", case.spec, "it.yaml", 1, policy=case.policy, digest=APPLIED)
    wanted = replace(document, **case.document)
    objects = {each.ref: each for each in (*case.there, *([case.pool] if case.pool else []))}
    volumes = {
        ref: VolumeSource(seen.details["path"], "file", seen.config.get("format", "raw"))
        for ref, seen in objects.items()
        if ref.pool
    }
    host = Host(features=frozenset(case.features), volumes=volumes, pool_paths=case.pool_paths)
    known = (*case.remembered, *([case.entry] if case.entry else []))
    desired = DesiredState(REVISION, REPOSITORY, {each.ref: each for each in (*case.others, wanted)}, where=HERE)
    return Planner().plan(
        desired, Snapshot(1, host, objects), {each.ref: each for each in known}, options=PlanOptions(now=1.0)
    )


OURS = owned(DATA, "")
AS_APPLIED = owned(DATA, "", digest=APPLIED)
GROWN = f"~ {DATA.name}: grow to {2 * GIB}"
SEED = {"content": b"seed", "spec": {"pool": "disks", "format": "raw"}, "parent": WEB}
SEED_THERE = volume(gib=0, kind="raw")
WANTED_WEB = replace(resource(WEB), policy=Policy(drift="ignore"), digest="w", uid="u-web")
CASES = [
    # Made.
    Case("one that isn't there is made", TWO, [], [f"+ {DATA.name}: make"]),
    Case("in a pool that is off it can't be seen", TWO, [], [f"! {DATA.name} DependencyNotReady"],
         pool=pool("inactive")),
    Case("what was made before isn't looked for in a pool that is gone", TWO, [],
         ["+ disks: define, start+build", f"! {DATA.name} DependencyNotReady"], entry=OURS, pool=None,
         others=[replace(resource(POOL), uid="p", spec={"type": "dir", "path": "/disks"})]),
    Case("a new one is made in a pool that is made along with it", TWO, [],
         ["+ disks: define, start+build", f"+ {DATA.name}: make"], pool=None,
         others=[replace(resource(POOL), uid="p", spec={"type": "dir", "path": "/disks"})]),
    Case("without its base it isn't", {"pool": "elsewhere", "backingVolume": "base.qcow2"}, [],
         [f"! {DATA.name} DependencyNotReady"]),
    Case("with it, it is", {"pool": "disks", "backingVolume": "base.qcow2"}, [volume(BASE)], [f"+ {DATA.name}: make"]),
    Case("what was lost isn't made again", TWO, [], [f"!? {DATA.name} DataLost"], entry=OURS),
    Case("nor taken for one that can't be seen while its pool is there", TWO, [], [f"!? {DATA.name} DataLost"],
         entry=OURS, others=[replace(resource(POOL), uid="p", spec={"type": "dir"}, policy=IGNORE, digest="p")],
         remembered=[owned(POOL, "p", digest="p")]),
    Case("unless its document says that it may be", {**TWO, "onLoss": "recreate"}, [], [f"+ {DATA.name}: make"],
         entry=OURS),
    # Whose.
    Case("one that is there with the right size is used by its document", {"pool": "disks"}, [volume()], []),
    Case("a stranger's isn't changed", TWO, [volume()], [f"! {DATA.name} OwnedByOther"]),
    Case("nor taken for a machine's own disk", {"pool": "disks"}, [volume()], [f"! {DATA.name} OwnedByOther"],
         document={"parent": WEB}, others=[WANTED_WEB]),
    Case("unless its document says so", TWO, [volume()], [GROWN], policy=ADOPT),
    Case("or a machine of ours has it", TWO, [volume(), machine(WEB, "/disks/data.qcow2")], [GROWN],
         others=[WANTED_WEB]),
    Case("or has a snapshot of it", TWO,
         [volume(), volume(ABOVE, backing="/disks/data.qcow2"), machine(WEB, "/disks/data.snap1")], [GROWN],
         others=[WANTED_WEB]),
    Case("a stranger's machine proves nothing", TWO, [volume(), machine(SHOP, "/disks/data.qcow2", ours=False)],
         [f"! {DATA.name} OwnedByOther"]),
    Case("another branch's stays", TWO, [volume()], [f"!? {DATA.name} ScopeChanged"],
         entry=owned(DATA, "", facts={Fact.SCOPE.value: TEST.to_text()})),
    # Grown.
    Case("one that is as declared is left alone", {"pool": "disks", "capacity": "1GiB"}, [volume()], [], entry=OURS),
    Case("it grows", TWO, [volume()], [GROWN], entry=OURS),
    Case("also in the guest that has it open", TWO,
         [volume(), machine(SHOP, "/disks/data.qcow2", running=True, ours=False)],
         [f"{GROWN} in shop vdb"], entry=OURS),
    Case("by pool and name, too", TWO,
         [volume(), machine(SHOP, "data.qcow2", running=True, ours=False, where="volume")],
         [f"{GROWN} in shop vdb"], entry=OURS),
    Case("in none that is off", TWO, [volume(), machine(SHOP, "/disks/data.qcow2", ours=False)], [GROWN], entry=OURS),
    Case("it never shrinks", {"pool": "disks", "capacity": "1GiB"}, [volume(gib=2)], [f"! {DATA.name} ShrinkRefused"],
         entry=OURS),
    Case("and is never rewritten in another format", {"pool": "disks", "format": "raw"}, [volume()],
         [f"! {DATA.name} ChangeRefused"], entry=OURS),
    Case("not over a connection that can't", TWO, [volume()], [f"! {DATA.name} Unsupported"], entry=OURS, features=()),
    Case("a machine's own disk doesn't below a snapshot", TWO, [volume(), volume(ABOVE, backing="/disks/data.qcow2")],
         [f"! {DATA.name} InUse"], entry=replace(OURS, parent=WEB), document={"parent": WEB}, others=[WANTED_WEB]),
    Case("one of its own document does", TWO, [volume(), volume(ABOVE, backing="/disks/data.qcow2")], [GROWN],
         entry=OURS),
    # Drift.
    Case("what was changed by hand is put back", TWO, [volume()], [GROWN], entry=AS_APPLIED),
    Case("or only told", TWO, [volume()], [f"≠ {DATA.name} /capacity"], entry=AS_APPLIED, policy=WARN),
    Case("or nothing", TWO, [volume()], [], entry=AS_APPLIED, policy=IGNORE),
    Case("an edit is made all the same", TWO, [volume()], [GROWN], entry=OURS, policy=WARN),
    # Seeds, which are named by their content.
    Case("a seed is made of its content", {}, [], [f"+ {DATA.name}: make"], document=SEED, others=[WANTED_WEB]),
    Case("one that was finished is right", {}, [SEED_THERE], [], entry=replace(OURS, seed=True, parent=WEB),
         document=SEED, others=[WANTED_WEB]),
    Case("or that a machine has", {}, [SEED_THERE, machine(SHOP, "/disks/data.qcow2", ours=False)], [],
         document=SEED, others=[WANTED_WEB]),
    Case("whatever libvirt takes its bytes for", {}, [volume(kind="qcow2")], [],
         entry=replace(OURS, seed=True, parent=WEB), document=SEED, others=[WANTED_WEB]),
    Case("one that nobody remembers finishing is made again", {}, [SEED_THERE], [f"∓ {DATA.name}: delete, make"],
         document=SEED, others=[WANTED_WEB]),
    # Machines that went to another host.
    Case("what a machine that went away has isn't grown", TWO, [volume(), machine(WEB, "/disks/data.qcow2")],
         [f"! {DATA.name} Migrated"], entry=OURS, others=[WANTED_WEB],
         remembered=[Owned(WEB, "u-web", facts={Fact.LAST_RUN: MIGRATED_AWAY})]),
    Case("nor made again", TWO, [], [f"! {DATA.name} Migrated"], entry=replace(OURS, parent=WEB),
         remembered=[Owned(WEB, "u-web", facts={Fact.LAST_RUN: MIGRATED_AWAY})]),
    Case("but what needs nothing is nobody's trouble", {"pool": "disks"}, [volume()], [],
         entry=replace(OURS, parent=WEB), remembered=[Owned(WEB, "u-web", facts={Fact.LAST_RUN: MIGRATED_AWAY})]),
]  # fmt: skip


def of_volumes_and_pools(plan: Plan) -> list[str]:
    machines = {WEB.name, SHOP.name}
    return [line for line in in_words(plan) if line.split()[1].rstrip(":") not in machines]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_what_is_done_about_a_volume(case: Case) -> None:
    assert of_volumes_and_pools(planned(case)) == list(case.plan)


def case(spec: Mapping[str, Any], there: Sequence[Observed] = (), **more: Any) -> Plan:
    return planned(Case("", spec, there, [], **more))


def made(plan: Plan) -> CreateVolume:
    return next(each for step in plan.steps for each in step.operations if isinstance(each, CreateVolume))


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (
            case({"pool": "disks", "capacity": "1GiB"}, [volume(gib=2)], entry=OURS),
            f"StorageVolume/disks/data.qcow2: capacity can't go from {2 * GIB} to {GIB}: shrinking would cut off data; "
            f"declare at least {2 * GIB}",
        ),
        (
            case({"pool": "disks", "format": "raw"}, [volume()], entry=OURS),
            "StorageVolume/disks/data.qcow2: format can't go from qcow2 to raw while the volume exists; declare a new "
            "volume and copy what is in this one",
        ),
    ],
)
def test_a_refusal_says_what_can_be_done_and_is_not_applied(plan: Plan, message: str) -> None:
    [blocked] = plan.blocked
    assert (blocked.message, blocked.path, blocked.line) == (message, "it.yaml", 1)
    [record] = plan.records
    assert record.facts[Fact.DIGEST] == "d0"


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (case(TWO), "declared, and not on the host"),
        (case(TWO, document={"parent": WEB}, others=[WANTED_WEB]), "a disk of VirtualMachine/web"),
        (case({**TWO, "onLoss": "recreate"}, entry=OURS), "it was lost, and is made anew: onLoss: recreate says so"),
        (case(TWO, [volume()], entry=OURS), "its document changed"),
        (case(TWO, [volume()], entry=AS_APPLIED), "changed on the host since it was last applied"),
        (
            case({}, [SEED_THERE], document=SEED, others=[WANTED_WEB]),
            "it may be half-made: a disk of VirtualMachine/web that nobody remembers or uses",
        ),
    ],
)
def test_a_step_says_why(plan: Plan, why: str) -> None:
    [step] = [each for each in plan.steps if each.ref == DATA]
    assert step.why == why
    assert (step.path, step.line) == ("it.yaml", 1)
    assert step.drift == why.startswith("changed on the host")
    assert step.owned is not None


def test_a_seed_has_its_own_size_and_bytes() -> None:
    made_of = made(case({}, document=SEED, others=[WANTED_WEB]))
    assert made_of.content == b"seed"
    assert parse(made_of.xml).findtext("capacity") == "4"
    empty = parse(made(case(TWO)).xml).find("capacity")
    assert (empty.text, empty.get("unit")) == (str(2 * GIB), "bytes")  # type: ignore[union-attr]


def test_a_download_is_asked_for_with_its_sum_and_what_it_is_taken_for_is_remembered() -> None:
    source = {"url": "https://images.example/debian.iso", "sha256": "ab" * 32}
    spec = {"pool": "disks", "source": source}
    operation = made(case(spec))
    assert (operation.url, operation.sha256, operation.content) == (source["url"], source["sha256"], None)
    [step] = case(spec).steps
    assert step.owned is not None
    assert step.owned.facts[Fact.FORMAT] == "raw"
    for other in ({**spec, "format": "qcow2"}, TWO):
        [step] = case(other).steps
        assert step.owned is not None
        assert Fact.FORMAT not in step.owned.facts
    outside = case({**spec, "pool": "disks"}, pool_paths={})
    assert all(step.owned is not None and Fact.FORMAT not in step.owned.facts for step in outside.steps)
    known = owned(DATA, "", digest=APPLIED, facts={Fact.FORMAT.value: "raw"})
    [record] = case(spec, [volume(kind="raw")], entry=known).records
    assert record.facts[Fact.FORMAT] == "raw"


def test_how_often_it_was_made_again_is_counted_and_kept() -> None:
    again = {**TWO, "onLoss": "recreate"}
    [first] = case(again, entry=OURS).steps
    assert first.owned is not None
    assert first.owned.facts[Fact.REMADE] == "1"
    [second] = case(again, entry=first.owned).steps
    assert second.owned is not None
    assert second.owned.facts[Fact.REMADE] == "2"
    [grown] = case(TWO, [volume()], entry=second.owned).steps
    assert grown.owned is not None
    assert grown.owned.facts[Fact.REMADE] == "2"


def test_whose_bytes_they_are_stays_known() -> None:
    def created(plan: Plan) -> list[bool]:
        return [each.created for each in (*plan.records, *(step.owned for step in plan.steps if step.owned))]

    at_rest = {"pool": "disks", "capacity": "1GiB"}
    assert created(case(at_rest, [volume()], entry=OURS)) == [True]
    assert created(case(at_rest, [volume()], entry=replace(OURS, created=False))) == [False]
    assert created(case(at_rest, [volume()])) == [False]
    assert created(case(TWO)) == [True]


def test_a_file_that_lies_above_is_named_with_the_remedy() -> None:
    [blocked] = case(
        TWO, [volume(), volume(ABOVE, backing="/disks/data.qcow2")], entry=replace(OURS, parent=WEB),
        document={"parent": WEB}, others=[WANTED_WEB],
    ).blocked[:1]  # fmt: skip
    assert "lies above it, /disks/data.snap1, for its machine would see nothing of it" in blocked.message


def test_the_size_to_grow_to_is_the_declared_one() -> None:
    [step] = case(TWO, [volume()], entry=OURS).steps
    assert step.operations == (GrowVolume(DATA, 2 * GIB),)
    assert [(change.pointer, change.old, change.new) for change in step.changes] == [("/capacity", GIB, 2 * GIB)]
    assert step.action is Action.UPDATE


def test_a_volume_that_is_only_just_being_made_is_nobody_elses() -> None:
    """The host shows it before the ledger says whose it is; once nobody is at work, silence would hide a conflict."""
    disk = replace(resource(DATA), spec=TWO, parent=WEB)
    desired = DesiredState(REVISION, REPOSITORY, {DATA: disk})
    planner, seen = Planner(), Snapshot(1, Host(pool_paths={"disks": "/disks"}), {POOL: pool(), DATA: volume()})

    def told(moving: frozenset[Ref]) -> list[str]:
        return [
            each.reason for each in planner.plan(desired, seen, {}, frozenset(), PlanOptions(moving=moving)).blocked
        ]

    assert told(frozenset({DATA})) == []
    assert told(frozenset()) == ["OwnedByOther"]
    assert told(frozenset({DATA})) == []
