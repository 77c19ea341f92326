"""Debug reports made by the real sos; what hangs, fills the disk or is cut off leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from reconciler.errors import Cancelled, NotFound, Refused, Terminal, Unsupported
from reconciler.host.commands import MIB, Program, TooSlow
from reconciler.host.reports import Reports
from tests.lab.waiting import until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "reports"


@pytest.fixture
def reports(folder: Path) -> Reports:
    return Reports(folder, timeout_s=120, least_free_bytes=MIB, plugins=["host"])


def program(tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A program that misbehaves as sos might."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/odd-sos").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bin/odd-sos").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return Program("odd-sos", "sosreport", "collect debug reports")


def put(folder: Path, name: str, age_s: int, content: bytes = b"0123456789") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    os.utime(folder / name, (1_700_000_000 - age_s, 1_700_000_000 - age_s))


def test_a_report_is_made_kept_to_ourselves_and_read(reports: Reports, folder: Path) -> None:
    lines: list[str] = []
    made = reports.generate("first_1", lines.append)
    assert reports.list() == (made,)
    assert (made.name, made.file) == ("first_1", "first_1.tar.xz")
    assert lines
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / made.file).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == [made.file]
    file, _ = reports.open("first_1")
    with file, tarfile.open(fileobj=file, mode="r:xz") as archive:
        assert any(name.endswith("version.txt") for name in archive.getnames())


def test_without_a_name_it_gets_one(reports: Reports) -> None:
    assert reports.generate("", print).name.startswith("sosreport-2")


def test_the_newest_is_first_and_a_rename_doesnt_make_it_newer(reports: Reports, folder: Path) -> None:
    for name, age_s in (("b.tar.xz", 20), ("a.tar.gz", 10), ("c.tar.xz", 30)):
        put(folder, name, age_s)
    assert [each.name for each in reports.list()] == ["a", "b", "c"]
    renamed = reports.rename("c", "z")
    assert (renamed.file, renamed.time) == ("z.tar.xz", reports.get("z").time)
    assert [each.name for each in reports.list()] == ["a", "b", "z"]
    assert reports.rename("a", "a") == reports.get("a")
    reports.delete("b")
    assert sorted(path.name for path in folder.iterdir()) == ["a.tar.gz", "z.tar.xz"]


def test_a_part_of_it_can_be_read_also_while_it_is_deleted(reports: Reports, folder: Path) -> None:
    put(folder, "a.tar.xz", 0)
    file, report = reports.open("a")
    with file:
        assert report.size_bytes == 10
        file.seek(3)
        assert file.read(4) == b"3456"
        reports.delete("a")
        assert file.read() == b"789"


@pytest.mark.parametrize("name", ["a/b", "../x", ".x", "a b", "a\n", "é", "x" * 300, "-rf;", "a.tar.xz", None, 3])
def test_a_name_that_isnt_plain_is_refused(reports: Reports, folder: Path, name: str) -> None:
    put(folder, "a.tar.xz", 0)
    for act in (lambda: reports.generate(name, print), lambda: reports.rename("a", name)):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.reason == "BadReportName"
    assert [path.name for path in folder.iterdir()] == ["a.tar.xz"]


def test_a_name_that_is_taken_is_refused(reports: Reports, folder: Path) -> None:
    put(folder, "a.tar.xz", 0)
    put(folder, "b.tar.gz", 0)
    for act in (lambda: reports.generate("a", print), lambda: reports.rename("a", "b")):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.reason == "ReportExists"


def test_an_unknown_one_is_not_found(reports: Reports) -> None:
    for act in (reports.get, reports.delete, reports.open, lambda name: reports.rename(name, "x")):
        for name in ("no-such", "../../etc/passwd"):
            with pytest.raises(NotFound):
                act(name)


def test_what_isnt_a_report_isnt_listed(reports: Reports, folder: Path, tmp_path: Path) -> None:
    put(folder, "readme.txt", 0)
    (tmp_path / "secret").write_text("secret")
    (folder / "link.tar.xz").symlink_to(tmp_path / "secret")
    (folder / "folder.tar.xz").mkdir()
    os.mkfifo(folder / "pipe.tar.xz")
    assert reports.list() == ()
    with pytest.raises(NotFound):
        reports.open("link")


def test_one_that_hangs_is_ended_and_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = program(tmp_path, 'echo "$$" > "$TMPDIR/../../pid"; exec sleep 600', monkeypatch)
    reports = Reports(folder, timeout_s=5, least_free_bytes=0, program=hanging)
    with pytest.raises(TooSlow):
        reports.generate("x", print)
    assert list(folder.iterdir()) == []
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_it_can_be_stopped(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    slow = program(tmp_path, "echo begun; exec sleep 600", monkeypatch)
    reports = Reports(folder, least_free_bytes=0, program=slow)
    with pytest.raises(Cancelled):
        reports.generate("x", lambda _: stop.set(), stop=stop.is_set)
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_told_before_and_while_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", disk], check=True)
    try:
        writing = program(tmp_path, 'dd if=/dev/zero of="$TMPDIR/x" bs=64k 2> /dev/null; exec sleep 600', monkeypatch)
        reports = Reports(disk / "reports", timeout_s=120, least_free_bytes=2 * MIB, program=writing)
        with pytest.raises(Refused) as refused:
            reports.generate("x", print)
        assert refused.value.reason == "DiskFull"
        assert list((disk / "reports").iterdir()) == []
        (disk / "other").write_bytes(bytes(7 * MIB))
        with pytest.raises(Refused) as refused:
            reports.generate("x", print)
        assert refused.value.reason == "DiskFull"
    finally:
        subprocess.run(["umount", disk], check=True)


def test_one_that_fails_says_why(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = program(tmp_path, "echo 'no plugins enabled'; exit 1", monkeypatch)
    with pytest.raises(Terminal, match="no plugins enabled"):
        Reports(folder, least_free_bytes=0, program=failing).generate("x", print)
    assert list(folder.iterdir()) == []


def test_what_a_crash_has_left_is_removed_at_the_next_start(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, 'touch "$TMPDIR/half"; echo "$$" > "$TMPDIR/../../pid"; exec sleep 600', monkeypatch)
    script = (
        "import sys; from pathlib import Path\n"
        "from reconciler.host.commands import Program; from reconciler.host.reports import Reports\n"
        "sos = Program('odd-sos', 'x', 'x')\n"
        "Reports(Path(sys.argv[1]), least_free_bytes=0, program=sos).generate('x', print)\n"
    )
    agent = subprocess.Popen([sys.executable, "-c", script, folder])
    until(lambda: list(folder.glob("*/half")) and (tmp_path / "pid").read_text(), 60, "a report is being made")
    agent.kill()
    agent.wait()
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    put(folder, "whole.tar.xz", 0)
    reports = Reports(folder)
    assert [path.name for path in folder.iterdir()] == ["whole.tar.xz"]
    assert [each.name for each in reports.list()] == ["whole"]


def test_a_host_without_sos_lists_what_it_has_and_says_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a.tar.xz", 0)
    monkeypatch.setenv("PATH", "")
    reports = Reports(folder, least_free_bytes=0)
    assert [each.name for each in reports.list()] == ["a"]
    with pytest.raises(Unsupported, match="Debian package sosreport"):
        reports.generate("x", print)
