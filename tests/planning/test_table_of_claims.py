"""Whose an object is: (what the host says, what is remembered, what the document says) -> ours, adopted, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from reconciler.desired.identity import object_uid
from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.assessment import Assessment
from reconciler.planning.claim import (
    Claim,
    Refusal,
    blocked,
    claim,
    claim_volume,
    needs_no_mark_yet,
    scope_changed,
    taken_from,
)
from reconciler.planning.context import Context
from reconciler.planning.gathered import Gathered
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.scopes import elsewhere, in_scope, left_alone, move_digest, scope_of
from specs.host import Host
from specs.mark import Mark
from specs.reference import Ref
from specs.scope import Scope
from tests.planning.values import REPOSITORY, REVISION, network, resource, step, vm

WEB, LAN, DATA = vm("web"), network("lan"), Ref.volume("disks", "data.qcow2")
OTHER_REPOSITORY = "22222222-2222-3333-4444-555555555555"
UID = "00000000-0000-0000-0000-00000000000a"
DERIVED = object_uid(REPOSITORY, WEB, "")
HERE = Scope(REPOSITORY, "main", "vms")
TEST = Scope(REPOSITORY, "test", "vms")
OURS = Mark(REPOSITORY, "web", branch="main", path="vms")
OF_TEST = {Fact.SCOPE: TEST.to_text()}
OF_ANOTHER = {Fact.SCOPE: Scope(OTHER_REPOSITORY, "main", "vms").to_text()}
ADOPTING = Policy(adopt=True)
DERIVED_MACHINE, MEANT = (replace(resource(WEB), uid=uid) for uid in (DERIVED, UID))
APPLIED = Owned(WEB, UID)


@dataclass(frozen=True)
class Case:
    """The object is a stranger's machine, and nobody remembers it, unless a row says otherwise."""

    says: str
    answer: Claim | str | None  # a refusal by its reason; with a question mark when a person may say yes
    uid: str = UID  # on the host
    mark: Mark | None = None
    entry: Owned | None = None
    document: Resource = DERIVED_MACHINE
    ref: Ref = WEB  # as it is called on the host
    approved: bool = False  # that the present scope takes over from the branch test


def context_of(case: Case) -> tuple[Context, Observed]:
    seen = Observed(case.ref, "" if case.ref.pool else case.uid, "<domain/>", mark=case.mark)
    owned = {case.entry.ref: case.entry} if case.entry is not None else {}
    desired = DesiredState(REVISION, REPOSITORY, {case.document.ref: case.document}, where=HERE)
    context = Gathered(desired, Snapshot(1, Host(), {case.ref: seen}), owned)
    words = frozenset({move_digest(TEST, context)}) if case.approved else frozenset()
    return replace(context, options=PlanOptions(approved=words)), seen


def said(answer: Claim | Refusal | None) -> Claim | str | None:
    if not isinstance(answer, Refusal):
        return answer
    assert (f"onggi approve {answer.digest}" in answer.message) == bool(answer.digest)
    return f"{answer.reason}?" if answer.digest else answer.reason


