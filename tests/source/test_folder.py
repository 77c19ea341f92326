"""A plain folder, for trying out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.errors import SourceError
from reconciler.source.opening import open_source
from reconciler.source.source import Source
from specs.document import MAX_FILE_BYTES
from tests.source.repositories import network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.yaml").write_text(network("a"))
    (folder / "deep" / "b.yml").write_text(network("b"))
    return folder


def open_at(folder: Path, **options: str) -> Source:
    return open_source(str(folder), state_dir=Path("/nonexistent"), **options)


def paths(source: Source) -> list[str]:
    return [file.path for file in source.read().files]


def test_the_revision_follows_the_content(folder: Path) -> None:
    source = open_at(folder)
    first = source.read()
    assert str(first.revision).startswith("folder@sha256:")
    assert [file.path for file in first.files] == ["a.yaml", "deep/b.yml"]
    assert source.read() is first
    (folder / "a.yaml").write_text(network("other"))
    changed = source.read()
    assert changed.revision != first.revision
    (folder / "a.yaml").write_text(network("a"))
    assert source.read().revision == first.revision


def test_it_has_no_branches_and_isnt_fetched(folder: Path) -> None:
    source = open_at(folder)
    assert (source.is_remote, source.fetch(), source.watch_paths()) == (False, False, (folder,))
    assert source.key == str(folder)
    with pytest.raises(SourceError, match="leave --branch away"):
        open_at(folder, branch="main")


def test_a_folder_in_it_can_be_chosen(folder: Path) -> None:
    (folder / "onggi.yaml").write_text("apiVersion: onggi/v1\nrepositoryId: 0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55\n")
    source = open_at(folder, path="deep")
    assert paths(source) == ["deep/b.yml"]
    assert source.read().repository_id == "0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55"
    with pytest.raises(SourceError, match="no folder 'none'"):
        open_at(folder, path="none").read()


def test_links_pipes_and_what_cant_be_read_are_told_and_never_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "c.yaml").write_text(network("c"))
    (folder / "file.yaml").symlink_to(tmp_path / "outside" / "c.yaml")
    (folder / "linked").symlink_to(tmp_path / "outside")
    (folder / "onggi.yaml").symlink_to("/etc/hostname")
    os.mkfifo(folder / "pipe.yaml")
    (folder / "huge.yaml").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    (folder / ".hidden.yaml").write_text("hidden")
    (folder / "folder.yaml").mkdir()
    read = open_at(folder).read()
    assert [file.path for file in read.files] == ["a.yaml", "deep/b.yml"]
    found = {problem.path: problem.message for problem in read.problems}
    assert set(found) == {"file.yaml", "linked", "onggi.yaml", "pipe.yaml", "huge.yaml"}
    assert "symbolic link" in found["file.yaml"]
    assert "symbolic link" in found["onggi.yaml"]
    assert "regular file" in found["pipe.yaml"]
    with pytest.raises(SourceError, match="no folder 'linked' that isn't a link"):
        open_at(folder, path="linked").read()


def test_hostile_names_are_refused(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff.yaml")).write_text(network("x"))
    (folder / "new\nline.yaml").write_text(network("y"))
    read = open_at(folder).read()
    assert [file.path for file in read.files] == ["a.yaml", "deep/b.yml"]
    assert sorted(problem.path for problem in read.problems) == [r"\xff.yaml", r"new\x0aline.yaml"]
    str(read.revision).encode()


def test_a_folder_that_goes_away_is_told_and_read_again_when_back(folder: Path, tmp_path: Path) -> None:
    source = open_at(folder)
    first = source.read()
    folder.rename(tmp_path / "away")
    with pytest.raises(SourceError, match="check that it is there"):
        source.read()
    (tmp_path / "away").rename(folder)
    assert source.read() is first
