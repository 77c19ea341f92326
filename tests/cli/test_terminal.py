"""On a terminal: colours, a question before changes, and progress on what takes long."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.applying.executor import Progress
from reconciler.cli import progress as module
from reconciler.cli.progress import Report, told_when_slow
from reconciler.planning.operations import CreateVolume, Stop
from reconciler.planning.plan import Action, Step
from reconciler.status.outcome import Result, StepOutcome
from specs.effect import Effect
from specs.reference import Ref
from tests.cli.command import COMMAND, Onggi
from tests.lab.repositories import Repository
from tests.lab.waiting import until

DOCUMENT = (
    "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: tg-lan}\nspec: {mode: isolated, subnet: 10.9.8.0/24}\n"
)
IMAGE, VM = Ref.volume("p", "tg-image"), Ref("VirtualMachine", "tg-web")


def on_a_terminal(onggi: Onggi, *words: object, answer: bytes = b"", **env: str) -> tuple[int, str]:
    """Run the command with a terminal around it: its exit code, and what could be seen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, words)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=onggi.env | {"TERM": "xterm"} | env,
        close_fds=True,
    )
    os.close(theirs)
    if answer:
        os.write(ours, answer)
    seen = b""
    with suppress(OSError):  # the terminal is gone when nobody has it open any more
        while chunk := os.read(ours, 4096):
            seen += chunk
    os.close(ours)
    return process.wait(60), seen.decode()


def plan_words(repository: Repository, tmp_path: Path) -> tuple[object, ...]:
    repository.commit({"lan.yaml": DOCUMENT})
    return repository.path, "--connect", "test:///default", "--state", tmp_path / "state"


def test_colours_are_for_terminals_that_want_them(onggi: Onggi, repository: Repository, tmp_path: Path) -> None:
    words = ("plan", *plan_words(repository, tmp_path))
    assert "\x1b[" in on_a_terminal(onggi, *words)[1]
    assert "\x1b[" not in on_a_terminal(onggi, *words, "--no-color")[1]
    assert "\x1b[" not in on_a_terminal(onggi, *words, NO_COLOR="1")[1]
    assert "\x1b[" not in on_a_terminal(onggi, *words, TERM="dumb")[1]
    assert "\x1b[" not in onggi(*words).out


def test_on_a_terminal_nothing_is_done_without_a_yes(onggi: Onggi, repository: Repository, tmp_path: Path) -> None:
    words = ("apply", *plan_words(repository, tmp_path))
    code, seen = on_a_terminal(onggi, *words, answer=b"n\n")
    assert code == 1
    assert "Do this? [y/N]" in seen
    assert "Nothing was done." in seen
    assert "Applied" not in seen
    code, seen = on_a_terminal(onggi, *words, answer=b"y\n")
    assert "+ Network/tg-lan: created" in seen
    assert "Do this?" not in on_a_terminal(onggi, *words, "--yes")[1]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What otherwise takes seconds to be told is told at once."""
    monkeypatch.setattr(module, "QUIET_S", 0.01)
    monkeypatch.setattr(module, "_AGAIN_S", 0.01)


def seen(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    text: list[str] = []

    def read() -> str:
        text.append(capsys.readouterr().err)
        return "".join(text)

    return read


def step(ref: Ref) -> Step:
    return Step(ref, Action.CREATE, "because", Effect.LIVE, ())


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("terminal", [False, True])
def test_what_takes_long_is_told_with_how_far_it_is(terminal: bool, capsys: pytest.CaptureFixture[str]) -> None:
    read = seen(capsys)
    with Report(terminal=terminal) as report:
        report(Progress(step(IMAGE), CreateVolume(IMAGE, "<x/>"), 250, 1000))
        report(Progress(step(VM), Stop(VM)))
        until(lambda: "StorageVolume/p/tg-image is being made" in read(), 60, "the download is told")
        until(lambda: "25" in read() and "%" in read(), 60, "its share is told")
        until(lambda: "VirtualMachine/tg-web is being shut down" in read(), 60, "the shutdown is told")
        report(Progress(step(IMAGE), outcome=StepOutcome(step(IMAGE), Result.CREATED)))
        report(Progress(step(VM), outcome=StepOutcome(step(VM), Result.FAILED, "it never answered")))
    assert "+ StorageVolume/p/tg-image: created" in read()
    assert "+ VirtualMachine/tg-web: failed: it never answered" in read()


def test_what_is_quick_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Report(terminal=False) as report:
        report(Progress(step(VM), Stop(VM)))
        report(Progress(step(VM), outcome=StepOutcome(step(VM), Result.CREATED)))
    assert capsys.readouterr().err == "+ VirtualMachine/tg-web: created\n"


def test_quiet_tells_what_failed_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    with Report(quiet=True, terminal=False) as report:
        report(Progress(step(IMAGE), outcome=StepOutcome(step(IMAGE), Result.CREATED)))
        report(Progress(step(VM), outcome=StepOutcome(step(VM), Result.FAILED, "it never answered")))
    assert capsys.readouterr().err == "+ VirtualMachine/tg-web: failed: it never answered\n"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with Report(quiet=True, terminal=False) as report:
        report(Progress(step(VM), outcome=StepOutcome(step(VM), Result.CREATED)))
    with told_when_slow("reading", quiet=True):
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("soon")
def test_slow_reading_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    read = seen(capsys)
    with told_when_slow("reading the repository …"):
        until(lambda: read() == "onggi: reading the repository …\n", 60, "it is told", every_s=0.01)
