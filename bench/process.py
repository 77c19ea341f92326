"""Programs that are measured, run as processes of their own to the end: their start counts, as it does for a person."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_LIMIT_S = 180


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's variables, and Python may keep bytecode: an installed program isn't compiled each time."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | dict(more or {})


class FailedError(Exception):
    """A program ended with an error; the text says which, and its last line."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `stdin` is a file; without one it is empty."""

    argv: tuple[str, ...]
    stdin: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Run it to its end. Raises FailedError."""
        with (self.stdin or Path(os.devnull)).open("rb") as given:
            try:
                done = subprocess.run(
                    self.argv,
                    stdin=given,
                    env=environment(self.environment),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=_LIMIT_S,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise FailedError(str(error)) from None
        if done.returncode:
            last = (done.stdout.strip().splitlines() or ["it said nothing"])[-1]
            raise FailedError(f"{Path(self.argv[0]).name} ended with {done.returncode}: {last}")
