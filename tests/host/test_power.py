"""The machine goes down when it is asked to and nobody runs on it. Nothing here lets it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.errors import Conflict, Terminal, Unsupported
from reconciler.host.commands import Finished, Program
from reconciler.host.power import HostPower

DONE = Finished(0, "", "")


class Calls:
    """Notes what would have been run."""

    def __init__(self, answer: Finished = DONE) -> None:
        self.made: list[str] = []
        self._answer = answer

    def __call__(self, program: Program, arguments: Sequence[str], *, timeout_s: float) -> Finished:
        self.made.append(" ".join([program.name, *arguments]))
        return self._answer


@pytest.mark.parametrize(("action", "verb"), [("reboot", "reboot"), ("shutdown", "poweroff")])
def test_systemd_is_asked(action: str, verb: str) -> None:
    calls = Calls()
    getattr(HostPower(calls), action)([])
    assert calls.made == [f"systemctl --no-ask-password --no-block {verb}"]


@pytest.mark.parametrize("action", ["reboot", "shutdown"])
def test_it_is_refused_while_vms_run_and_they_are_named(action: str) -> None:
    calls = Calls()
    with pytest.raises(Conflict, match="db, web; stop them first"):
        getattr(HostPower(calls), action)(["web", "db"])
    assert calls.made == []


def test_a_thousand_running_vms_fit_into_a_sentence() -> None:
    with pytest.raises(Conflict, match="vm009 and 990 more") as refused:
        HostPower(Calls()).reboot([f"vm{number:03}" for number in range(1000)])
    assert len(str(refused.value)) < 200


def test_systemds_reason_is_told() -> None:
    said = Finished(1, "", "Failed to connect to bus: No such file or directory\n")
    with pytest.raises(Terminal, match="couldn't be restarted: Failed to connect to bus"):
        HostPower(Calls(said)).reboot([])


def test_a_host_without_systemd_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match="systemctl is needed"):
        HostPower().reboot([])
