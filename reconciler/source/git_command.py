"""The git command, for what needs the user's credentials, ssh configuration, signing keys and helpers.

Its arguments never pass a shell, nothing that a repository brings along is run (hooks, fsmonitor, `ext::` transports),
it never waits for somebody to type, and it ends with the timeout. A password goes to it in its environment, which only
this user can read, and never in an argument, which everybody can.
"""

from __future__ import annotations

import base64
import os
import re
import resource
import shlex
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from reconciler.confined.identity import Identity
from reconciler.confined.program import program_as
from reconciler.errors import Cancelled, OnggiError, SourceError, Transient
from reconciler.source import limits
from reconciler.source.foreign.judging import others_at
from reconciler.source.location import Remote

_OPTIONS = (
    "-c", "protocol.ext.allow=never",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.bigFileThreshold=2m",  # what is larger is no document, and passes through without filling the memory
    "-c", "gc.autoDetach=false",  # tidying up ends before we go on, so that nothing outlives the timeout
    "-c", "maintenance.autoDetach=false",
)  # fmt: skip

# Variables of a git that started us (as in a hook) would point ours at its repository.
_FOREIGN = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS", "GIT_TRACE", "GIT_TRACE_CURL", "GIT_TRACE_PACKET", "GIT_CURL_VERBOSE",
)  # fmt: skip

# git's last words when ssh has already said what is wrong.
_BOILERPLATE = re.compile(
    r"Could not read from remote repository|make sure you have the correct access|^and the reposit"
)


# What git runs at the other end, which for a file URL is this machine, and the option that says how.
_OTHER_END = {"ls-remote": "upload-pack", "fetch": "upload-pack", "push": "receive-pack"}


_TOO_LARGE_S = 600.0  # until a fetch that brought too much is tried again


