"""Writing to a plain folder: whole files, only over what was read."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import Conflict, SourceError
from tests.source.repositories import network

from .writers import Place, add, change, once_before, remove


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.yaml").write_text(network("a", "  autostart: true  # ours\n"))
    return folder


@pytest.fixture
def place(folder: Path, tmp_path: Path) -> Place:
    return Place(str(folder), tmp_path / "state")


def test_a_write_changes_the_files(place: Place, folder: Path) -> None:
    done = place.write(change("a", "autostart", False))
    assert (folder / "a.yaml").read_text() == network("a", "  autostart: false # ours\n")
    assert done.revision == place.source.read().revision
    assert place.write(add("b")).changed == ("b.yaml",)
    place.write(remove("a"))
    assert [path.name for path in folder.iterdir()] == ["b.yaml"]


def test_an_edit_meanwhile_is_built_upon_or_a_conflict(place: Place, folder: Path) -> None:
    theirs = network("a", "  autostart: true\n  active: true\n")
    place.write(once_before(change("a", "autostart", False), lambda: (folder / "a.yaml").write_text(theirs)))
    assert (folder / "a.yaml").read_text() == theirs.replace("autostart: true", "autostart: false")
    with pytest.raises(Conflict, match="at /spec/domain"):
        place.write(
            once_before(
                change("a", "domain", "ours.example"),
                lambda: (folder / "a.yaml").write_text(network("a", "  domain: theirs.example\n")),
            )
        )
    assert (folder / "a.yaml").read_text() == network("a", "  domain: theirs.example\n")


def test_no_other_file_is_overwritten_and_no_link_followed(place: Place, folder: Path, tmp_path: Path) -> None:
    (folder / "b.yaml").symlink_to(tmp_path / "target")
    assert place.write(add("b")).changed == ("b-2.yaml",)
    assert not (tmp_path / "target").exists()


def test_a_folder_that_cannot_be_written_says_so(place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SourceError, match="No space left"):
        place.write(change("a", "autostart", False))
    assert [path.name for path in folder.iterdir()] == ["a.yaml"]
    assert "true" in (folder / "a.yaml").read_text()
