"""Rolling back: a commit that brings an earlier revision back and loses nothing of anybody."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from reconciler.errors import Conflict, OnggiError, SourceError, Transient
from reconciler.source import rollback
from reconciler.source.rollback import PathChange, Rollback, roll_back
from tests.source.repositories import ENV, WorkTree, git
from tests.source.signing import ssh_signer


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    """Three revisions: `a` is 1, then 2 with a `b` beside it, then `b` is gone again and `c` new."""
    tree = WorkTree(tmp_path / "work")
    tree.commit({"a.yaml": "1\n"}, "First")
    tree.commit({"a.yaml": "2\n", "b/b.yaml": "b\n"}, "Second")
    tree.commit({"b/b.yaml": None, "c.yaml": "c\n"}, "Third")
    return tree


@pytest.fixture
def remote(tree: WorkTree, tmp_path: Path) -> str:
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(tree.path, "push", "--quiet", str(tmp_path / "remote.git"), "main")
    return f"file://{tmp_path}/remote.git"


def files(tree: WorkTree) -> dict[str, str]:
    return {
        str(path.relative_to(tree.path)): path.read_text()
        for path in sorted(tree.path.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


def same_tree(folder: Path, one: str, other: str) -> bool:
    return git(folder, "rev-parse", f"{one}^{{tree}}") == git(folder, "rev-parse", f"{other}^{{tree}}")


def test_the_revision_before_the_last_is_back_and_the_files_follow(tree: WorkTree) -> None:
    done = roll_back(str(tree.path))
    assert done.changes == (PathChange("added", "b/b.yaml"), PathChange("removed", "c.yaml"))
    assert files(tree) == {"a.yaml": "2\n", "b/b.yaml": "b\n"}
    assert git(tree.path, "rev-parse", "HEAD") == done.commit
    assert git(tree.path, "rev-parse", "HEAD^") == done.head
    assert same_tree(tree.path, "HEAD", done.restored)
    assert git(tree.path, "status", "--porcelain") == ""


def test_the_message_says_what_is_restored_and_who_asked(tree: WorkTree) -> None:
    done = roll_back(str(tree.path), to="HEAD~2")
    message = git(tree.path, "log", "-1", "--format=%B")
    assert message.startswith(f"Roll back to {done.restored[:12]}\n")
    assert done.restored in message
    assert "    First\n" in message
    assert git(tree.path, "log", "-1", "--format=%(trailers:only)") == "Onggi-Source: cli"
    assert git(tree.path, "log", "-1", "--format=%an <%ae>") == "Ada <ada@example.org>"


def test_rolling_back_twice_is_where_one_began(tree: WorkTree) -> None:
    before = files(tree)
    roll_back(str(tree.path))
    roll_back(str(tree.path))
    assert files(tree) == before


def test_a_dry_run_tells_and_changes_nothing(tree: WorkTree) -> None:
    before, head = files(tree), git(tree.path, "rev-parse", "HEAD")
    done = roll_back(str(tree.path), to="HEAD~2", dry_run=True)
    assert (done.commit, done.head, done.changes) == (
        "", head, (PathChange("changed", "a.yaml"), PathChange("removed", "c.yaml")),
    )  # fmt: skip
    assert (files(tree), git(tree.path, "rev-parse", "HEAD")) == (before, head)


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        ({"c.yaml": "edited\n"}, "c.yaml"),
        ({"b/b.yaml": "mine, not git's\n"}, "b/b.yaml"),
        ({"b": "a file where a folder will be\n"}, "b"),
    ],
    ids=["an edit", "an untracked file", "a file in a folder's place"],
)
def test_edits_that_nobody_committed_are_never_overwritten(
    edit: dict[str, str | bytes | None], named: str, tree: WorkTree
) -> None:
    if "b" in edit and (tree.path / "b").is_dir():
        (tree.path / "b").rmdir()
    tree.write(edit)
    before, head = files(tree), git(tree.path, "rev-parse", "HEAD")
    with pytest.raises(Conflict, match=rf"aren't committed in {named};"):
        roll_back(str(tree.path))
    assert (files(tree), git(tree.path, "rev-parse", "HEAD")) == (before, head)


def test_an_ignored_file_in_the_way_is_not_overwritten_either(tree: WorkTree) -> None:
    tree.commit({".gitignore": "/b/\n"})
    tree.write({"b/b.yaml": "a secret, kept out of git\n"})
    with pytest.raises(Conflict, match="b"):
        roll_back(str(tree.path), to="HEAD~2")
    assert (tree.path / "b/b.yaml").read_text() == "a secret, kept out of git\n"


def test_edits_elsewhere_stay_edits(tree: WorkTree) -> None:
    tree.write({"a.yaml": "edited\n", "new.yaml": "new\n"})
    git(tree.path, "add", "a.yaml")
    done = roll_back(str(tree.path))
    assert files(tree)["a.yaml"] == "edited\n"
    assert git(tree.path, "status", "--porcelain").splitlines() == ["M  a.yaml", "?? new.yaml"]
    assert same_tree(tree.path, "HEAD", done.restored)


def test_a_merge_that_is_under_way_is_finished_first(tree: WorkTree) -> None:
    git(tree.path, "checkout", "--quiet", "-b", "topic", "HEAD~1")
    tree.commit({"d.yaml": "d\n"})
    git(tree.path, "merge", "--quiet", "--no-commit", "--no-ff", "main")
    with pytest.raises(Conflict, match="A merge is under way"):
        roll_back(str(tree.path))


def test_another_branch_is_rolled_back_and_the_files_of_this_one_stay(tree: WorkTree) -> None:
    git(tree.path, "checkout", "--quiet", "-b", "topic")
    before = files(tree)
    done = roll_back(str(tree.path), branch="main")
    assert files(tree) == before
    assert git(tree.path, "rev-parse", "main") == done.commit


def test_a_branch_that_another_work_tree_has_checked_out_is_left_to_it(tree: WorkTree, tmp_path: Path) -> None:
    git(tree.path, "worktree", "add", "--quiet", "-b", "topic", str(tmp_path / "linked"))
    with pytest.raises(SourceError, match="linked; roll it back there"):
        roll_back(str(tree.path), branch="topic")
    done = roll_back(str(tmp_path / "linked"))
    assert (done.branch, (tmp_path / "linked/b/b.yaml").read_text()) == ("topic", "b\n")


def test_a_bare_repository_is_rolled_back(remote: str, tmp_path: Path) -> None:
    done = roll_back(str(tmp_path / "remote.git"))
    assert git(tmp_path / "remote.git", "rev-parse", "main") == done.commit
    assert same_tree(tmp_path / "remote.git", "main", done.restored)


def test_a_remote_is_rolled_back_by_a_push(remote: str, tmp_path: Path) -> None:
    done = roll_back(remote, to="HEAD~2")
    assert done.pushed
    assert git(tmp_path / "remote.git", "rev-parse", "main") == done.commit
    assert git(tmp_path / "remote.git", "show", "main:a.yaml") == "1"
    assert git(tmp_path / "remote.git", "rev-parse", "main^") == done.head


def test_a_remote_is_asked_only_in_a_dry_run(remote: str, tmp_path: Path) -> None:
    head = git(tmp_path / "remote.git", "rev-parse", "main")
    assert roll_back(remote, dry_run=True).commit == ""
    assert git(tmp_path / "remote.git", "rev-parse", "main") == head


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: object) -> None:
    """Somebody else acts between the plan and the commit."""
    plan = rollback._plan

    def slowly(*words: object) -> Rollback:
        found = plan(*words)  # type: ignore[arg-type]
        act()  # type: ignore[operator]
        return found

    monkeypatch.setattr(rollback, "_plan", slowly)


def test_what_somebody_pushed_meanwhile_is_not_overwritten(
    tree: WorkTree, remote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tree.commit({"theirs.yaml": "x\n"})
    meanwhile(monkeypatch, lambda: git(tree.path, "push", "--quiet", str(tmp_path / "remote.git"), "main"))
    with pytest.raises(Conflict, match=f"moved meanwhile, from .* to {theirs[:12]}"):
        roll_back(remote)
    assert git(tmp_path / "remote.git", "rev-parse", "main") == theirs


def test_what_somebody_committed_meanwhile_is_not_overwritten(tree: WorkTree, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = git(tree.path, "commit-tree", "-p", "HEAD", "-m", "Theirs", "HEAD^{tree}")
    meanwhile(monkeypatch, lambda: git(tree.path, "update-ref", "refs/heads/main", theirs))
    before = files(tree)
    with pytest.raises(Conflict, match="moved meanwhile"):
        roll_back(str(tree.path))
    assert (files(tree), git(tree.path, "rev-parse", "main")) == (before, theirs)
    assert git(tree.path, "status", "--porcelain") == ""


def test_a_remote_that_refuses_the_push_is_told_with_its_words(remote: str, tmp_path: Path) -> None:
    hook = tmp_path / "remote.git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(Transient, match=r"can't be pushed to: .*protected"):
        roll_back(remote)


def test_the_commit_is_signed_when_the_users_git_signs(
    tree: WorkTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = ssh_signer(tmp_path, "ada")
    (tmp_path / "allowed").write_text(f"ada@example.org {signer.public}\n")
    config = tmp_path / "gitconfig"
    config.write_text(
        f"[commit]\ngpgSign = true\n[gpg]\nformat = ssh\n[user]\nsigningKey = {tmp_path / 'ada'}\n"
        f'[gpg "ssh"]\nallowedSignersFile = {tmp_path / "allowed"}\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    done = roll_back(str(tree.path))
    git(tree.path, "-c", f"gpg.ssh.allowedSignersFile={tmp_path / 'allowed'}", "verify-commit", done.commit)


def test_a_commit_that_cannot_be_signed_changes_nothing(tree: WorkTree) -> None:
    git(tree.path, "config", "commit.gpgSign", "true")
    git(tree.path, "config", "gpg.format", "ssh")
    git(tree.path, "config", "user.signingKey", "/nowhere/key")
    before, head = files(tree), git(tree.path, "rev-parse", "HEAD")
    with pytest.raises(SourceError, match="git can't make the commit"):
        roll_back(str(tree.path))
    assert (files(tree), git(tree.path, "rev-parse", "HEAD")) == (before, head)


def test_nothing_that_the_repository_brings_along_is_run(tree: WorkTree, tmp_path: Path) -> None:
    for name in ("post-checkout", "post-commit", "reference-transaction", "pre-commit", "post-index-change"):
        hook = tree.path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/it-ran\n")
        hook.chmod(0o755)
    roll_back(str(tree.path))
    assert not (tmp_path / "it-ran").exists()


def test_a_name_that_is_awkward_stays_what_it_is(tree: WorkTree) -> None:
    tree.commit({'-rf "q"\n.yaml': "x\n"})
    done = roll_back(str(tree.path))
    assert done.changes == (PathChange("removed", '-rf "q"\n.yaml'),)
    assert '-rf "q"\n.yaml' not in files(tree)


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("HEAD", "is as .* already"),
        ("nowhere", "there is no commit 'nowhere'"),
        ("--all", "there is no commit '--all'"),
        ("topic", "isn't in the history of main"),
        ("HEAD:a.yaml", "there is no commit"),
    ],
)
def test_a_revision_that_cannot_be_restored_is_told(to: str, sentence: str, tree: WorkTree) -> None:
    git(tree.path, "branch", "topic", "HEAD~1")
    git(tree.path, "checkout", "--quiet", "topic")
    tree.commit({"t.yaml": "t\n"})
    git(tree.path, "checkout", "--quiet", "main")
    with pytest.raises(SourceError, match=sentence):
        roll_back(str(tree.path), to=to)


def test_where_there_is_nothing_to_go_back_to_that_is_told(tmp_path: Path) -> None:
    for name, sentence in (("one", "nothing before the first commit"), ("empty", "no commit on a branch")):
        tree = WorkTree(tmp_path / name)
        if name == "one":
            tree.commit({"a.yaml": "1\n"})
        with pytest.raises(SourceError, match=sentence):
            roll_back(str(tree.path))
    for place in (tmp_path / "one/nothing", tmp_path):
        with pytest.raises(SourceError, match="isn't a git repository"):
            roll_back(str(place))


def test_a_remote_that_is_away_is_told_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with pytest.raises(OnggiError, match="can't be read"):
        roll_back(f"file://{tmp_path}/away.git")
    assert not list((tmp_path / "temporary").iterdir())
