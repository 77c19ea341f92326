"""A real `onggi run` beside the benchmark, ready when its first pass is through."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bench.peers import onggi
from bench.process import environment
from bench.timing import seconds_until

_READY_S = 120
_STOP_S = 30


class Agent:
    """Use as a context manager. `log` holds what it said."""

    def __init__(self, repository: Path, state: Path, log: Path, *options: str) -> None:
        self._argv = onggi.command("run", repository, state, *options).argv
        self.log = log

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment()
            )
        self.process = psutil.Process(self._process.pid)
        try:
            self.ready_s = seconds_until(self._ready, "onggi run's first pass", timeout_s=_READY_S)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def url(self) -> str:
        """Where its API answers, when `options` had it listen."""
        return self.log.read_text(errors="replace").partition("serving on ")[2].split()[0]

    def rss_mb(self) -> float:
        """Resident memory of the process, in MB (10⁶ bytes)."""
        return float(self.process.memory_info().rss) / 1e6

    def _ready(self) -> bool:
        said = self.log.read_text(errors="replace")
        if self._process.poll() is not None:
            raise RuntimeError(f"onggi run ended with {self._process.returncode}: {said[-1500:]}")
        return "ready at " in said

    def _stop(self) -> None:
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_S)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
