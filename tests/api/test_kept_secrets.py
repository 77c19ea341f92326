"""Secrets that clients hand over lie in files of their own, and nowhere else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from reconciler.errors import StateError
from reconciler.serving.secrets import Secrets


@pytest.fixture
def kept(tmp_path: Path) -> Secrets:
    return Secrets(tmp_path / "state" / "secrets")


def test_only_their_owner_reads_them(kept: Secrets) -> None:
    path = kept.keep("console-1", "s3cret ∨")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("s3cret ∨\n", 0o600)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert kept.read(str(path), ["console-1"]) == kept.read(path, ["console-1"]) == "s3cret ∨"


def test_nothing_else_of_the_host_is_read(kept: Secrets, tmp_path: Path) -> None:
    path = kept.keep("console-1", "s3cret")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    link = path.parent / "link"
    link.symlink_to(elsewhere)
    for each in (elsewhere, link, path.parent / ".." / ".." / "elsewhere", path.parent / "nothing", path.parent):
        assert kept.read(str(each), ["console-1"]) is None
    kept.drop(elsewhere)
    assert elsewhere.exists()


def test_nobody_elses_is_read(kept: Secrets) -> None:
    path = kept.keep("console-1", "s3cret")
    for owner in ("console-2", "console", "console-1-", "", "pool-1"):
        assert kept.read(path, [owner]) is None
    assert kept.read(path, []) is None


def test_a_file_that_changes_is_read_again(kept: Secrets) -> None:
    path = kept.keep("console-1", "old")
    assert kept.read(str(path), ["console-1"]) == "old"
    path.write_text("longer than before\n")
    assert kept.read(str(path), ["console-1"]) == "longer than before"


def test_of_each_owner_the_last_few_stay(kept: Secrets) -> None:
    others = kept.keep("console-12", "theirs")
    paths = [kept.keep("console-1", str(number)) for number in range(5)]
    assert all(path.exists() for path in paths), "each may be the one whose document is committed last"
    for age, path in enumerate(reversed(paths)):
        os.utime(path, times=(time.time() - 7200 - age,) * 2)
    newest = kept.keep("console-1", "newest")
    assert newest.exists() and others.exists()
    assert [path.exists() for path in paths] == [False, False, False, True, True]
    kept.forget("console-1")
    assert list(kept.folder.iterdir()) == [others]


def test_an_owner_is_no_path_and_a_full_disk_no_surprise(tmp_path: Path) -> None:
    kept = Secrets(tmp_path)
    with pytest.raises(ValueError, match="owner"):
        kept.keep("../../etc/x", "s3cret")
    (tmp_path / "file").touch()
    with pytest.raises(StateError) as error:
        Secrets(tmp_path / "file" / "secrets").keep("console-1", "s3cret")
    assert "s3cret" not in str(error.value)
