"""Network namespaces that a test makes for itself: what binds to every address there reaches nobody.

One lives as long as a process that does nothing else, and is gone with it. It has a `/run` of its own, for the sockets
and locks of servers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.lab.waiting import until

ROOT = Path(__file__).parents[2]
_SETUP = "ip link set lo up && mount -t tmpfs none /run && echo ready && exec sleep infinity"


class Namespace:
    def __init__(self, keeper: subprocess.Popen[str]) -> None:
        self._keeper = keeper
        self._started: list[subprocess.Popen[str]] = []

    @property
    def pid(self) -> int:
        """A process inside, by which others find the way in."""
        return self._keeper.pid

    def run(self, *command: str | Path, timeout_s: float = 60) -> str:
        done = subprocess.run(
            self._inside(command), capture_output=True, text=True, timeout=timeout_s, cwd=ROOT, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def python(self, code: str, *arguments: str, timeout_s: float = 60) -> str:
        return self.run(sys.executable, "-c", code, *arguments, timeout_s=timeout_s)

    def start(self, *command: str | Path) -> subprocess.Popen[str]:
        """Something that runs until the end of the test."""
        process = subprocess.Popen(
            self._inside(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        for process in [*reversed(self._started), self._keeper]:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in filter(None, (process.stdin, process.stdout)):
                with suppress(OSError):
                    pipe.close()

    def _inside(self, command: Sequence[str | Path]) -> list[str]:
        return ["nsenter", "-t", str(self.pid), "-n", "-m", *map(str, command)]


@contextmanager
def namespace() -> Iterator[Namespace]:
    keeper = subprocess.Popen(
        ["unshare", "-n", "-m", "sh", "-c", _SETUP], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    made = Namespace(keeper)
    try:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "ready\n"
        yield made
    finally:
        made.close()


def connect(one: Namespace, other: Namespace) -> None:
    """A cable between two of them: 10.99.0.1 and 10.99.0.2, each device called `wire`."""
    one.run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", str(other.pid))
    for number, side in enumerate((one, other), start=1):
        side.run("ip", "address", "add", f"10.99.0.{number}/24", "dev", "wire")
        side.run("ip", "link", "set", "wire", "up", "multicast", "on")
        side.run("ip", "route", "add", "224.0.0.0/4", "dev", "wire")
    until(lambda: "LOWER_UP" in one.run("ip", "link", "show", "wire"), 60, "the cable is plugged in")
