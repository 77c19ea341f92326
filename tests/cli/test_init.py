"""`onggi init` makes a repository that one can begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Onggi
from tests.lab.repositories import git

FILES = [
    ".pre-commit-config.yaml",
    "README.md",
    "networks/lab.yaml",
    "onggi.yaml",
    "pools/guests.yaml",
    "templates/small.yaml",
    "vms/web.yaml",
]


def test_a_new_repository_is_committed_valid_and_documented(onggi: Onggi, tmp_path: Path) -> None:
    folder = tmp_path / "infra"
    done = onggi("init", folder)
    assert done.code == 0, done.err
    assert git(folder, "ls-tree", "-r", "--name-only", "HEAD").splitlines() == FILES
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "log", "--format=%an <%ae> %D") == "Ada Author <ada@example.org> HEAD -> main"
    checked = onggi("validate", folder)
    assert (checked.code, checked.err) == (0, "onggi: 4 documents, no mistakes\n")


def test_its_machine_stays_off(onggi: Onggi, tmp_path: Path) -> None:
    onggi("init", tmp_path / "infra")
    assert "\n  runStrategy: Halted" in (tmp_path / "infra/vms/web.yaml").read_text()


def test_each_repository_has_an_id_of_its_own(onggi: Onggi, tmp_path: Path) -> None:
    for name in ("one", "two"):
        onggi("init", tmp_path / name)
    assert (tmp_path / "one/onggi.yaml").read_text() != (tmp_path / "two/onggi.yaml").read_text()


def test_an_empty_repository_and_an_empty_folder_are_fine(onggi: Onggi, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert onggi("init", tmp_path / "folder").code == 0
    git(tmp_path, "init", "--quiet", "--initial-branch=hosts", "repo")
    assert onggi("init", tmp_path / "repo").code == 0
    assert git(tmp_path / "repo", "branch", "--show-current") == "hosts"
    assert git(tmp_path / "repo", "rev-list", "--count", "HEAD") == "1"


def test_what_is_there_already_is_left_alone(onggi: Onggi, tmp_path: Path) -> None:
    folder = tmp_path / "infra"
    onggi("init", folder)
    before = git(folder, "rev-parse", "HEAD")
    done = onggi("init", folder)
    assert done.code == 1
    assert "isn't empty" in done.err
    assert git(folder, "rev-parse", "HEAD") == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter.txt").write_text("dear")
    assert onggi("init", tmp_path / "full").code == 1
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]


def test_a_repository_with_commits_but_no_files_is_not_empty(onggi: Onggi, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "repo")
    git(tmp_path / "repo", "commit", "--quiet", "--allow-empty", "--message", "Begin")
    assert "has commits already" in onggi("init", tmp_path / "repo").err


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_file_in_the_way_is_told(onggi: Onggi, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    done = onggi("init", tmp_path / name)
    assert done.code == 1
    assert "can't be written" in done.err


def test_somebody_is_the_author_where_git_knows_nobody(onggi: Onggi, tmp_path: Path) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        del onggi.env[name]
    assert onggi("init", tmp_path / "infra").code == 0
    assert "@" in git(tmp_path / "infra", "log", "--format=%ae")
