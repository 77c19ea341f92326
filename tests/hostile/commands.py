"""The command `onggi` as a user or a script runs it: a process of its own, seen only by what it prints and returns."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.lab import forked

ONGGI = forked.COMMAND
MISTAKE = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<message>\S.*)")

# Nothing of the machine's own settings may reach a test.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(("ONGGI_", "GIT_"))}
ENVIRONMENT["ONGGI_ALLOWED_NETWORK"] = "127.0.0.0/8"  # where the tests' own servers are
ENVIRONMENT["ONGGI_ALLOWED_POOL_FOLDER"] = "/"  # and where their pools are


def onggi(*words: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end. No verb may ever end with a traceback."""
    done = forked.run([*map(str, words)], cwd=Path.cwd(), env=ENVIRONMENT, timeout_s=timeout_s)
    assert "Traceback" not in done.stderr, done.stderr
    assert "something unexpected" not in done.stderr, done.stderr
    return done


def told(done: subprocess.CompletedProcess[str]) -> Any:
    """What a verb with `-o json` printed."""
    assert done.stdout, f"nothing was printed; stderr: {done.stderr}"
    return json.loads(done.stdout)


def mistakes(done: subprocess.CompletedProcess[str]) -> list[tuple[str, int, int, str]]:
    """Each line of `onggi validate` as (file, line, column, message); fails for a line of another shape."""
    found = []
    for line in done.stdout.splitlines():
        match = MISTAKE.fullmatch(line)
        assert match is not None, f"not `file:line:column: message`: {line!r}"
        found.append((Path(match["file"]).name, int(match["line"]), int(match["column"]), match["message"]))
    return found


def planned(plan: Any) -> set[str]:
    """The names of what a plan would do something to."""
    return {step["name"] for step in plan["steps"]}


def error(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a verb that failed as a whole."""
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    lines = [line for line in done.stderr.splitlines() if line.startswith("onggi: error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0].removeprefix("onggi: error: ")
