"""Runs the command `onggi` in a process of its own, without what the start of an interpreter costs.

A server with everything imported and one thread forks for each command. Its child has the arguments, the folder, the
environment and the streams that it is given, and ends as an interpreter does. What a new interpreter itself is told
(`PYTHON*`, the language) gets one; how the command starts is left to the tests of that, which start it themselves.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

COMMAND = (sys.executable, "-m", "reconciler.cli.main")
FOR_THE_INTERPRETER = ("PYTHON", "LANG", "LC_", "LD_")
LARGEST_REQUEST = 1 << 17


def run(
    words: Sequence[str], *, cwd: Path | str, env: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` of the command with nothing to read."""
    own = {name: value for name, value in env.items() if os.environ.get(name) != value}
    if any(name.startswith(FOR_THE_INTERPRETER) for name in own):
        return subprocess.run(
            [*COMMAND, *words], cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout_s,
        )  # fmt: skip
    request = json.dumps({"words": words, "cwd": str(cwd), "env": dict(env)}).encode()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Path(os.devnull).open("rb") as nothing:
        code = _server().run(request, [nothing, out, err], timeout_s)
        printed, told = (_text(stream) for stream in (out, err))
    return subprocess.CompletedProcess([*COMMAND, *words], code, printed, told)


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return io.TextIOWrapper(stream).read()


class _Server:
    """The tests' side. It ends with the process that holds the other end of its socket."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.lab.forked", str(theirs.fileno())], pass_fds=[theirs.fileno()],
                cwd=Path(__file__).parents[2], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        atexit.register(self._end)

    def _end(self) -> None:
        self._socket.close()
        self._process.wait(60)

    def run(self, request: bytes, streams: list[IO[bytes]], timeout_s: float) -> int:
        reading, writing = os.pipe()
        try:
            socket.send_fds(self._socket, [request], [*(stream.fileno() for stream in streams), writing])
        finally:
            os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as answers:
            child = int(self._line(answers, 120, "the server of forked commands has ended"))
            if not select.select([answers], [], [], timeout_s)[0]:
                os.kill(child, signal.SIGKILL)
                raise subprocess.TimeoutExpired(COMMAND, timeout_s)
            return int(self._line(answers, 120, "a forked command has ended without a code"))

    def _line(self, answers: IO[bytes], timeout_s: float, otherwise: str) -> bytes:
        if not select.select([answers], [], [], timeout_s)[0]:
            raise AssertionError(otherwise)
        line = b""
        while not line.endswith(b"\n"):
            part = answers.read(1)
            assert part, otherwise
            line += part
        return line


@cache
def _server() -> _Server:
    return _Server()


# The server's side, and its children's


def serve(requests: socket.socket) -> int | None:
    """Fork for each request until nobody can ask any more. A command's code, in the process of that command."""
    import reconciler
    import specs
    from reconciler.cli import main

    for package in (specs, reconciler):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                __import__(module.name)
    assert threading.active_count() == 1, "what is imported has begun threads, which no child would have"
    gc.freeze()  # children that look for garbage would copy what they share
    while True:
        request, streams, _, _ = socket.recv_fds(requests, LARGEST_REQUEST, 4, socket.MSG_CMSG_CLOEXEC)
        if not request:
            return None
        waiting = os.fork()
        if waiting == 0:
            requests.close()
            return _begin(main.main, json.loads(request), streams)
        for stream in streams:
            os.close(stream)
        os.waitpid(waiting, 0)


def _begin(command: Any, request: dict[str, Any], streams: list[int]) -> int:
    """In a first child, which leaves at once and so frees the server; the second waits for the third, the command."""
    if os.fork():
        os._exit(0)
    *standard, answers = streams
    child = os.fork()
    if child:
        os.write(answers, f"{child}\n".encode())
        _, status = os.waitpid(child, 0)
        with suppress(BrokenPipeError):  # it took too long, and who waited has gone
            os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.close(answers)
    for number, stream in enumerate(standard):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = [sys.modules["reconciler.cli.main"].__file__ or "", *request["words"]]
    return int(command())


if __name__ == "__main__":
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))
