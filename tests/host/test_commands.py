"""A program of the host runs within its bounds, and leaves nothing behind when it is ended."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from reconciler.errors import Cancelled, Terminal, Unsupported
from reconciler.host.commands import Program, TooSlow, find, follow, printable_lines, run
from tests.lab.waiting import until

SHELL = Program("sh", "dash", "run these tests")


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def everybody_gone(file: Path) -> bool:
    return all(gone(int(pid)) for pid in file.read_text().split())


def test_it_tells_the_code_and_both_outputs() -> None:
    done = run(SHELL, ["-c", "echo out; echo err >&2; exit 3"], timeout_s=60)
    assert (done.code, done.output, done.complaint) == (3, "out\n", "err\n")
    assert done.reason == "err"


def test_it_speaks_english_and_hears_nothing_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONGGI_TOKEN", "tell-nobody")
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    done = run(SHELL, ["-c", "env"], timeout_s=60, environment={"MORE": "this"})
    assert "LC_ALL=C\n" in done.output
    assert "MORE=this\n" in done.output
    assert "tell-nobody" not in done.output


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(Unsupported, match=r"onggi-has-no-such is needed to fly; install it \(Debian package wings\)"):
        run(Program("onggi-has-no-such", "wings", "fly"), [], timeout_s=1)


@pytest.mark.parametrize("path", ["", ".", "relative:."])
def test_nothing_is_found_on_an_empty_path_or_in_the_current_folder(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sh").write_text("#!/bin/sh\n")
    (tmp_path / "sh").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", path)
    assert find("sh") is None
    assert not SHELL.present


def test_programs_of_administrators_are_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sbin").mkdir()
    (tmp_path / "sbin" / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "sbin" / "tool").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    assert find("tool") == str(tmp_path / "sbin" / "tool")


def test_what_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    # `timeout` makes a process group of its own, as in many programs that start others.
    script = 'echo $$ >> "$1"; timeout 600 sh -c \'echo $$ >> "$1"; trap "" TERM; while :; do sleep 1; done\' x "$1"'
    with pytest.raises(TooSlow, match="within 5 s"):
        run(SHELL, ["-c", script, "x", tmp_path / "pids"], timeout_s=5)
    assert len((tmp_path / "pids").read_text().split()) == 2
    until(lambda: everybody_gone(tmp_path / "pids"), 60, "everything has ended")


def test_what_closes_its_output_and_goes_on_is_ended_too() -> None:
    with pytest.raises(TooSlow):
        run(SHELL, ["-c", "exec >&- 2>&-; sleep 600"], timeout_s=0.5)


def test_what_is_left_behind_with_the_output_open_keeps_nobody_waiting(tmp_path: Path) -> None:
    done = run(SHELL, ["-c", 'sleep 600 & echo $! > "$1"; echo done', "x", tmp_path / "pid"], timeout_s=60)
    assert (done.code, done.output) == (0, "done\n")
    os.kill(int((tmp_path / "pid").read_text()), 9)


def test_too_much_output_is_refused_and_the_program_ended() -> None:
    with pytest.raises(Terminal, match="more than 100000 bytes"):
        run(SHELL, ["-c", "while :; do echo 0123456789; done"], timeout_s=60, most_bytes=100_000)


def test_lines_are_told_while_it_runs_and_a_stop_ends_it() -> None:
    lines: list[str] = []
    stop = threading.Event()

    def hear(line: str) -> None:
        lines.append(line)
        stop.set()

    with pytest.raises(Cancelled):
        follow(SHELL, ["-c", "echo begun; sleep 600"], timeout_s=600, on_line=hear, stop=stop.is_set)
    assert lines == ["begun"]


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["heard", "ignored"])
def interrupts(request: pytest.FixtureRequest) -> Iterator[None]:
    """SIGINT as it is for us, too, when a script has started us in the background."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupted_program_may_tidy_up(tmp_path: Path) -> None:
    script = "trap 'echo tidied > \"$1\"; exit 1' INT; echo begun; while :; do sleep 0.1; done"
    stop = threading.Event()
    with pytest.raises(Cancelled):
        follow(
            SHELL,
            ["-c", script, "x", tmp_path / "tidied"],
            timeout_s=600,
            on_line=lambda _: stop.set(),
            stop=stop.is_set,
            gentle_s=60,
        )
    assert (tmp_path / "tidied").read_text() == "tidied\n"


def test_progress_without_line_ends_and_an_unfinished_last_line_are_lines() -> None:
    lines: list[str] = []
    follow(SHELL, ["-c", r"printf '1%%\r2%%\r\nlast'"], timeout_s=60, on_line=lines.append)
    assert lines == ["1%", "2%", "last"]


def test_only_the_end_of_a_long_story_is_kept() -> None:
    done = follow(SHELL, ["-c", "seq 1 100000"], timeout_s=60, on_line=lambda _: None)
    assert len(done.output) <= 64 * 1024
    assert done.output.endswith("100000\n")


def test_what_watches_ends_the_program() -> None:
    def full() -> None:
        raise Terminal("The disk is full.")

    with pytest.raises(Terminal, match="disk is full"):
        follow(SHELL, ["-c", "sleep 600"], timeout_s=600, on_line=print, watch=full)


def test_nothing_is_started_once_it_is_to_stop(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        run(SHELL, ["-c", 'touch "$1"', "x", tmp_path / "made"], timeout_s=5, stop=lambda: True)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("raises", [KeyboardInterrupt, RuntimeError])
def test_whatever_goes_wrong_with_us_the_program_ends(raises: type[BaseException], tmp_path: Path) -> None:
    def fall(_: str) -> None:
        raise raises

    hear: Callable[[str], None] = fall
    with pytest.raises(raises):
        follow(SHELL, ["-c", 'echo $$ > "$1"; echo x; sleep 600', "x", tmp_path / "pid"], timeout_s=600, on_line=hear)
    until(lambda: everybody_gone(tmp_path / "pid"), 60, "it has ended")


def test_colours_and_cursor_movements_are_no_text() -> None:
    assert printable_lines("\x1b[31mred\x1b[0m\x07\rnext\n") == ["red", "next", ""]
