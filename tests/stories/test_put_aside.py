"""A file that was emptied, or renamed so that it isn't read, deletes nothing, and the plan says what happened."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from specs.reference import Ref
from tests.lab.repositories import Repository, git

WEB = Ref("VirtualMachine", "web")
NAMES = ("db", "mail", "web", "www")


def vm(name: str) -> str:
    return (
        f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {name}}}\n"
        "spec: {memory: 64, runStrategy: Halted}\n"
    )


@pytest.fixture(params=["git", "a-folder"])
def plain(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "a-folder")


@pytest.fixture
def line(repository: Repository, plain: bool, private_test_uri: str, tmp_path: Path) -> Iterator[Line]:
    repository.commit({f"vms/{name}.yaml": vm(name) for name in NAMES})
    if plain:
        shutil.rmtree(repository.path / ".git")
    settings = Settings(repository=str(repository.path), connect=private_test_uri, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as opened:
        assert opened.converge().succeeded
        yield opened


def save(repository: Repository, plain: bool) -> None:
    if not plain:
        git(repository.path, "add", "--all")
        git(repository.path, "commit", "--quiet", "--message", "Change")


@pytest.mark.parametrize("content", ["", "# put it back when it is needed\n", "---\n", "---\n# nothing\n---\n", "\n\n"])
def test_an_emptied_file_deletes_nothing_until_it_is_removed(
    line: Line, repository: Repository, plain: bool, content: str
) -> None:
    file = repository.path / "vms/web.yaml"
    file.write_text(content)
    save(repository, plain)
    convergence = line.converge()
    assert not convergence.succeeded
    [held] = convergence.remaining.blocked
    assert (held.ref, held.reason, held.path) == (WEB, "FileEmptied", "vms/web.yaml")
    assert WEB in line.observe().objects
    assert WEB in line.ledger.ownership.all()
    file.unlink()
    save(repository, plain)
    assert line.converge().succeeded
    assert WEB not in line.observe().objects


@pytest.mark.parametrize("name", ["vms/web.YAML", "vms/web.yml.bak", "vms/.web.yaml", "vms/web.txt"])
def test_a_renamed_file_deletes_nothing_and_is_told(line: Line, repository: Repository, plain: bool, name: str) -> None:
    (repository.path / "vms/web.yaml").rename(repository.path / name)
    save(repository, plain)
    remaining = line.converge().remaining
    [held] = remaining.blocked
    assert (held.ref, held.reason) == (WEB, "FileNotRead")
    [note] = remaining.notes
    assert name in note
    assert "vms/web.yaml" in note
    assert WEB in line.observe().objects
    (repository.path / name).rename(repository.path / "vms/other-name.yaml")
    save(repository, plain)
    assert line.converge().succeeded
    assert WEB in line.observe().objects, "a document may lie in any file that is read"


def test_a_hidden_folder_deletes_nothing(line: Line, repository: Repository, plain: bool) -> None:
    (repository.path / "vms").rename(repository.path / ".vms")
    (repository.path / "one.yaml").write_text(vm("one"))
    save(repository, plain)
    assert {item.reason for item in line.converge().remaining.blocked} == {"FileNotRead"}
    assert WEB in line.observe().objects


def test_an_empty_file_that_never_held_anything_is_no_complaint(
    line: Line, repository: Repository, plain: bool
) -> None:
    (repository.path / "vms/later.yaml").write_text("# later\n")
    (repository.path / "vms/web.yaml").unlink()
    save(repository, plain)
    assert line.converge().succeeded
    assert WEB not in line.observe().objects