class GitCommand:
    """Runs git against one remote, one command at a time; as `identity`, or as ourselves."""

    def __init__(self, remote: Remote, *, timeout_s: float, identity: Identity | None = None) -> None:
        self._remote = remote
        self._identity = identity
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._closed = False

    def run(
        self,
        *arguments: str,
        given: str | None = None,
        env: Mapping[str, str] | None = None,
        doing: str = "read",
        remedy: str = "check the network, the address and that this user's git may read it",
    ) -> str:
        """Standard output of `git arguments…`, with `given` on its input and `env` added to its surroundings.

        Raises Transient when it fails (a sentence with `doing` and `remedy`) or is too slow, Cancelled once closed.
        """
        words = self._other_end(arguments)
        with self._lock:
            if self._closed:
                raise Cancelled("The agent is stopping; the source isn't asked any more.")
            process = self._process = self._start(words, given, env or {})
            if "fetch" in words:
                _bound(process, limits.most_fetched())
        try:
            output, complaint = process.communicate(given, timeout=self._timeout_s)
        except subprocess.TimeoutExpired:
            self._end(process)
            raise Transient(
                f"{self._remote.key} didn't answer within {self._timeout_s:g} s; check the network and the address.",
                retry_after_s=10.0,
            ) from None
        finally:
            with self._lock:
                self._process = None
        if self._closed:
            raise Cancelled("The agent is stopping; the fetch was ended.")
        if process.returncode != 0:
            raise Transient(
                f"{self._remote.key} can't be {doing}: {self._reason(complaint)}; {remedy}.",
                retry_after_s=10.0,
            )
        return output

    def fetch(self, mirror: Path, *refspecs: str) -> None:
        """Into a bare repository, and nothing else. Raises as `run`; what came of it by then is removed."""
        try:
            self.run(
                f"--git-dir={mirror}", "fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head",
                "--no-recurse-submodules", "--end-of-options", self._remote.url, *refspecs,
            )  # fmt: skip
        except OnggiError as error:
            most, largest = limits.most_fetched(), 0
            for left in (mirror / "objects").rglob("tmp_*"):
                largest = max(largest, left.stat().st_size)
                left.unlink(missing_ok=True)
            if largest < most:
                raise
            raise Transient(
                f"A fetch from {self._remote.key} would bring more than {most >> 20} MiB, and was ended; keep there "
                "what documents need and nothing else, or raise --max-fetch (max-fetch in the settings).",
                retry_after_s=_TOO_LARGE_S,
            ) from error

    def close(self) -> None:
        """End the command that is running; none is started after that."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._signal(self._process)

    def _other_end(self, arguments: Sequence[str]) -> Sequence[str]:
        """With a repository of another user on this machine, its end of the talk is that user's: it reads their
        configuration, follows their links and runs their hooks.
        """
        if os.geteuid() != 0 or not self._remote.url.startswith("file:"):
            return arguments
        verb = next((word for word in arguments if word in _OTHER_END), None)
        others = others_at(Path(unquote(urlsplit(self._remote.url).path))) if verb is not None else None
        if verb is None or others is None:
            return arguments
        program = _OTHER_END[verb]
        words = program_as(others.identity, ["git", "-c", "safe.directory=*", program])
        after = arguments.index(verb) + 1
        return [*arguments[:after], f"--{program}={shlex.join(words)}", *arguments[after:]]

    def _start(self, arguments: Sequence[str], given: str | None, env: Mapping[str, str]) -> subprocess.Popen[str]:
        words = ["git", *_OPTIONS, *arguments]
        if self._identity is not None:
            words = program_as(self._identity, words, {"GIT_TERMINAL_PROMPT": "0", **env})
        try:
            # A session of its own: no terminal to ask on, and helpers such as ssh end together with git.
            return subprocess.Popen(  # noqa: S603 - a fixed program, found on PATH as the user's own git is; every argument that a user chose is behind `--end-of-options`
                words,
                stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=environment(self._remote, os.environ) | dict(env),
                start_new_session=True,
            )
        except FileNotFoundError:
            raise SourceError("The git command isn't installed; install it to use a remote repository.") from None

    def _end(self, process: subprocess.Popen[str]) -> None:
        self._signal(process)
        process.communicate()

    @staticmethod
    def _signal(process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    def _reason(self, complaint: str) -> str:
        """What git says in its most telling line, without anything secret."""
        lines = [line for raw in complaint.splitlines() if (line := raw.strip()) and not _BOILERPLATE.search(line)]
        telling = [line for line in lines if re.match(r"(fatal|error|ssh|ERROR|remote):", line)] or lines[-1:]
        text = re.sub(r"^(fatal|error|ERROR): ", "", telling[0]) if telling else "git failed without a word"
        for secret in filter(None, (self._remote.password, quote(self._remote.password), self._remote.user)):
            text = text.replace(secret, "…")
        return re.sub(r"//[^/\s]*@", "//", _printable(text))[:300].rstrip(".")


def _bound(process: subprocess.Popen[str], most: int) -> None:
    """No file that it writes gets larger: the kernel ends who tries. Its helpers, which start later, inherit that."""
    with suppress(ProcessLookupError):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))


def _printable(text: str) -> str:
    """What a server sent, without characters that could move a terminal's cursor."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "?", text)


def environment(remote: Remote, inherited: Mapping[str, str]) -> dict[str, str]:
    """The user's environment, made non-interactive, plus the remote's credentials as git configuration."""
    env = {name: value for name, value in inherited.items() if name not in _FOREIGN}
    env |= {
        "GIT_TERMINAL_PROMPT": "0",
        "SSH_ASKPASS_REQUIRE": "never",
        "GIT_ALLOW_PROTOCOL": "file:https:ssh",  # also where a configured `insteadOf` or a redirect leads elsewhere
        "LC_ALL": "C",
    }
    origin = "/".join(remote.url.split("/")[:3])
    settings: list[tuple[str, str]] = []
    if remote.password:
        basic = base64.b64encode(f"{remote.user}:{remote.password}".encode()).decode()
        settings.append((f"http.{origin}/.extraHeader", f"Authorization: Basic {basic}"))
    elif remote.user:
        settings.append((f"credential.{origin}.username", remote.user))
    present = env.get("GIT_CONFIG_COUNT", "0")
    count = int(present) if present.isdecimal() else 0
    for number, (name, value) in enumerate(settings, start=count):
        env[f"GIT_CONFIG_KEY_{number}"] = name
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    if settings:
        env["GIT_CONFIG_COUNT"] = str(count + len(settings))
    return env
