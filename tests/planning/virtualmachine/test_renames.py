"""What is found under another name than its document's, and whose doing that was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.state import DesiredState
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.context import Context
from reconciler.planning.gathered import Gathered
from reconciler.planning.ownership import Owned
from reconciler.planning.prune import removals
from specs.host import Host
from specs.mark import Mark
from specs.reference import Ref
from tests.planning.values import REPOSITORY, REVISION, resource, vm

WEB, NEW, FOUND, LAN = vm("web"), vm("new"), vm("found"), Ref("Network", "lan")
SCOPE = ("main", "")


def host_of(declared: Ref | None, present: Ref, mark: str | None, owned: Ref | None, uid: str = "u") -> Context:
    marked = Mark(REPOSITORY, mark, frozenset(), *SCOPE) if mark is not None else None
    objects = {present: Observed(present, uid, "<domain/>", mark=marked)}
    documents = [replace(resource(declared), uid="u")] if declared is not None else [resource(LAN)]
    desired = DesiredState(REVISION, REPOSITORY, {one.ref: one for one in documents})
    entries = {owned: Owned(owned, "u")} if owned is not None else {}
    return Gathered(desired, Snapshot(1, Host(), objects), entries)


@pytest.mark.parametrize(
    ("declared", "present", "mark", "owned", "by_hand"),
    [
        (NEW, WEB, "web", WEB, False),
        (NEW, WEB, "web", None, False),
        (WEB, FOUND, "web", WEB, True),
        (WEB, FOUND, "web", None, True),
        (WEB, FOUND, None, WEB, True),
        (NEW, WEB, None, WEB, False),
    ],
    ids=["document", "document-forgotten", "hand", "hand-forgotten", "hand-unmarked", "document-unmarked"],
)
def test_a_machine_is_found_by_its_uid_and_its_mark_tells_who_renamed_it(
    declared: Ref, present: Ref, mark: str | None, owned: Ref | None, by_hand: bool
) -> None:
    renames = host_of(declared, present, mark, owned).renames
    assert dict(renames.present) == {declared: present}
    assert renames.by_hand == ({declared} if by_hand else frozenset())
    assert renames.marked_name(present) == ("web" if by_hand else present.name)


def test_a_copy_that_somebody_made_with_the_mark_in_it_is_left_alone() -> None:
    context = host_of(None, FOUND, "web", None, uid="of the copy")
    assert not removals(context, {}).assessments
    assert not host_of(WEB, FOUND, "web", None, uid="of the copy").renames.present


def test_neither_a_seed_nor_a_disk_of_another_machine_follows() -> None:
    context = host_of(NEW, WEB, "web", WEB)
    disk, seed, other = (Ref.volume("default", name) for name in ("new-root", "new-seed", "db-root"))
    volumes = {
        disk: replace(resource(disk), parent=NEW),
        seed: replace(resource(seed), parent=NEW, content=b"data"),  # type: ignore[arg-type]
        other: replace(resource(other), parent=vm("db")),
    }
    desired = replace(context.desired, resources={**context.desired.resources, **volumes})
    formerly = Gathered(desired, context.snapshot, context.owned).renames.formerly
    assert dict(formerly) == {NEW: WEB, disk: Ref.volume("default", "web-root")}


def test_the_ledger_has_each_under_its_new_name_unless_both_are_taken() -> None:
    context = host_of(NEW, WEB, "web", WEB)
    assert {ref: entry.ref for ref, entry in context.renames.entries(context.owned, context.snapshot).items()} == {
        NEW: NEW
    }
    both = {**context.owned, NEW: Owned(NEW, "other")}
    assert context.renames.entries(both, context.snapshot) == {}
    assert context.renames.entries({}, context.snapshot) == {}
