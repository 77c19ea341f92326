"""Peers that are Python programs, each in an environment of its own below .cache/bench, installed when missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.peers import UnavailableError

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "bench"
_LIMIT_S = 900


def environment(name: str, *packages: str, program: str) -> Path:
    """The folder of programs of an environment with `packages`. Raises UnavailableError with the installer's words."""
    folder = CACHE / name
    if not (folder / "installed").exists():
        print(f"installing {', '.join(packages)} for the comparison …", file=sys.stderr, flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, *packages)
        (folder / "installed").touch()
    if not (folder / "bin" / program).exists():
        raise UnavailableError(f"{packages[0]} was installed, but brought no program {program}")
    return folder / "bin"


def _run(*argv: str) -> None:
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(str(error)) from None
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())
        raise UnavailableError(f"it couldn't be installed: {words[-300:]}")