CASES = [
    Case("a stranger's object under the declared name is never touched", "OwnedByOther"),
    # The mark.
    Case("it is ours by our mark", Claim.OURS, mark=OURS),
    Case("by a mark of before branches were said", Claim.OURS, mark=Mark(REPOSITORY, "web")),
    Case("by the mark of another name when the UUID is the declared one: it is being renamed", Claim.OURS,
         mark=replace(OURS, name="old"), document=MEANT),
    Case("the mark of another name alone says nothing", "OwnedByOther", mark=replace(OURS, name="old")),
    Case("another repository's mark says that it is theirs", "OwnedByOther",
         mark=replace(OURS, repository_id=OTHER_REPOSITORY)),
    Case("whatever the ledger says", "OwnedByOther", mark=replace(OURS, repository_id=OTHER_REPOSITORY), entry=APPLIED),
    Case("another branch's mark says that it is theirs", "ScopeChanged?", mark=replace(OURS, branch="test")),
    Case("or another folder's", "ScopeChanged?", mark=replace(OURS, path="other")),
    Case("which a person may have move here", Claim.MOVED, mark=replace(OURS, branch="test"), approved=True),
    Case("a word for one branch moves nothing of a third", "ScopeChanged?", mark=replace(OURS, branch="third"),
         approved=True),
    # The UUID.
    Case("it is ours by the UUID that only this repository gives", Claim.OURS, uid=DERIVED),
    Case("also where its document declares another one", Claim.OURS, uid=DERIVED, document=MEANT),
    Case("but not when another branch had it", "ScopeChanged?", uid=DERIVED,
         mark=replace(OURS, branch="test", name="x")),
    # The ledger.
    Case("it is ours by the ledger", Claim.OURS, entry=APPLIED),
    Case("that remembers another object of the name", "OwnedByOther", entry=Owned(WEB, "another")),
    Case("another branch has it by the ledger", "ScopeChanged?", entry=replace(APPLIED, facts=OF_TEST)),
    Case("which a person may have move here, too", Claim.MOVED, entry=replace(APPLIED, facts=OF_TEST), approved=True),
    Case("of another object of the name that says nothing", "OwnedByOther", entry=Owned(WEB, "another", facts=OF_TEST)),
    Case("another repository has it by the ledger", "OwnedByOther", entry=replace(APPLIED, facts=OF_ANOTHER)),
    # The document.
    Case("it is taken over when its document says so", Claim.ADOPT, document=replace(DERIVED_MACHINE, policy=ADOPTING)),
    Case("also from another repository", Claim.ADOPT, mark=replace(OURS, repository_id=OTHER_REPOSITORY),
         document=replace(DERIVED_MACHINE, policy=ADOPTING)),
    Case("by the UUID that its document says", Claim.ADOPT, document=replace(MEANT, policy=ADOPTING)),
    Case("but not another one of that name", "OwnedByOther",
         document=replace(MEANT, policy=ADOPTING, uid="00000000-0000-0000-0000-00000000000b")),
    Case("what is ours already isn't taken over", Claim.OURS, mark=OURS,
         document=replace(DERIVED_MACHINE, policy=ADOPTING)),
    Case("nor is what another branch of the repository has", "ScopeChanged?", mark=replace(OURS, branch="test"),
         document=replace(DERIVED_MACHINE, policy=ADOPTING)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_whose_an_object_is(case: Case) -> None:
    context, seen = context_of(case)
    assert said(claim(case.document, seen, context)) == case.answer


OURS_BY_LEDGER = Owned(DATA, "")
DISK = resource(DATA)
# Of a volume there is only the ledger; whether its bytes may be used at all is for the volume's own module.
VOLUMES = [
    Case("of which nobody says anything", None),
    Case("ours by the ledger", None, entry=replace(OURS_BY_LEDGER, facts={Fact.SCOPE: HERE.to_text()})),
    Case("of before branches were said", None, entry=OURS_BY_LEDGER),
    Case("another branch's", "ScopeChanged?", entry=replace(OURS_BY_LEDGER, facts=OF_TEST)),
    Case("another branch's, and a person has it move", None, entry=replace(OURS_BY_LEDGER, facts=OF_TEST),
         approved=True),
    Case("another branch's, though its document would adopt it", "ScopeChanged?",
         entry=replace(OURS_BY_LEDGER, facts=OF_TEST), document=replace(DISK, policy=ADOPTING)),
    Case("another repository's", "OwnedByOther", entry=replace(OURS_BY_LEDGER, facts=OF_ANOTHER)),
    Case("another repository's that is taken over", None, entry=replace(OURS_BY_LEDGER, facts=OF_ANOTHER),
         document=replace(DISK, policy=ADOPTING)),
]  # fmt: skip


@pytest.mark.parametrize("case", VOLUMES, ids=lambda case: case.says)
def test_whose_a_volume_is(case: Case) -> None:
    volume = replace(case, ref=DATA, document=case.document if case.document.ref == DATA else DISK)
    context, seen = context_of(volume)
    assert said(claim_volume(volume.document, seen, context)) == case.answer


@pytest.mark.parametrize(
    ("mark", "entry", "answer", "needed"),
    [
        (None, None, Claim.ADOPT, False),
        (None, replace(APPLIED, created=False), Claim.OURS, False),
        (None, APPLIED, Claim.OURS, True),
        (None, None, Claim.OURS, True),
        (OURS, None, Claim.ADOPT, True),
        (OURS, replace(APPLIED, created=False), Claim.OURS, True),
    ],
)
def test_adopting_writes_no_mark_until_something_else_changes(
    mark: Mark | None, entry: Owned | None, answer: Claim, needed: bool
) -> None:
    assert needs_no_mark_yet(Observed(WEB, UID, "<domain/>", mark=mark), entry, answer) is not needed


@pytest.mark.parametrize(
    ("mark", "whom"),
    [(None, ""), (OURS, ""), (replace(OURS, repository_id=OTHER_REPOSITORY), OTHER_REPOSITORY)],
)
def test_from_whom_it_is_taken(mark: Mark | None, whom: str) -> None:
    context, seen = context_of(Case("", None, mark=mark))
    assert taken_from(seen, context) == whom


def test_a_refusal_is_told_where_the_document_is_with_the_word_that_moves_it() -> None:
    document = replace(DERIVED_MACHINE, path="vms/web.yaml", line=7)
    context, _ = context_of(Case("", None, document=document))
    told = blocked(document, scope_changed(document, TEST, context))
    assert (told.ref, told.path, told.line, told.digest) == (WEB, "vms/web.yaml", 7, move_digest(TEST, context))
    assert "belongs to branch test, path vms, and what is read here is branch main, path vms;" in told.message


# The scope of an object by its mark and by the ledger.
@pytest.mark.parametrize(
    ("says", "seen", "entry", "scope"),
    [
        ("nobody says anything", None, None, None),
        ("of what is gone the ledger does", None, replace(APPLIED, facts=OF_TEST), TEST),
        ("of an object without a mark, too", Observed(WEB, UID, ""), replace(APPLIED, facts=OF_TEST), TEST),
        ("but not of another object", Observed(WEB, "another", ""), replace(APPLIED, facts=OF_TEST), None),
        ("the mark outranks it", Observed(WEB, UID, "", mark=OURS), replace(APPLIED, facts=OF_TEST), HERE),
        ("what the mark leaves out it fills in", Observed(WEB, UID, "", mark=Mark(REPOSITORY, "web")),
         replace(APPLIED, facts=OF_TEST), TEST),
        ("not what is another object's", Observed(WEB, "another", "", mark=Mark(REPOSITORY, "web")),
         replace(APPLIED, facts=OF_TEST), Scope(REPOSITORY)),
        ("not of another repository", Observed(WEB, UID, "", mark=Mark(OTHER_REPOSITORY, "web")),
         replace(APPLIED, facts=OF_TEST), Scope(OTHER_REPOSITORY)),
    ],
)  # fmt: skip
def test_where_the_document_of_an_object_is(
    says: str, seen: Observed | None, entry: Owned | None, scope: Scope | None
) -> None:
    assert scope_of(seen, entry) == scope, says
    context, _ = context_of(Case("", None))
    away = scope is not None and not scope.agrees(HERE)
    assert elsewhere(seen, entry, context) == (scope if away else None)


def test_a_word_moves_nothing_of_another_repository() -> None:
    theirs = Scope(OTHER_REPOSITORY, "test", "vms")
    context, _ = context_of(Case("", None))
    context = replace(context, options=PlanOptions(approved=frozenset({move_digest(theirs, context)})))
    assert elsewhere(None, replace(APPLIED, facts={Fact.SCOPE: theirs.to_text()}), context) == theirs


# What the ledger is to hold of where a document is.
def placed(ref: Ref, entry: Owned, known: Owned | None = None, seen: Observed | None = None) -> Mapping[str, str]:
    desired = DesiredState(REVISION, REPOSITORY, {}, where=HERE, blobs={"web.yaml": "b10b"})
    objects = {ref: seen} if seen is not None else {}
    context = Gathered(desired, Snapshot(1, Host(), objects), {ref: known} if known is not None else {})
    of_record = in_scope(Assessment(record=entry), context).record
    of_step = in_scope(Assessment(step=replace(step(ref), owned=entry)), context).step
    assert of_record is not None
    assert of_step is not None
    assert of_step.owned == of_record
    return of_record.facts


IN_PLACE = {Fact.SCOPE.value: HERE.to_text()}
FOUND = {Fact.FOUND.value: "yes"}


@pytest.mark.parametrize(
    ("says", "entry", "known", "seen", "facts"),
    [
        ("the folder", Owned(WEB, UID), None, None, {}),
        ("and the content of its file", Owned(WEB, UID, "web.yaml"), None, None, {Fact.BLOB.value: "b10b"}),
        ("beside what was known", Owned(WEB, UID, facts={"digest": "d"}), None, None, {"digest": "d"}),
        ("what was there before the state knew of it", Owned(LAN, UID), None, Observed(LAN, UID, ""), FOUND),
        ("not of what was known", Owned(LAN, UID), Owned(LAN, UID), Observed(LAN, UID, ""), {}),
        ("but as long as it was known so", Owned(LAN, UID), Owned(LAN, UID, facts=FOUND), None, FOUND),
        ("not of what is made now", Owned(LAN, UID), None, None, {}),
        ("not of what is taken over", Owned(LAN, UID, created=False), None, Observed(LAN, UID, ""), {}),
        ("not of a machine, which has a mark", Owned(WEB, UID), None, Observed(WEB, UID, ""), {}),
        ("not of what is marked", Owned(LAN, UID), None, Observed(LAN, UID, "", mark=OURS), {}),
        ("not of a volume, which has no UUID", Owned(DATA, ""), None, Observed(DATA, "", ""), {}),
    ],
)
def test_the_ledger_holds_where_the_document_is(
    says: str, entry: Owned, known: Owned | None, seen: Observed | None, facts: Mapping[str, Any]
) -> None:
    assert placed(entry.ref, entry, known, seen) == {**IN_PLACE, **facts}, says


def test_what_is_blocked_stays_with_whom_it_is() -> None:
    context, _ = context_of(Case("", None))
    for each in (Assessment(), Assessment(step=step(WEB))):
        assert in_scope(each, context) is each


def test_of_each_other_scope_is_told_once_with_the_word_that_moves_it_where_that_is_possible() -> None:
    inside = Scope(REPOSITORY, "main", "vms/shop")
    context, _ = context_of(Case("", None))
    disk, seed = Owned(DATA, "", parent=WEB), Owned(LAN, "", seed=True)
    others = [
        (Owned(vm("b"), ""), TEST),
        (Owned(vm("a"), ""), TEST),
        (Owned(WEB, ""), inside),
        (disk, TEST),
        (seed, TEST),
    ]
    of_inside, of_test = left_alone(others, context)
    assert of_test.startswith("left alone: VirtualMachine/a, VirtualMachine/b in this state belong to branch test")
    assert "onggi approve" not in of_test
    assert of_inside.startswith("left alone: VirtualMachine/web in this state belong to branch main, path vms/shop")
    assert of_inside.endswith(f"onggi approve {move_digest(inside, context)}")
