"""A proposed change, read as it would be once merged: from git objects, with nothing of it run or checked out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.confined.process import Limits
from reconciler.errors import Cancelled, Conflict, SourceError, Transient
from reconciler.source.proposed import ProposedChanges
from tests.source.repositories import WorkTree, git, network

REF = "refs/pull/1/head"


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    tree = WorkTree(tmp_path / "work")
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(tree.path, "remote", "add", "origin", str(tmp_path / "remote.git"))
    return tree


@pytest.fixture
def changes(tmp_path: Path) -> Iterator[ProposedChanges]:
    changes = ProposedChanges(f"file://{tmp_path}/remote.git", path="", state_dir=tmp_path / "state")
    yield changes
    changes.close()


def push(tree: WorkTree, reference: str = "refs/heads/main") -> None:
    git(tree.path, "push", "--quiet", "--force", "origin", f"HEAD:{reference}")


def propose(tree: WorkTree, files: dict[str, str | bytes | None], *, start: str) -> str:
    git(tree.path, "checkout", "--quiet", "--detach", start)
    head = tree.commit(files)
    push(tree, REF)
    git(tree.path, "checkout", "--quiet", "main")
    return head


def test_it_is_read_as_it_would_be_once_merged(tree: WorkTree, changes: ProposedChanges) -> None:
    base = tree.commit({"a.yaml": network("a")})
    head = propose(tree, {"proposed.yaml": network("p")}, start=base)
    tree.commit({"later.yaml": network("later")})
    push(tree)
    found = changes.merged("main", REF, head)
    assert [file.path for file in found.files] == ["a.yaml", "later.yaml", "proposed.yaml"]
    assert changes.merged("main", REF, head).revision == found.revision  # the same two give the same one


def test_a_text_that_no_document_can_be_is_refused_before_it_is_merged(
    tree: WorkTree, changes: ProposedChanges
) -> None:
    lines = [f"# {number}" for number in range(300)]
    base = tree.commit({"a.yaml": "\n".join(lines)})
    bomb = "".join(f"# {number % 1000} {number * 7919 % 1000003}\n" for number in range(100_000))
    head = propose(tree, {"a.yaml": bomb, "large.bin": bytes(3 << 20)}, start=base)
    tree.commit({"a.yaml": "\n".join([*lines[:5], "# another", *lines[6:]])})
    push(tree)
    with pytest.raises(
        Conflict, match=r"a\.yaml is changed by .* has \d+ bytes, more than the 1048576 that are merged"
    ):
        changes.merged("main", REF, head)
    head = propose(tree, {"large.bin": bytes(3 << 20), "b.yaml": network("b")}, start=base)
    assert [file.path for file in changes.merged("main", REF, head).files] == ["a.yaml", "b.yaml"]


def test_a_merge_that_takes_more_than_it_may_ends_with_its_child(
    tree: WorkTree, changes: ProposedChanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tree.commit({"a.yaml": network("a")})
    head = propose(tree, {"b.yaml": network("b")}, start=base)
    push(tree)
    monkeypatch.setattr(changes._merging._child, "_limits", Limits(patience_s=0.0))
    with pytest.raises(Conflict, match="merge its branch by hand"):
        changes.merged("main", REF, head)
    monkeypatch.setattr(changes._merging._child, "_limits", Limits())
    assert len(changes.merged("main", REF, head).files) == 2


def test_what_cant_be_merged_is_a_conflict(tree: WorkTree, changes: ProposedChanges) -> None:
    base = tree.commit({"a.yaml": network("a")})
    head = propose(tree, {"a.yaml": network("mine")}, start=base)
    tree.commit({"a.yaml": network("theirs")})
    push(tree)
    with pytest.raises(Conflict, match="can't be merged"):
        changes.merged("main", REF, head)


def test_a_proposal_that_moved_on_meanwhile_is_for_the_next_time(tree: WorkTree, changes: ProposedChanges) -> None:
    base = tree.commit({"a.yaml": network("a")})
    push(tree)
    propose(tree, {"b.yaml": network("b")}, start=base)
    with pytest.raises(Transient, match="newer commit"):
        changes.merged("main", REF, base)


def test_the_attributes_of_a_repository_run_nothing(tree: WorkTree, changes: ProposedChanges, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    base = tree.commit({"a.yaml": network("a"), ".gitattributes": "* merge=evil filter=evil\n"})
    head = propose(tree, {"a.yaml": network("mine")}, start=base)
    tree.commit({"b.yaml": network("b")})
    push(tree)
    git(tmp_path / "remote.git", "config", "merge.evil.driver", f"touch {ran}")
    git(tmp_path / "remote.git", "config", "filter.evil.smudge", f"touch {ran}")
    assert [file.path for file in changes.merged("main", REF, head).files] == ["a.yaml", "b.yaml"]
    assert not ran.exists()


def test_a_damaged_mirror_is_made_anew(tree: WorkTree, changes: ProposedChanges, tmp_path: Path) -> None:
    base = tree.commit({"a.yaml": network("a")})
    push(tree)
    head = propose(tree, {"b.yaml": network("b")}, start=base)
    changes.merged("main", REF, head)
    (mirror,) = (tmp_path / "state" / "mirrors").iterdir()
    assert mirror.stat().st_mode & 0o777 == 0o700
    (mirror / "HEAD").unlink()
    assert len(changes.merged("main", REF, head).files) == 2


@pytest.mark.parametrize(
    ("reference", "head"),
    [
        ("refs/heads/main", "0" * 40), ("--upload-pack=x", "0" * 40), ("refs/pull/1/head:refs/heads/x", "0" * 40),
        (REF, "main"), (REF, "-x"), ("refs/pull/../head", "0" * 40),
    ],
    ids=["a-branch", "an-option", "a-refspec", "no-commit", "an-option-as-commit", "dots"],
)  # fmt: skip
def test_what_no_forge_would_offer_is_not_asked_for(changes: ProposedChanges, reference: str, head: str) -> None:
    with pytest.raises(SourceError):
        changes.merged("main", reference, head)


def test_a_local_repository_has_no_proposals(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="remote"):
        ProposedChanges(str(tmp_path), path="", state_dir=tmp_path / "state")


def test_once_closed_nothing_is_fetched(tree: WorkTree, changes: ProposedChanges) -> None:
    tree.commit({"a.yaml": network("a")})
    changes.close()
    with pytest.raises(Cancelled):
        changes.merged("main", REF, "0" * 40)


def test_more_than_anybody_would_review_is_left_to_a_person(tree: WorkTree, changes: ProposedChanges) -> None:
    base = tree.commit({"a.yaml": network("a")})
    many = {f"{number}.yaml": f"# {number}\n" + "#" * 1_000_000 for number in range(5)}
    head = propose(tree, {**many, "image.bin": bytes(8 << 20)}, start=base)
    push(tree)
    with pytest.raises(Conflict, match=r"changes 5 contents .* plan it by hand"):
        changes.merged("main", REF, head)
