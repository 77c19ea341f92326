"""Whatever a child does, who asks has an answer or an error in time, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.confined import process
from reconciler.confined.frames import BrokenTalkError, Frame, Most
from reconciler.confined.identity import Identity
from reconciler.confined.process import Confined, Limits, interpreter
from tests.lab.other_user import OTHER
from tests.lab.waiting import until

Child = Callable[..., Confined]
THEM = Identity("them", OTHER, OTHER, (OTHER + 1, OTHER + 2))


@pytest.fixture
def child() -> Iterator[Child]:
    made: list[Confined] = []

    def make(patience_s: float = 60.0, **more: Any) -> Confined:
        limits = Limits(patience_s, 1 << 30, 64, 4 << 20, Most(8, 1 << 20), Most(8, 1 << 20))
        made.append(Confined("tests.confined.misbehaving", more, THEM, limits))
        return made[-1]

    yield make
    for each in made:
        each.close()


def ask(confined: Confined, verb: str, *parts: bytes) -> Frame:
    return confined.ask(Frame({"verb": verb}, parts))


def test_it_is_the_other_user_and_nothing_else(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONGGI_SECRET", "ours")
    found = ask(child(), "identity").header
    status = found["status"]
    assert set(status["Uid"]) == set(status["Gid"]) == {str(OTHER)}
    assert status["Groups"] == [str(OTHER + 1), str(OTHER + 2)]
    assert status["NoNewPrivs"] == ["1"]
    assert {*status["CapEff"], *status["CapPrm"]} == {"0" * 16}
    assert found["environment"] == ["HOME", "LANG", "LC_ALL", "PATH"]


def test_who_may_not_become_another_is_told_what_is_lacking(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = ["setpriv", "--bounding-set", "-setuid,-setgid", *interpreter("child")]
    monkeypatch.setattr(process, "interpreter", lambda _module: limited)
    with pytest.raises(BrokenTalkError, match="CAP_SETUID"):
        ask(child(), "echo")


def test_one_child_answers_many_questions(child: Child) -> None:
    confined = child()
    parts = [b"", b"\0\xff" * 1000, b"x"]
    answers = [ask(confined, "echo", *parts) for _ in range(20)]
    assert all(list(answer.parts) == parts for answer in answers)
    assert len({answer.header["pid"] for answer in answers}) == 1


@pytest.mark.parametrize(
    "verb",
    ["die", "long header", "many parts", "large part", "large parts", "no JSON", "no object", "nested"],
)
def test_nonsense_is_refused_at_once_and_the_next_child_answers(child: Child, verb: str) -> None:
    confined = child()
    with pytest.raises(BrokenTalkError):
        ask(confined, verb)
    assert list(ask(confined, "echo", b"again").parts) == [b"again"]


@pytest.mark.parametrize("verb", ["hang", "spin", "half"])
def test_what_takes_too_long_is_ended(child: Child, verb: str) -> None:
    confined = child(patience_s=0.5)
    with pytest.raises(BrokenTalkError, match=r"too long|ended"):
        ask(confined, verb)


def test_memory_and_files_are_bounded(child: Child, public_folder: Path) -> None:
    public_folder.chmod(0o777)
    confined = child(file=str(public_folder / "file"))
    assert ask(confined, "fill").header == {"error": "MemoryError"}
    with pytest.raises(BrokenTalkError, match="ended"):
        ask(confined, "write")
    assert (public_folder / "file").stat().st_size <= 4 << 20


def test_what_it_has_started_ends_with_it(child: Child, public_folder: Path) -> None:
    public_folder.chmod(0o777)
    file = public_folder / "pid"
    confined = child(patience_s=1.0, file=str(file))
    with pytest.raises(BrokenTalkError):
        ask(confined, "leave behind")
    pid = int(file.read_text())
    until(lambda: not _runs(pid), 60, "it still runs")


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_nothing_is_asked_after_the_end(child: Child) -> None:
    confined = child()
    pid = ask(confined, "echo").header["pid"]
    confined.close()
    with pytest.raises(BrokenTalkError):
        ask(confined, "echo")
    assert not _runs(pid)
