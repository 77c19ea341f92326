"""How a command ends when something is wrong: one line, one exit code, never a traceback that nobody asked for."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli import log_output as logs
from reconciler.cli import main
from tests.cli.command import COMMAND, Onggi


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line meets something that nobody thought of."""

    def fail(**_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(main.onggi, "main", fail)
    monkeypatch.setattr(sys, "argv", ["onggi", "version"])


@pytest.mark.usefixtures("failing")
def test_what_nobody_thought_of_is_one_sentence_that_says_how_to_learn_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main() == 1
    told = capsys.readouterr().err
    assert told.startswith("onggi: error: something unexpected went wrong (KeyError); run it again with -v")
    assert len(told.splitlines()) == 1


@pytest.mark.usefixtures("failing")
def test_who_asks_for_it_gets_the_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["onggi", "version", "-v"])
    assert main.main() == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan", ".", "--connect", "qemu+ssh://[bad/system"], "isn't a libvirt URI"),
        (["plan", ".", "--connect", "qemu+ssh://host:99999/system"], "isn't a libvirt URI"),
        (["plan", ".", "--connect", "qemu+ssh://a]b/system"], "isn't a libvirt URI"),
        (["events", "--since", "0001-01-01T00:00:00+14:00"], "nor a moment"),
        (["events", "--since", "9999-12-31T23:59:59-14:00"], "nor a moment"),
        (["plan", ".", "--max-files", "0"], "from 1 to"),
    ],
)
def test_a_value_that_cannot_be_is_one_sentence(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(sys, "argv", ["onggi", *arguments, "--state", str(tmp_path / "state")])
    assert main.main() == 1
    told = capsys.readouterr().err
    assert words in told
    assert "unexpected" not in told


def test_a_reader_that_goes_away_is_no_disaster(onggi: Onggi) -> None:
    process = subprocess.Popen(
        [*COMMAND, "explain", "vm"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=onggi.env, text=True
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 1


def test_a_terminal_that_lacks_a_character_gets_a_question_mark(onggi: Onggi) -> None:
    done = subprocess.run(
        [*COMMAND, "completion", "--help"],
        env=onggi.env | {"PYTHONIOENCODING": "iso8859-5"},
        capture_output=True,
        check=True,
    )
    assert b" ? " in done.stdout


def test_an_error_is_one_line_whatever_it_holds(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("status", "--config", tmp_path / "a\nb.toml")
    assert done.code == 1
    assert len(done.err.splitlines()) == 1


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("onggi.x", logging.INFO, "x.py", 1, message, (), None)


def test_a_log_message_cannot_forge_another_line() -> None:
    assert len(logs.TextFormatter().format(record("one\n2026 INFO two")).splitlines()) == 1
    assert len(logs.JsonFormatter().format(record("one\ntwo")).splitlines()) == 1


def test_a_log_message_tells_a_terminal_nothing() -> None:
    told = logs.TextFormatter().format(record("a\x1b]0;title\x07 \x9b2J \x85 \u2028 \u202e é 漢"))
    assert told.endswith(r"a\x1b]0;title\x07 \x9b2J \x85 \u2028 \u202e é 漢")
