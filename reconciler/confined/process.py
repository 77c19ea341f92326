"""Starts a confined child and asks it. Whatever happens in there, an answer or an error is here by the deadline.

A child that hangs, dies or says nonsense is killed with all that it has started, and the next question has a new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from reconciler.confined.frames import BrokenTalkError, Frame, Most, receive, send
from reconciler.confined.identity import Identity
from specs.plain import NewJson

_ROOT: Final = Path(__file__).resolve().parents[2]
_BEGIN: Final = "import sys; sys.path.insert(0, {root!r}); from reconciler.confined.{module} import main; main()"
_START_S: Final = 20.0

_running: weakref.WeakSet[Confined] = weakref.WeakSet()


def interpreter(module: str) -> list[str]:
    """The words that run a module of this package, wherever it is installed, with nothing of the user's own."""
    return [sys.executable, "-I", "-c", _BEGIN.format(root=str(_ROOT), module=module)]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use. `patience_s` is for one question, of the clock and of the processor."""

    patience_s: float = 30.0
    memory: int = 1 << 30
    files: int = 1024
    file_size: int = 256 << 20
    answer: Most = field(default_factory=Most)
    question: Most = field(default_factory=Most)


class Confined:
    """One child, made when it is first asked. For any thread; questions are answered one after the other.

    `module` has a function `answers(task)` that returns what answers a frame; `task` is JSON. As `identity`, or with
    None as ourselves within the limits.
    """

    def __init__(self, module: str, task: NewJson, identity: Identity | None, limits: Limits) -> None:
        self._module = module
        self._task = task
        self._identity = identity
        self._limits = limits
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self.born = 0  # how many children there were
        self._news = -1  # a pipe to hear from the present child beside its answers; -1: there is none
        _running.add(self)

    def ask(self, question: Frame) -> Frame:
        """The answer. Raises BrokenTalkError when there is none."""
        with self._asking:
            process = self._started()
            assert process.stdin is not None and process.stdout is not None  # noqa: S101 - they are pipes
            deadline = time.monotonic() + self._limits.patience_s
            try:
                send(process.stdin.fileno(), question, deadline)
                return receive(process.stdout.fileno(), self._limits.answer, deadline)
            except BaseException:
                self._end(process)
                raise

    def restarted(self) -> None:
        """Have the next question answered by a new child."""
        with self._asking:
            if self._process is not None:
                self._end(self._process)

    def listening(self) -> tuple[int, int]:
        """The present child's number, and a descriptor to hear its news from, the caller's. Raises BrokenTalkError."""
        with self._asking:
            self._started()
            return self.born, os.dup(self._news)

    def kill(self) -> None:
        """End the child, whatever it does; who waits for its answer is told so."""
        if (process := self._process) is not None:
            _kill(process)

    def close(self) -> None:
        """End the child; there is no other."""
        self._closed = True
        self.kill()
        if self._asking.acquire(timeout=1.0):
            try:
                if self._process is not None:
                    self._end(self._process)
            finally:
                self._asking.release()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise BrokenTalkError("it isn't asked any more, for the agent is ending")
        if self._process is not None:
            if self._process.poll() is None:
                return self._process
            self._end(self._process)
        news, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        identity, limits = self._identity, self._limits
        order = {
            "module": self._module, "task": {**self._task, "news": theirs}, "memory": limits.memory,
            "files": limits.files, "file_size": limits.file_size, "patience_s": limits.patience_s,
            "most_parts": limits.question.parts, "most_size": limits.question.size,
            "identity": None if identity is None else asdict(identity),
        }  # fmt: skip
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8",
            "HOME": identity.home if identity is not None else os.environ.get("HOME", "/nonexistent"),
        }  # fmt: skip
        try:
            process = subprocess.Popen(  # noqa: S603 - this very interpreter, and an order of our own
                [*interpreter("child"), json.dumps(order)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env=environment,
                start_new_session=True, pass_fds=(theirs,), umask=0o022,
            )  # fmt: skip
        except OSError as error:
            os.close(news)
            raise BrokenTalkError(f"it can't be started ({error.strerror})") from None
        finally:
            os.close(theirs)
        self._process, self._news = process, news
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - they are pipes
        try:
            for pipe in (process.stdin, process.stdout):
                os.set_blocking(pipe.fileno(), False)
            _await_ready(process.stdout.fileno())
        except BaseException:
            self._end(process)
            raise
        self.born += 1
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        _kill(process)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        if self._process is process:
            self._process = None
            os.close(self._news)
            self._news = -1


def _await_ready(descriptor: int) -> None:
    """Raises BrokenTalkError when the child couldn't begin. Until it has, it is still ours, and says why."""
    begun = receive(descriptor, Most(), time.monotonic() + _START_S).header
    if begun.get("ready") is not True:
        raise BrokenTalkError(str(begun.get("lacking")))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The child and all that it has started. Its group is its own, and it isn't waited for by anybody else."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def kill_all() -> None:
    """End every child, for who is about to leave without asking anybody."""
    for confined in list(_running):
        confined.kill()
