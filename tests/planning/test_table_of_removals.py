"""What leaves a host, and what stays although nobody declares it: (there, remembered, documents) -> the removals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from reconciler.desired.identity import object_uid
from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.context import Context
from reconciler.planning.gathered import Gathered
from reconciler.planning.guards import removal_digest
from reconciler.planning.operations import Define
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Step
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.prune import contained_removals, forgotten, removals
from reconciler.planning.scopes import move_digest
from reconciler.planning.storagevolume.trash import Trashed, emptied
from reconciler.planning.virtualmachine.power import MIGRATED_AWAY
from reconciler.source.tree import Unread
from specs.host import Host, VolumeSource
from specs.mark import Mark
from specs.reference import STORAGE_POOL, Ref
from specs.scope import Scope
from tests.planning.plan_in_words import blocked_in_words, step_in_words
from tests.planning.values import REPOSITORY, REVISION, network, resource, step, vm

WEB, SHOP, LAN, POOL = vm("web"), vm("shop"), network("lan"), Ref(STORAGE_POOL, "disks")
DATA, SEED = Ref.volume("disks", "data.qcow2"), Ref.volume("disks", "web-seed")
NEIGHBOURS = tuple(vm(f"m{number}") for number in range(12))  # of ours, declared: one removal is one of many
HERE = Scope(REPOSITORY, "main", "")
ELSEWHERE = Scope(REPOSITORY, "test", "")
OF_TEST = {Fact.SCOPE: ELSEWHERE.to_text()}
OURS = Mark(REPOSITORY, "web", branch="main", path="")
DAY_S = 24 * 3600.0
NOW = 100 * DAY_S


def machine(ref: Ref, *sources: str, live: Sequence[str] | None = None, **more: Any) -> Observed:
    """A machine with disks at these paths, and a card in the network lan for `lan`; it runs with those of `live`."""

    def xml(each: Sequence[str]) -> str:
        devices = "".join(
            "<interface type='network'><source network='lan'/></interface>"
            if source == "lan"
            else f"<disk type='file' device='disk'><source file='{source}'/><target dev='vda'/></disk>"
            for source in each
        )
        return f"<domain type='test'><name>{ref.name}</name><devices>{devices}</devices></domain>"

    running = live is not None
    state = {"live_xml": xml(live or ()), "state": "running"} if running else {"state": "shutoff"}
    return Observed(ref, more.pop("uid", f"uid of {ref.name}"), xml(sources), **{**state, **more})


def volume(ref: Ref) -> Observed:
    return Observed(ref, "", "<volume/>", details={"path": f"/disks/{ref.short_name}"})


def lan(**more: Any) -> Observed:
    return Observed(LAN, "uid of lan", "<network/>", **more)


def pool(**more: Any) -> Observed:
    return Observed(POOL, "uid of disks", "<pool/>", **more)


def entry(ref: Ref, **more: Any) -> Owned:
    uid = "" if ref.pool else f"uid of {ref.name}"
    return Owned(ref, uid, **{"path": f"{ref.short_name}.yaml", **more})


WEB_GONE = entry(WEB)
DATA_GONE = entry(DATA, deletion="Delete")
SEED_GONE = entry(SEED, seed=True, parent=WEB)
IN_TRASH = replace(DATA_GONE, facts={Fact.TRASHED: str(int(NOW - DAY_S))})
DELETED = f"- {DATA.name}: delete"


@dataclass(frozen=True)
class Case:
    """`says` is the rule. Everything of `there` and `remembered` is undeclared unless `declared` has it."""

    says: str
    there: Sequence[Observed]
    remembered: Sequence[Owned]
    leaves: Sequence[str] = ()
    note: str = ""  # what one of the notes says; empty when there is none
    declared: Sequence[Resource] = ()
    documents: Mapping[str, Any] = field(default_factory=dict)  # more of the desired state
    options: Mapping[str, Any] = field(default_factory=dict)
    suspended: Sequence[Ref] = ()
    parting: Sequence[Ref] = ()  # machines whose step leaves them without any device
    alone: bool = False  # without the neighbours


def context_of(case: Case) -> Context:
    neighbours = () if case.alone else NEIGHBOURS
    resources = {each.ref: each for each in (*case.declared, *map(resource, neighbours))}
    objects = {each.ref: each for each in (*case.there, *map(machine, neighbours))}
    volumes = {ref: VolumeSource(seen.details["path"]) for ref, seen in objects.items() if ref.pool}
    owned = {each.ref: each for each in (*case.remembered, *map(entry, neighbours))}
    desired = DesiredState(REVISION, REPOSITORY, resources, where=HERE)
    return Gathered(
        replace(desired, **case.documents),
        Snapshot(1, Host(volumes=volumes), objects),
        owned,
        frozenset(case.suspended),
        PlanOptions(**{"now": NOW, "trash_retention_s": 0.0, **case.options}),
    )


CASES = [
    # What goes, and how.
    Case("a machine whose document is gone is undefined", [machine(WEB)], [WEB_GONE], ["- web: undefine"]),
    Case("one that runs is stopped first", [machine(WEB, live=[])], [WEB_GONE], ["- web: stop, undefine"]),
    Case(
        "by force only when its document said so", [machine(WEB, live=[])],
        [entry(WEB, facts={Fact.FORCE_STOP: "yes"})], ["- web: stop by force, undefine"],
    ),
    Case("a network is stopped and undefined", [lan(state="active")], [entry(LAN)], ["- lan: stop, undefine"]),
    Case("a pool that is off is undefined", [pool()], [entry(POOL)], ["- disks: undefine"]),
    Case(
        "one that somebody renamed goes by the name that it has", [machine(SHOP, uid="uid of web")],
        [WEB_GONE], ["- web: undefine"],
    ),
    Case("what is gone already needs no step", [], [WEB_GONE]),
    # Volumes.
    Case("a volume goes when its document said Delete", [volume(DATA)], [DATA_GONE], [DELETED]),
    Case("it stays when that said Retain", [volume(DATA)], [entry(DATA)]),
    Case("it stays when onggi took it over", [volume(DATA)], [replace(DATA_GONE, created=False)]),
    Case("a seed goes, whatever was said", [volume(SEED)], [replace(SEED_GONE, created=False)],
         [f"- {SEED.name}: delete"]),
    # The trash.
    Case(
        "a removed volume goes into the trash for its time", [volume(DATA)], [DATA_GONE], [f"~ {DATA.name}: trash"],
        options={"trash_retention_s": 7 * DAY_S},
    ),
    Case("it stays there until then", [volume(DATA)], [IN_TRASH], options={"trash_retention_s": 7 * DAY_S}),
    Case("it is deleted after it", [volume(DATA)], [IN_TRASH], [DELETED], options={"trash_retention_s": DAY_S}),
    Case("or when the trash is switched off meanwhile", [volume(DATA)], [IN_TRASH], [DELETED]),
    Case(
        "or when somebody empties it", [volume(DATA)], [IN_TRASH], [DELETED],
        options={"trash_retention_s": 7 * DAY_S, "approved": frozenset({emptied(Trashed(DATA, NOW - DAY_S, 0))})},
    ),
    Case(
        "emptying what went there earlier doesn't count for it", [volume(DATA)], [IN_TRASH],
        options={"trash_retention_s": 7 * DAY_S, "approved": frozenset({emptied(Trashed(DATA, NOW - 9 * DAY_S, 0))})},
    ),
    Case(
        "a seed never lies in the trash", [volume(SEED)], [SEED_GONE], [f"- {SEED.name}: delete"],
        options={"trash_retention_s": 7 * DAY_S},
    ),
    # Users.
    Case("a network stays while a machine uses it", [lan(), machine(SHOP, "lan")], [entry(LAN)], ["! lan InUse"]),
    Case(
        "also when only the running one does", [lan(), machine(SHOP, live=["lan"])], [entry(LAN)], ["! lan InUse"],
    ),
    Case("a pool stays while a disk lies in it", [pool(), volume(DATA), machine(SHOP, "/disks/data.qcow2")],
         [entry(POOL)], ["! disks InUse"]),
    Case("a volume stays while a machine has it", [volume(DATA), machine(SHOP, "/disks/data.qcow2")],
         [DATA_GONE], [f"! {DATA.name} InUse"]),
    Case("it goes with the machine that goes", [volume(DATA), machine(WEB, "/disks/data.qcow2")],
         [DATA_GONE, WEB_GONE], [DELETED, "- web: undefine"]),
    Case("and with one that lets go of it in the same plan", [lan(), machine(SHOP, "lan")], [entry(LAN)],
         ["- lan: undefine"], parting=[SHOP]),
    Case("but not while that one runs", [lan(), machine(SHOP, "lan", live=["lan"])], [entry(LAN)],
         ["! lan InUse"], parting=[SHOP]),
    Case("a seed that is used is only told of", [volume(SEED), machine(WEB, "/disks/web-seed")], [SEED_GONE],
         note=f"{SEED} is deleted as soon as no machine has it"),
    Case("by whomever", [volume(SEED), machine(SHOP, "/disks/web-seed")], [SEED_GONE],
         note=f"{SEED} is deleted as soon as no machine has it"),
    Case("what keeps a machine's own disk is told with the machine", [volume(DATA), machine(WEB, "/disks/data.qcow2")],
         [replace(DATA_GONE, parent=WEB)], declared=[resource(WEB)]),
    # Nobody's word.
    Case("a protected one stays", [machine(WEB)], [entry(WEB, facts={Fact.PROTECT: "yes"})], ["! web Protected"]),
    Case("one that went to another host stays until somebody says so", [machine(WEB)],
         [entry(WEB, facts={Fact.LAST_RUN: MIGRATED_AWAY})], ["!? web Migrated"]),
    Case("and so do the disks that it may use there", [machine(WEB), volume(DATA)],
         [entry(WEB, facts={Fact.LAST_RUN: MIGRATED_AWAY}), replace(DATA_GONE, parent=WEB)], ["!? web Migrated"]),
    Case("what onggi only observes stays", [machine(WEB)], [entry(WEB, facts={Fact.OBSERVE: "yes"})]),
    Case("what is suspended stays", [machine(WEB)], [WEB_GONE], suspended=[WEB]),
    Case("also under another name", [machine(SHOP, uid="uid of web")], [WEB_GONE], suspended=[SHOP]),
    Case("or under the one that its document gave it", [machine(SHOP, uid="uid of web")], [WEB_GONE], suspended=[WEB]),
    Case("with its disks", [machine(WEB), volume(DATA)], [replace(DATA_GONE, parent=WEB)], suspended=[WEB]),
    # Documents that say nothing.
    Case("nothing goes while the source is empty", [machine(WEB)], [WEB_GONE],
         note=f"without them, {WEB} would be", documents={"prunable": False}),
    Case("of many that would go five are named", [machine(vm(f"x{n}")) for n in range(7)],
         [entry(vm(f"x{n}")) for n in range(7)], note="VirtualMachine/x4 and 2 more would be",
         documents={"prunable": False}),
    Case("what has a broken document stays", [machine(WEB)], [WEB_GONE], documents={"held": frozenset({WEB})}),
    Case("with its disks", [volume(DATA)], [replace(DATA_GONE, parent=WEB)], documents={"held": frozenset({WEB})}),
    Case("what has an unreadable file stays", [machine(WEB)], [WEB_GONE],
         documents={"held_paths": frozenset({"web.yaml"})}),
    Case("what lay in an unreadable folder stays", [machine(WEB)], [entry(WEB, path="prod/web.yaml")],
         documents={"held_paths": frozenset({"prod"})}),
    Case("beside one it goes", [machine(WEB)], [entry(WEB, path="production/web.yaml")], ["- web: undefine"],
         documents={"held_paths": frozenset({"prod"})}),
    Case("of which nobody knows the file stays while any can't be read", [machine(WEB)], [entry(WEB, path="")],
         documents={"held_paths": frozenset({"other.yaml"})}),
    Case("or while any document is broken", [machine(WEB)], [entry(WEB, path="")],
         documents={"held": frozenset({SHOP})}),
    Case("whose file was emptied stays and is told", [machine(WEB)], [WEB_GONE], ["! web FileEmptied"],
         documents={"emptied": frozenset({"web.yaml"})}),
    Case("its disk stays too, and is told with the machine", [volume(DATA)],
         [replace(DATA_GONE, parent=WEB, path="web.yaml")], documents={"emptied": frozenset({"web.yaml"})}),
    Case("whose file isn't read any more stays and is told once", [machine(WEB)], [WEB_GONE], ["! web FileNotRead"],
         note="web.yaml.bak isn't read", documents={"unread": (Unread("web.yaml.bak"),)}),
    # Whose it is.
    Case("what nobody remembers and nothing marks is a stranger's", [machine(WEB)], []),
    Case("what our mark says is ours, although nobody remembers it", [machine(WEB, mark=OURS)],
         [], ["- web: undefine"]),
    Case("another repository's mark says that it isn't", [machine(WEB, mark=replace(OURS, repository_id="other"))], []),
    Case("a mark that doesn't say which branch isn't proof enough", [machine(WEB, mark=Mark(REPOSITORY, "web"))], []),
    Case("that of another branch says that it isn't", [machine(WEB, mark=replace(OURS, branch="test"))], []),
    Case("a marked one that somebody renamed is known by the UUID that only its document gives",
         [machine(SHOP, uid=object_uid(REPOSITORY, WEB, ""), mark=OURS)], [], ["- web: undefine"]),
    Case("a copy with our mark and another UUID is a stranger's",
         [machine(SHOP, mark=OURS)], []),
    Case("what another branch has is left alone and told", [machine(WEB)],
         [entry(WEB, facts=OF_TEST)], note="left alone: VirtualMachine/web in this state"),
    Case("its disk isn't told", [volume(DATA)], [replace(DATA_GONE, parent=WEB, facts=OF_TEST)]),
    Case("another one under the name stays", [machine(WEB, uid="another")], [WEB_GONE]),
    Case("what another document declares by its UUID stays", [machine(WEB)], [WEB_GONE],
         declared=[replace(resource(SHOP), uid="uid of web")]),
    Case("what is declared under the name that it has now stays", [machine(SHOP, uid="uid of web")], [WEB_GONE],
         declared=[resource(SHOP)]),
    Case("even where that can't be a rename, for both are there", [machine(WEB), machine(SHOP)], [WEB_GONE],
         declared=[replace(resource(SHOP), uid="uid of web")]),
    Case("what is remembered of a renamed one counts beside its mark",
         [machine(SHOP, uid=object_uid(REPOSITORY, WEB, ""), mark=OURS)],
         [replace(WEB_GONE, uid=object_uid(REPOSITORY, WEB, ""), facts={Fact.PROTECT: "yes"})], ["! web Protected"]),
    # Too much at once.
    Case("the last machine waits for a person's word", [machine(WEB)], [WEB_GONE], ["!? web NeedsApproval"],
         alone=True),
    Case("and with it the seed that it uses", [volume(SEED), machine(WEB, "/disks/web-seed")], [WEB_GONE, SEED_GONE],
         ["!? web NeedsApproval"], note=f"{SEED} is deleted as soon", alone=True),
    Case("a disk that it has waits with it", [volume(DATA), machine(WEB, "/disks/data.qcow2")], [DATA_GONE, WEB_GONE],
         ["!? web NeedsApproval", f"!? {DATA.name} NeedsApproval"], alone=True),
    Case("a seed that nobody uses goes all the same", [volume(SEED), machine(WEB)], [WEB_GONE, SEED_GONE],
         ["!? web NeedsApproval", f"- {SEED.name}: delete"], alone=True),
    Case("a client's order is a word", [machine(WEB)], [WEB_GONE], ["- web: undefine"],
         options={"ordered": frozenset({WEB})}, alone=True),
    Case("also for the disks of the machine that it names, whatever else waits",
         [machine(WEB), volume(DATA), machine(SHOP)], [WEB_GONE, replace(DATA_GONE, parent=WEB), entry(SHOP)],
         ["- web: undefine", DELETED, "!? shop NeedsApproval"], options={"ordered": frozenset({WEB})}, alone=True),
    Case("what was approved for this revision goes on", [machine(WEB)],
         [entry(WEB, facts={Fact.REMOVAL: str(REVISION)})], ["- web: undefine"], alone=True),
    Case("for an earlier one says nothing", [machine(WEB)],
         [entry(WEB, facts={Fact.REMOVAL: "main@sha1:1"})], ["!? web NeedsApproval"], alone=True),
    Case("what was found on the host waits", [machine(WEB)], [entry(WEB, facts={Fact.FOUND: "yes"})],
         ["!? web NeedsApproval"]),
    Case("what lies in the trash is no new loss", [volume(DATA)],
         [replace(IN_TRASH, facts={**IN_TRASH.facts, Fact.FOUND: "yes"})], [DELETED]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_what_leaves(case: Case) -> None:
    context = context_of(case)
    steps = {ref: parting_step(ref) for ref in case.parting}
    found = removals(context, steps)
    told = [each.blocked for each in found.assessments if each.blocked is not None]
    done = [each.step for each in found.assessments if each.step is not None]
    assert sorted([*map(step_in_words, done), *map(blocked_in_words, told)]) == sorted(case.leaves)
    assert bool(case.note) == bool(found.notes)
    assert not case.note or any(case.note in note for note in found.notes)


def parting_step(ref: Ref) -> Step:
    """What leaves a machine without any device."""
    return step(ref, Define(ref, "", machine(ref).xml), action=Action.UPDATE)


def test_a_removal_comes_after_what_used_it() -> None:
    case = Case("", [lan(), machine(SHOP, "lan"), machine(WEB, "lan")], [entry(LAN), entry(SHOP), WEB_GONE])
    context = context_of(replace(case, options={"ordered": frozenset({LAN, SHOP, WEB})}))
    steps = {each.step.ref: each.step for each in removals(context, {}).assessments if each.step is not None}
    assert steps[LAN].after == {SHOP, WEB}
    assert steps[LAN].path == "lan.yaml"


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (Case("", [machine(WEB)], [WEB_GONE]), "its document is gone; its volumes stay"),
        (Case("", [machine(WEB)], [entry(WEB, deletion="Delete")]), "its document is gone"),
        (Case("", [lan()], [entry(LAN)]), "its document is gone"),
        (
            Case("", [machine(SHOP, uid="uid of web")], [entry(WEB, deletion="Delete")]),
            "its document is gone; it is called shop by now",
        ),
        (Case("", [volume(DATA)], [DATA_GONE]), "its document is gone and says deletionPolicy: Delete"),
        (
            Case("", [volume(DATA)], [IN_TRASH]),
            "its document is gone and says deletionPolicy: Delete; its time in the trash is over",
        ),
        (
            Case("", [volume(DATA)], [DATA_GONE], options={"trash_retention_s": 36 * 3600.0}),
            "its document is gone and says deletionPolicy: Delete; kept in the trash for 36 hours, and given back when "
            "a document asks for it again",
        ),
    ],
)
def test_a_removal_says_why(case: Case, why: str) -> None:
    [found] = removals(context_of(case), {}).assessments
    assert found.step is not None
    assert found.step.why == why


def test_the_ledger_holds_since_when_a_volume_lies_in_the_trash() -> None:
    [found] = removals(
        context_of(Case("", [volume(DATA)], [DATA_GONE], options={"trash_retention_s": 1.0})), {}
    ).assessments
    assert found.step is not None
    assert found.step.owned == replace(DATA_GONE, facts={Fact.TRASHED: str(int(NOW))})


# What the ledger has to hold before any of it is done, so that the rest goes on when less is left.
def test_many_removals_that_need_no_word_and_those_that_got_one_are_written_down_and_few_are_not() -> None:
    few, many = ([machine(vm(f"x{n}")) for n in range(count)] for count in (3, 4))
    neighbours = [resource(vm(f"y{n}")) for n in range(30)]
    large = Case("", [*many, *(machine(each.ref) for each in neighbours)],
                 [*map(entry, (each.ref for each in (*many, *neighbours)))], declared=neighbours)  # fmt: skip
    assert {each.ref for each in removals(context_of(large), {}).records} == {each.ref for each in many}
    small = replace(large, remembered=[each for each in large.remembered if each.ref != many[3].ref])
    assert len(removals(context_of(small), {}).assessments) == len(few)
    assert removals(context_of(small), {}).records == []


def test_one_that_got_its_word_is_written_down_with_the_revision_that_it_was_given_for() -> None:
    asked = Case("", [machine(WEB)], [WEB_GONE], alone=True)
    [held] = removals(context_of(asked), {}).assessments
    assert held.blocked is not None
    allowed = context_of(replace(asked, options={"approved": frozenset({held.blocked.digest})}))
    found = removals(allowed, {})
    assert [each.step is not None for each in found.assessments] == [True]
    assert found.records == [replace(WEB_GONE, facts={Fact.REMOVAL: str(REVISION)})]


@pytest.mark.parametrize(
    ("known", "options"), [({Fact.REMOVAL: str(REVISION)}, {}), ({}, {"ordered": frozenset({WEB})})]
)
def test_one_that_has_its_word_stays_written_down_until_it_is_gone(
    known: Mapping[str, str], options: Mapping[str, Any]
) -> None:
    case = Case("", [machine(WEB)], [entry(WEB, facts=known)], options=options, alone=True)
    assert removals(context_of(case), {}).records == [replace(WEB_GONE, facts={Fact.REMOVAL: str(REVISION)})]


def test_nothing_is_written_down_of_many_that_wait() -> None:
    many = [vm(f"x{number}") for number in range(4)]
    found = removals(context_of(Case("", [*map(machine, many)], [*map(entry, many)])), {})
    assert [each.blocked is not None for each in found.assessments] == [True] * 4
    assert found.records == []


def test_the_word_is_for_what_goes_and_as_it_is() -> None:
    from reconciler.planning.guards import Leaving

    def digest(*seen: Observed) -> str:
        context = context_of(Case("", seen, [WEB_GONE, entry(SHOP)]))
        return removal_digest([Leaving(entry(each.ref), each.ref, parting_step(each.ref)) for each in seen], context)

    web, shop = machine(WEB), machine(SHOP)
    same = digest(web, shop)
    assert digest(shop, web) == same
    others = {digest(web), digest(web, machine(SHOP, "/disks/data.qcow2")), digest(web, machine(SHOP, live=[])), same}
    assert len(others) == 4


def test_what_another_folder_had_goes_once_a_person_has_said_that_this_one_takes_over() -> None:
    theirs = Scope(REPOSITORY, "main", "vms")
    case = Case("", [machine(WEB)], [entry(WEB, facts={Fact.SCOPE: theirs.to_text()})])
    context = context_of(case)
    word = move_digest(theirs, context)
    [note] = removals(context, {}).notes
    assert f"if this one is to take them over: onggi approve {word}" in note
    moved = removals(context_of(replace(case, options={"approved": frozenset({word})})), {})
    assert [each.step.action for each in moved.assessments if each.step is not None] == [Action.DELETE]


def test_the_word_takes_over_nothing_that_would_not_be_declared_here() -> None:
    case = Case("", [machine(WEB)], [entry(WEB, facts=OF_TEST)])
    word = move_digest(ELSEWHERE, context_of(case))
    found = removals(context_of(replace(case, options={"approved": frozenset({word})})), {})
    assert found.assessments == []
    assert "onggi approve" not in found.notes[0]


class Broken(dict[str, Any]):
    """The facts of an entry that nothing can be decided by."""

    def get(self, key: str, default: Any = None) -> Any:
        raise ValueError("broken")

    def __contains__(self, key: object) -> bool:
        raise ValueError("broken")


def test_what_cannot_be_decided_of_one_is_told_of_that_one_and_the_others_leave() -> None:
    context = context_of(Case("", [machine(WEB), machine(SHOP)], [entry(WEB, facts=Broken()), entry(SHOP)]))
    found = removals(context, {})
    said = {each.blocked.ref: each.blocked.reason for each in found.assessments if each.blocked is not None}
    assert said == {WEB: "InternalError"}
    assert [each.step.ref for each in found.assessments if each.step is not None] == [SHOP]
    assert context.owned[WEB].path == next(each.blocked.path for each in found.assessments if each.blocked)


def test_of_which_cannot_be_told_how_to_stop_it_stays() -> None:
    seen = machine(WEB, live=[])
    found = removals(context_of(Case("", [seen], [entry(WEB, facts={Fact.SHUTDOWN_TIMEOUT: "soon"})])), {})
    assert [each.blocked.reason for each in found.assessments if each.blocked is not None] == ["InternalError"]


def test_where_the_whole_decision_fails_nothing_leaves() -> None:
    context = context_of(Case("", [machine(WEB)], [WEB_GONE]))
    assert contained_removals(context, {}) == removals(context, {})
    broken = replace(context, desired=replace(context.desired, resources=None))  # type: ignore[arg-type]
    found = contained_removals(broken, {})
    assert (found.assessments, found.records) == ([], [])
    assert found.notes[0].startswith("nothing is removed: ")


FORGOTTEN = [
    Case("what is gone from the host and the documents", [], [WEB_GONE], ["web"]),
    Case("what is there isn't", [machine(WEB)], [WEB_GONE]),
    Case("also under another name", [machine(SHOP, uid="uid of web")], [WEB_GONE]),
    Case("unless that is declared, and has an entry of its own", [machine(SHOP, uid="uid of web")], [WEB_GONE],
         ["web"], declared=[resource(SHOP)]),
    Case("what was only observed is nobody's again", [machine(WEB)], [entry(WEB, facts={Fact.OBSERVE: "yes"})],
         ["web"]),
    Case("what is declared isn't", [], [WEB_GONE], declared=[resource(WEB)]),
    Case("nothing is, while the source is empty", [], [WEB_GONE], documents={"prunable": False}),
    Case("what has a broken document isn't", [], [WEB_GONE], documents={"held": frozenset({WEB})}),
    Case("nor has its machine", [pool(state="active")], [replace(DATA_GONE, parent=WEB)],
         documents={"held": frozenset({WEB})}),
    Case("what has an unreadable file isn't", [], [WEB_GONE], documents={"held_paths": frozenset({"web.yaml"})}),
    Case("whose file was emptied isn't", [], [WEB_GONE], documents={"emptied": frozenset({"web.yaml"})}),
    Case("what is suspended isn't", [], [WEB_GONE], suspended=[WEB]),
    Case("what another branch has isn't", [], [entry(WEB, facts=OF_TEST)]),
    Case("what went to another host isn't, for its disks", [], [entry(WEB, facts={Fact.LAST_RUN: MIGRATED_AWAY})]),
    Case("a volume in a pool that is looked into", [pool(state="active")], [DATA_GONE], [DATA.name]),
    Case("in one that is off isn't", [pool()], [DATA_GONE]),
    Case("in one that isn't there isn't", [], [DATA_GONE]),
]  # fmt: skip


@pytest.mark.parametrize("case", FORGOTTEN, ids=lambda case: case.says)
def test_what_the_ledger_forgets(case: Case) -> None:
    assert [ref.name for ref in forgotten(context_of(case))] == list(case.leaves)


def test_what_could_never_be_read_is_not_forgotten() -> None:
    context = context_of(Case("", [], [WEB_GONE]))
    assert forgotten(replace(context, snapshot=replace(context.snapshot, unseen=frozenset({WEB})))) == []
