"""Tells who waits that something is going on: on stderr, and only about what takes longer than two seconds.

On a terminal with bars that go away at the end, elsewhere with plain lines. What a step did in the end is always told;
to who wants quiet only what failed, and why.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import click

from reconciler.status.value_text import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from reconciler.applying.executor import Progress
    from reconciler.planning.operations import Operation
    from specs.reference import Ref

QUIET_S = 2.0
_AGAIN_S = 10.0
_WORDS = {
    "Define": "being defined",
    "Start": "being started",
    "SetSecretValue": "being given its value",
    "Stop": "being shut down",
    "Pause": "being paused",
    "Resume": "being resumed",
    "SetAutostart": "being set up",
    "EditLive": "being changed",
    "Undefine": "being removed",
    "Rename": "being renamed",
    "RenameSnapshots": "being renamed in its snapshots",
    "RenameVolume": "being renamed",
    "CreateVolume": "being made",
    "GrowVolume": "being grown",
    "DeleteVolume": "being deleted",
}
_PERCENT = 100


@contextmanager
def told_when_slow(sentence: str, *, quiet: bool = False) -> Iterator[None]:
    """Print `sentence` on stderr when the block takes longer than two seconds."""
    timer = threading.Timer(QUIET_S, lambda: click.echo(f"onggi: {sentence}", err=True))
    timer.daemon = True
    if not quiet:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Report:
    """What to hand over as `on_progress`, inside a `with` of its own. Any thread may call it."""

    def __init__(self, *, quiet: bool = False, terminal: bool | None = None) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._lock = threading.Lock()
        self._running: dict[Ref, Progress] = {}
        self._tasks: dict[Ref, TaskID] = {}
        self._bars: Bars | None = None
        self._ended = threading.Event()
        self._teller = threading.Thread(target=self._tell, name="onggi-progress", daemon=True)

    def __enter__(self) -> Self:
        if not self._quiet:
            self._teller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._teller.is_alive():
            self._teller.join()
        with self._lock:
            if self._bars is not None:
                self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        """Take note of where a step is."""
        ref = progress.step.ref
        with self._lock:
            if progress.outcome is None:
                self._running[ref] = progress
                self._draw(progress)
                return
            self._running.pop(ref, None)
            if self._bars is not None and (task := self._tasks.pop(ref, None)) is not None:
                self._bars.remove_task(task)
            result = progress.outcome.result.value
            if not self._quiet or result == "failed":  # who asked for quiet wants to know of errors all the more
                self._line(f"{progress.step.action.value} {ref}: {result}{_reason(progress)}")

    def _tell(self) -> None:
        """Say what still runs: bars once there is something to wait for, lines again and again."""
        wait_s = QUIET_S
        while not self._ended.wait(wait_s):
            wait_s = _AGAIN_S
            with self._lock:
                if self._terminal:
                    self._show_bars()
                    return
                for ref, progress in self._running.items():
                    self._line(f"  {ref} is {_doing(progress.operation)}{_percent(progress)} …")

    def _show_bars(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, console=Console(stderr=True, force_terminal=True), transient=True)
        self._bars.start()
        for progress in self._running.values():
            self._draw(progress)

    def _draw(self, progress: Progress) -> None:
        if self._bars is None:
            return
        ref = progress.step.ref
        text = printable(f"{ref} is {_doing(progress.operation)}")
        if ref not in self._tasks:
            self._tasks[ref] = self._bars.add_task(text, total=progress.total)
        self._bars.update(self._tasks[ref], description=text, completed=progress.done, total=progress.total)

    def _line(self, text: str) -> None:
        if self._bars is not None:
            self._bars.console.print(printable(text), markup=False, highlight=False)
        else:
            click.echo(printable(text), err=True)


def _doing(operation: Operation | None) -> str:
    return "being worked on" if operation is None else _WORDS.get(type(operation).__name__, "being worked on")


def _percent(progress: Progress) -> str:
    return f" ({_PERCENT * progress.done // progress.total} %)" if progress.total else ""


def _reason(progress: Progress) -> str:
    outcome = progress.outcome
    if outcome is None or not outcome.message:
        return f" after {outcome.duration_s:.0f} s" if outcome is not None and outcome.duration_s > QUIET_S else ""
    return f": {outcome.message}"
