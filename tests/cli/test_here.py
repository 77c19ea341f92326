"""Which repository is meant when none is named, and the plan of a work tree as it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Onggi
from tests.lab.repositories import Repository

CONNECT = ("--connect", "test:///default")


def network(name: str) -> str:
    return f"apiVersion: onggi/v1\nkind: Network\nmetadata: {{name: {name}}}\nspec: {{mode: isolated}}\n"


def planned(onggi: Onggi, *words: object, cwd: Path) -> list[str]:
    done = onggi("plan", *words, *CONNECT, "-o", "json", cwd=cwd)
    assert done.code == 0, done.err
    return sorted(f"{step['action']} {step['name']}" for step in done.json["steps"])


def test_without_repo_the_whole_repository_around_the_current_folder_is_meant(
    onggi: Onggi, repository: Repository
) -> None:
    repository.commit({"lan.yaml": network("lan"), "more/wan.yaml": network("wan")})
    for folder in (repository.path, repository.path / "more"):
        assert planned(onggi, cwd=folder) == ["+ lan", "+ wan"]
        assert onggi("validate", cwd=folder).err == "onggi: 2 documents, no mistakes\n"


def test_outside_of_any_repository_repo_has_to_be_named(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("apply", *CONNECT, cwd=tmp_path)
    assert (done.code, "name REPO" in done.err) == (1, True)
    (tmp_path / "onggi.yaml").write_text("apiVersion: onggi/v1\nrepositoryId: 7d1c9c52-0000-4000-8000-000000000001\n")
    (tmp_path / "lan.yaml").write_text(network("lan"))
    assert planned(onggi, cwd=tmp_path) == ["+ lan"]


def test_adopting_by_name_takes_the_repository_around_the_current_folder(onggi: Onggi, repository: Repository) -> None:
    default = "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: default, annotations: {onggi/adopt: 'true'}}\n"
    repository.commit({"default.yaml": default + "spec: {mode: nat}\n"})
    done = onggi("adopt", "net/default", *CONNECT, "-o", "json", cwd=repository.path)
    assert done.code == 0, done.err
    elsewhere = onggi("adopt", "net/default", *CONNECT, ONGGI_REPOSITORY=str(repository.path))
    assert elsewhere.code == 0, elsewhere.err


def test_the_work_tree_is_planned_as_it_lies_and_says_so(onggi: Onggi, repository: Repository) -> None:
    repository.commit({"lan.yaml": network("lan"), "gone.yaml": network("gone"), ".gitignore": "draft.yaml\n"})
    (repository.path / "wan.yaml").write_text(network("wan"))
    (repository.path / "draft.yaml").write_text(network("draft"))
    (repository.path / "gone.yaml").unlink()
    before = planned(onggi, cwd=repository.path)
    assert before == ["+ gone", "+ lan"]
    assert planned(onggi, "--worktree", cwd=repository.path) == ["+ lan", "+ wan"]
    done = onggi("plan", "--worktree", *CONNECT, cwd=repository.path)
    assert done.out.splitlines()[0] == "The work tree as it lies, not committed yet: gone.yaml, wan.yaml"
    repository.commit({})
    done = onggi("plan", "--worktree", *CONNECT, cwd=repository.path)
    assert done.out.splitlines()[0] == "The work tree as it lies, which is what is committed:"


def test_objects_keep_their_identity_in_the_plan_of_a_work_tree(onggi: Onggi, repository: Repository) -> None:
    identity = "apiVersion: onggi/v1\nrepositoryId: 7d1c9c52-0000-4000-8000-000000000001\n"
    repository.commit({"onggi.yaml": identity, "lan.yaml": network("lan")})
    (repository.path / "lan.yaml").write_text(network("lan") + "# a word\n")
    shown = [onggi("plan", *more, *CONNECT, "-o", "json", cwd=repository.path).json for more in ((), ("--worktree",))]
    assert shown[0]["steps"] == shown[1]["steps"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--out", "plan.json"), "can't be saved"),
        (("--branch", "main"), "leave --branch or --worktree away"),
    ],
)
def test_a_work_tree_has_no_branch_and_no_saved_plan(
    onggi: Onggi, repository: Repository, words: tuple[str, str], sentence: str
) -> None:
    repository.commit({"lan.yaml": network("lan")})
    done = onggi("plan", "--worktree", *words, *CONNECT, cwd=repository.path)
    assert (done.code, sentence in done.err) == (1, True), done.err


def test_a_remote_and_a_bare_repository_have_no_work_tree(onggi: Onggi, pushed_repository: Repository) -> None:
    bare = pushed_repository.path.parent / "remote.git"
    for source in (bare, "https://git.example.org/infra.git"):
        done = onggi("plan", source, "--worktree", *CONNECT)
        assert (done.code, "work tree" in done.err) == (1, True), done.err
