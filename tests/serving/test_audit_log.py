"""The audit log as a file: one line for each event whatever it says, moved away, full, and nobody else's."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import SettingsError
from reconciler.serving.audit_log import AuditLog
from tests.lab.small_disk import SmallDisk, small_disk

__all__ = ["small_disk"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def now() -> datetime:
    return datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_each_event_is_a_line_that_nobody_else_reads(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    AuditLog(path, now).write("write", user="kim", status=200, commit="", role=None)
    AuditLog(path, now).write("login", user="lee")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert lines(path) == [
        {"time": "2026-11-30T12:00:00.000Z", "event": "write", "user": "kim", "status": 200},
        {"time": "2026-11-30T12:00:00.000Z", "event": "login", "user": "lee"},
    ]


@given(st.text(), st.text())
def test_no_value_makes_a_second_line_or_changes_how_one_looks(
    tmp_path_factory: pytest.TempPathFactory, user: str, address: str
) -> None:
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    log = AuditLog(path)
    log.write("write", user=user, address=address)
    log.close()
    raw = path.read_bytes()
    assert raw.count(b"\n") == 1 and raw.isascii() and raw[:-1].decode().isprintable()
    assert (lines(path)[0].get("user", ""), lines(path)[0].get("address", "")) == (user, address)


def test_a_file_that_was_moved_away_keeps_its_lines_and_a_new_one_begins(tmp_path: Path) -> None:
    path, old = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.1"
    log = AuditLog(path)
    log.write("write", user="a")
    path.rename(old)
    log.write("write", user="b")
    path.unlink()
    log.write("write", user="c")
    assert [line["user"] for line in lines(old)] == ["a"] and [line["user"] for line in lines(path)] == ["c"]


def test_a_line_that_a_crash_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.touch(0o600)
    path.write_text('{"event": "wri')
    AuditLog(path).write("write", user="a")
    assert json.loads(path.read_text().splitlines()[1])["user"] == "a"


def test_a_full_disk_is_told_once_and_the_first_line_afterwards_says_what_is_missing(
    small_disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    path = small_disk.path / "audit.jsonl"
    log = AuditLog(path)
    log.write("write", user="before")
    small_disk.fill()
    sizes = path.stat().st_size
    count = 0
    while path.stat().st_size < 4096:  # what is left of its last block
        log.write("write", user="kim" * 20)
        count += 1
    for _ in range(3):
        log.write("write", user="lost")
    small_disk.empty()
    log.write("write", user="after")
    assert sizes < 4096 and count > 1
    found = []
    for line in path.read_text().splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            assert line.startswith('{"time"'), "the line that the disk cut off"
    assert [each["event"] for each in found[-2:]] == ["missing", "write"] and found[-1]["user"] == "after"
    assert found[-2]["lines"] in (3, 4)
    told = [record.levelname for record in caplog.records]
    assert told == ["ERROR", "WARNING"]


def test_a_folder_that_goes_away_stops_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log = AuditLog(folder / "audit.jsonl")
    folder.rename(tmp_path / "moved")
    log.write("write", user="lost")
    folder.mkdir()
    log.write("write", user="after")
    assert [line.get("lines", line.get("user")) for line in lines(folder / "audit.jsonl")] == [1, "after"]


def _others_may_write(path: Path) -> None:
    path.touch()
    path.chmod(0o666)


def _anothers(path: Path) -> None:
    path.touch(0o600)
    os.chown(path, 4321, 4321)


def _two_names(path: Path) -> None:
    path.touch(0o600)
    path.with_name("other").hardlink_to(path)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.symlink_to(path.with_name("nowhere")),
        lambda path: os.mkfifo(path),
        lambda path: path.mkdir(),
        _others_may_write,
        _anothers,
        _two_names,
    ],
    ids=["a link", "a link to nothing", "a pipe", "a folder", "others may write it", "another user's", "two names"],
)
def test_what_could_be_somebody_elses_is_refused_at_the_start_and_later(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    path.unlink()
    make(path)
    with pytest.raises(SettingsError, match="can't be written"):
        AuditLog(path)
    before = path.stat().st_size if path.is_file() else 0
    log.write("write", user="kim")
    assert (path.stat().st_size if path.is_file() else 0) == before
