"""One bounded way to run a program of the host: no shell, a time limit, an output limit, and an end that is an end.

Everything that a program started and that stayed in its session ends with it, when it is ended before it is done. What
its output means, and which arguments are safe, is left to the callers.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import Cancelled, Terminal, Transient, Unsupported

MIB: Final = 1024 * 1024
_TICK_S: Final = 0.2  # how soon a stop is seen
_LONGEST_LINE: Final = 500
_DRAINED_S: Final = 2.0  # for output that a program left behind in its pipes when it ended
# A service's environment may hold secrets; programs get the little that they need.
_HANDED_ON: Final = (
    "HOME", "TMPDIR", "USER", "LOGNAME", "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "HTTP_PROXY",
    "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip
# Runs the rest of the command line as itself, where SIGINT ends it again.
_HEARS_INTERRUPTS: Final = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


class TooSlow(Transient):
    """The program was ended because its time was over."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the host, and what to install where it is missing. `purpose` completes "… is needed to …"."""

    name: str
    package: str
    purpose: str

    @property
    def present(self) -> bool:
        """True when it can be run."""
        return find(self.name) is not None


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: its exit code (negative: the signal), and what it wrote."""

    code: int
    output: str
    complaint: str

    @property
    def reason(self) -> str:
        """The last thing that it complained about, in one printable line without a full stop."""
        lines = [line for line in printable_lines(self.complaint or self.output) if line]
        return lines[-1][:300].rstrip(".") if lines else f"it ended with code {self.code} and said nothing"


def find(name: str) -> str | None:
    """The absolute path of a program on PATH, or beside it: Debian keeps `sbin` from the PATH of ordinary users."""
    folders: list[str] = []
    for folder in os.environ.get("PATH", "/usr/bin:/bin").split(os.pathsep):
        if not folder.startswith("/"):
            continue  # a relative one would run what lies in the current folder
        folders.append(folder)
        if folder.endswith("/bin"):
            folders.append(f"{folder.removesuffix('/bin')}/sbin")
    return shutil.which(name, path=os.pathsep.join(folders)) if folders else None


def run(
    program: Program,
    arguments: Sequence[str | Path],
    *,
    timeout_s: float,
    most_bytes: int = 4 * MIB,
    environment: Mapping[str, str] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Finished:
    """Run it to its end; a code other than 0 is the caller's to judge.

    Raises Unsupported when it isn't installed, TooSlow after `timeout_s`, Terminal when it writes more than
    `most_bytes`, Cancelled soon after `stop()` is true. Whatever is raised, nothing of it runs any more.
    """
    return _Run(program, arguments, environment, timeout_s=timeout_s, most_bytes=most_bytes, stop=stop).finish()


def follow(
    program: Program,
    arguments: Sequence[str | Path],
    *,
    timeout_s: float,
    on_line: Callable[[str], None],
    stop: Callable[[], bool] = lambda: False,
    watch: Callable[[], None] = lambda: None,
    environment: Mapping[str, str] | None = None,
    gentle_s: float = 0.0,
) -> Finished:
    """Run something long, telling `on_line` each printable line while it runs; only the last 64 KiB are kept.

    `watch` is called several times a second, and what it raises ends the program. With `gentle_s` the program is first
    interrupted (SIGINT to it alone, so that what it started may come to its end) and killed after that many seconds.
    Raises as `run` does, apart from the limit of output.
    """
    return _Run(
        program, arguments, environment, timeout_s=timeout_s, most_bytes=0, stop=stop, on_line=on_line, watch=watch,
        gentle_s=gentle_s,
    ).finish()  # fmt: skip


def printable_lines(text: str) -> list[str]:
    """The lines of a program's output, without what could move a terminal's cursor, and none longer than 500."""
    without_colours = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", text)
    lines = re.split(r"[\r\n]+", without_colours)
    return [re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", line).strip()[:_LONGEST_LINE] for line in lines]


class _Run:
    """One run of one program. The pipes are read as they fill; its end counts, whoever holds them open then."""

    def __init__(
        self,
        program: Program,
        arguments: Sequence[str | Path],
        environment: Mapping[str, str] | None,
        *,
        timeout_s: float,
        most_bytes: int,
        stop: Callable[[], bool],
        on_line: Callable[[str], None] | None = None,
        watch: Callable[[], None] = lambda: None,
        gentle_s: float = 0.0,
    ) -> None:
        self._name = program.name
        self._timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._stop = stop
        self._on_line = on_line
        self._watch = watch
        self._gentle_s = gentle_s
        self._unfinished_line = b""
        path = find(program.name)
        if path is None:
            raise Unsupported(
                f"{program.name} is needed to {program.purpose}; install it (Debian package {program.package})."
            )
        if stop():
            raise Cancelled(f"Nothing is begun any more; {program.name} wasn't started.")
        try:
            self._process = subprocess.Popen(  # noqa: S603 - an absolute path, a list of arguments, no shell
                [*(_hearing() if gentle_s else ()), path, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if on_line else subprocess.PIPE,
                bufsize=0,
                cwd="/",
                env=_environment(environment or {}),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise Terminal(f"{program.name} can't be started ({error}); check its installation.") from None
        self._output = bytearray()
        self._complaint = bytearray()

    def finish(self) -> Finished:
        process = self._process
        pipes = [
            (pipe, kept)
            for pipe, kept in ((process.stdout, self._output), (process.stderr, self._complaint))
            if pipe is not None
        ]
        try:
            with selectors.DefaultSelector() as selector:
                for pipe, kept in pipes:
                    os.set_blocking(pipe.fileno(), False)
                    selector.register(pipe, selectors.EVENT_READ, kept)
                self._attend(selector)
            self._tell(b"\n")
            code = process.wait()
        except BaseException:
            self._end()
            raise
        finally:
            for pipe, _ in pipes:
                pipe.close()
        return Finished(code, self._output.decode("utf-8", "replace"), self._complaint.decode("utf-8", "replace"))

    def _attend(self, selector: selectors.BaseSelector) -> None:
        deadline = time.monotonic() + self._timeout_s
        drained: float | None = None
        while selector.get_map():
            for key, _ in selector.select(_TICK_S):
                if not self._read(key.fd, key.data):
                    selector.unregister(key.fileobj)
            now = time.monotonic()
            if drained is None and self._process.poll() is not None:
                drained = now + _DRAINED_S  # something that it left behind may hold the pipes for ever
            if drained is not None:
                if now >= drained:
                    break
                continue
            self._check(now, deadline)
        while self._process.poll() is None:  # it closed its output and goes on
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_TICK_S)
                break
            self._check(time.monotonic(), deadline)

    def _check(self, now: float, deadline: float) -> None:
        self._watch()
        if self._stop():
            raise Cancelled(f"{self._name} was ended, as asked for.")
        if now >= deadline:
            raise TooSlow(
                f"{self._name} didn't come to an end within {self._timeout_s:g} s and was ended; try again later.",
                retry_after_s=10.0,
            )

    def _read(self, descriptor: int, kept: bytearray) -> bool:
        """Take what is there; False at the end of the pipe."""
        try:
            chunk = os.read(descriptor, 64 * 1024)
        except BlockingIOError:
            return True
        kept += chunk
        if self._on_line is not None:
            del kept[: -64 * 1024]
            self._tell(chunk)
        elif len(self._output) + len(self._complaint) > self._most_bytes:
            raise Terminal(f"{self._name} wrote more than {self._most_bytes} bytes and was ended; run it by hand.")
        return bool(chunk)

    def _tell(self, chunk: bytes) -> None:
        if self._on_line is None:
            return
        *whole, self._unfinished_line = re.split(rb"[\r\n]", self._unfinished_line + chunk)
        self._unfinished_line = self._unfinished_line[-64 * 1024 :]
        for raw in whole:
            for line in filter(None, printable_lines(raw.decode("utf-8", "replace"))):
                self._on_line(line)

    def _end(self) -> None:
        process = self._process
        if self._gentle_s and process.poll() is None:
            process.send_signal(signal.SIGINT)
            self._drain_until(time.monotonic() + self._gentle_s)
        end_session(process.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):  # one that hangs in the kernel ends when that lets it
            process.wait(_DRAINED_S)

    def _drain_until(self, deadline: float) -> None:
        """Wait for the end while reading on: a program that can't write can't tidy up either."""
        pipes = [pipe for pipe in (self._process.stdout, self._process.stderr) if pipe is not None]
        while self._process.poll() is None and time.monotonic() < deadline:
            for pipe in pipes:
                with contextlib.suppress(OSError):
                    while os.read(pipe.fileno(), 64 * 1024):
                        pass
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_TICK_S)


def end_session(leader: int) -> None:
    """Kill every process of the session that `leader` leads or led, until none is left.

    A process group isn't enough: `timeout`, with which many programs start others, makes a group of its own.
    """
    for _ in range(50):
        members = _members(leader)
        if not members:
            return
        for descriptor in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            os.close(descriptor)
        time.sleep(0.02)


def _members(leader: int) -> list[int]:
    """Handles of the living processes of a session, which stay theirs however the numbers are reused."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        pid = int(entry.name)
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            continue
        try:
            state = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            mine = os.getsid(pid) == leader and state not in "ZX"
        except (OSError, IndexError):
            mine = False
        if mine:
            found.append(descriptor)
        else:
            os.close(descriptor)
    return found


def _hearing() -> tuple[str, ...]:
    """What a program is started through so that it can be interrupted.

    Whoever was started in the background by a script, or by some CI's runners, ignores SIGINT, and so do the programs
    that it starts: such a one would go on to its end. Only the new process itself can change that before the program.
    """
    deaf = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    return (sys.executable, "-I", "-S", "-c", _HEARS_INTERRUPTS) if deaf else ()


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    path = os.environ.get("PATH", "")
    sbin = [folder for folder in ("/usr/local/sbin", "/usr/sbin", "/sbin") if folder not in path.split(os.pathsep)]
    # dpkg refuses to work without the folders of administrators.
    return kept | {"PATH": os.pathsep.join([path, *sbin]) if path else os.pathsep.join(sbin), "LC_ALL": "C"} | {**more}
