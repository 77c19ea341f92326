"""`onggi rollback` as a person or a script uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Onggi
from tests.lab.repositories import Repository, git


@pytest.fixture
def two_revisions(repository: Repository) -> Repository:
    repository.commit({"a.yaml": "1\n"}, "First")
    repository.commit({"a.yaml": "2\n", "b.yaml": "b\n"}, "Second")
    return repository


def test_it_prints_what_changes_and_the_new_commit(onggi: Onggi, two_revisions: Repository) -> None:
    done = onggi("rollback", two_revisions.path)
    assert done.code == 0, done.err
    first = git(two_revisions.path, "rev-parse", "HEAD~2")
    assert done.out == (f"~ a.yaml\n- b.yaml\n\nmain is as in {first[:12]} again: commit {two_revisions.head}.\n")
    assert (two_revisions.path / "a.yaml").read_text() == "1\n"


def test_a_dry_run_says_that_nothing_was_done(onggi: Onggi, two_revisions: Repository) -> None:
    head = two_revisions.head
    done = onggi("rollback", two_revisions.path, "-n")
    assert done.out.endswith("again; nothing was done.\n")
    assert two_revisions.head == head


def test_a_script_gets_json(onggi: Onggi, two_revisions: Repository) -> None:
    head = two_revisions.head
    done = onggi("rollback", two_revisions.path, "--to", "HEAD~1", "-o", "json")
    assert done.json == {
        "branch": "main",
        "head": head,
        "restored": git(two_revisions.path, "rev-parse", "HEAD~2"),
        "commit": two_revisions.head,
        "pushed": False,
        "changes": [{"change": "changed", "path": "a.yaml"}, {"change": "removed", "path": "b.yaml"}],
    }


def test_edits_that_are_in_the_way_are_named_and_the_exit_code_is_1(onggi: Onggi, two_revisions: Repository) -> None:
    (two_revisions.path / "a.yaml").write_text("edited\n")
    done = onggi("rollback", two_revisions.path)
    assert (done.code, done.out) == (1, "")
    assert "edits that aren't committed in a.yaml; commit, stash or move them first." in done.err


def test_without_a_name_git_says_what_it_needs(onggi: Onggi, two_revisions: Repository, tmp_path: Path) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        del onggi.env[name]
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nuseConfigOnly = true\n")
    done = onggi("rollback", two_revisions.path, GIT_CONFIG_GLOBAL=str(config))
    assert done.code == 1
    assert "set user.name and user.email" in done.err
