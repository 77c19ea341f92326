"""The packages of the host that have a newer version, and bringing them up to date: APT's and DNF's.

Nothing asks, nothing is removed to make room, settings that people changed stay, and no service is restarted beyond
what the packages do themselves. Which repositories they come from is in `reconciler.host.repositories`.
"""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import Cancelled, NotFound, Refused, Terminal, Transient
from reconciler.host.commands import Finished, Program, follow, printable_lines, run

ALL_UPDATED: Final = "All packages updated"  # the last words of a successful update, which clients look for

_LISTED_S: Final = 120.0
_INTERRUPTED_S: Final = 300.0  # a package that is being unpacked is finished first, or the system is left half-made
_APT: Final = Program("apt-get", "apt", "update packages")
_DPKG: Final = Program("dpkg", "dpkg", "update packages")
_DNF: Final = Program("dnf", "dnf", "update packages")

_QUIET: Final = {
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBIAN_PRIORITY": "critical",
    "APT_LISTCHANGES_FRONTEND": "none",
    "UCF_FORCE_CONFFOLD": "1",
    # needrestart would restart services; listing them is enough, for libvirt's have guests that run.
    "NEEDRESTART_MODE": "l",
}
_SIMULATED = re.compile(
    r"Inst (?P<name>[^\s:]+)\S* \[(?P<old>[^\]]*)\] "
    r"\((?P<version>\S+)(?: (?P<origins>.*?))??(?: \[(?P<arch>[^\]\s]+)\])?\)"
)
_LOCKED = re.compile(r"Could not get lock|Unable to lock|is another process using it", re.IGNORECASE)

_FORBIDDEN = re.compile(r"Permission denied|are you root", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A package that is installed and has a newer `version`, in `repository`, as the tool names it."""

    package_name: str
    version: str
    arch: str
    repository: str


class Packages(ABC):
    """The packages of one host. `timeout_s` bounds a whole update, `lock_wait_s` the wait for another tool's work.

    Raises Unsupported when the tool isn't there, Transient when it fails for now, Terminal when it fails.
    """

    def __init__(self, *, timeout_s: float = 3600.0, lock_wait_s: float = 600.0) -> None:
        self._timeout_s = timeout_s
        self._lock_wait_s = lock_wait_s
        self._updating = threading.Lock()

    @abstractmethod
    def upgradable(self) -> tuple[Upgrade, ...]:
        """What an update would bring, by name, as far as the lists that were fetched last tell."""

    def get(self, name: str) -> Upgrade:
        """One of them; raises NotFound."""
        for each in self.upgradable():
            if each.package_name == name:
                return each
        raise NotFound(f"There is no update for a package {name!r}; the list of updates names those that there are.")

    def upgrade(
        self, progress: Callable[[str], None], *, stop: Callable[[], bool] = lambda: False
    ) -> tuple[Upgrade, ...]:
        """Fetch the lists and install every update; what was installed. Blocks; `progress` is told what the tool says.

        Raises Refused when there is nothing to do (NothingToUpdate) or another update of ours runs (UpdateRunning), and
        Cancelled after `stop()`: what is being unpacked then is finished first, for minutes if need be.
        """
        if not self._updating.acquire(blocking=False):
            raise Refused("An update of the packages is running; wait for its end.", reason="UpdateRunning")
        try:
            self._refresh(progress, stop)
            wanted = self.upgradable()
            if not wanted:
                raise Refused("Every package is up to date; there is nothing to do.", reason="NothingToUpdate")
            progress(f"Updating {len(wanted)} packages")
            self._install(progress, stop)
            progress(ALL_UPDATED)
            return wanted
        finally:
            self._updating.release()

    @abstractmethod
    def _refresh(self, progress: Callable[[str], None], stop: Callable[[], bool]) -> None: ...

    @abstractmethod
    def _install(self, progress: Callable[[str], None], stop: Callable[[], bool]) -> None: ...


class AptPackages(Packages):
    """Debian's. `settings` is an APT configuration that is read before the host's own; `root` is where dpkg works."""

    def __init__(
        self,
        *,
        settings: Path | None = None,
        root: Path = Path("/"),
        timeout_s: float = 3600.0,
        lock_wait_s: float = 600.0,
    ) -> None:
        super().__init__(timeout_s=timeout_s, lock_wait_s=lock_wait_s)
        self._environment: Mapping[str, str] = _QUIET | ({"APT_CONFIG": str(settings)} if settings else {})
        self._root = root

    def upgradable(self) -> tuple[Upgrade, ...]:
        """What an update would bring, by name, as far as the lists that were fetched last tell."""
        arguments = ["-s", "-q", "-o", "APT::Get::Show-User-Simulation-Note=no", "upgrade", "--with-new-pkgs"]
        done = run(_APT, arguments, timeout_s=_LISTED_S, environment=self._environment)
        if done.code != 0:
            raise _failure("The packages can't be listed", done)
        return tuple(sorted(_simulated(done.output), key=lambda each: (each.package_name, each.arch)))

    def _refresh(self, progress: Callable[[str], None], stop: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._lock_wait_s
        while True:
            done = self._follow(["update"], progress, stop, gentle_s=0.0)
            if done.code != 0 and _FORBIDDEN.search(done.output):
                raise _failure("The lists of packages can't be fetched", done)
            if done.code == 0 or not _LOCKED.search(done.output):
                break
            # APT waits for dpkg's lock by itself, but not for that of its lists.
            if time.monotonic() >= deadline:
                raise _failure("The lists of packages are in use by another tool", done)
            _wait(1.0, stop)
        if done.code != 0:
            progress(f"Some lists of packages can't be fetched ({done.reason}); going on with those that are here")

    def _install(self, progress: Callable[[str], None], stop: Callable[[], bool]) -> None:
        arguments = [
            "-y", "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold",
            "-o", f"DPkg::Lock::Timeout={self._lock_wait_s:.0f}", "upgrade", "--with-new-pkgs",
        ]  # fmt: skip
        done = self._follow(arguments, progress, stop, gentle_s=_INTERRUPTED_S)
        if done.code != 0 and "dpkg was interrupted" in done.output:
            progress("Finishing what an earlier update was interrupted in")
            follow(
                _DPKG,
                [
                    *([f"--root={self._root}"] if self._root != Path("/") else []),
                    "--force-confold",
                    "--configure",
                    "-a",
                ],
                timeout_s=self._timeout_s,
                on_line=progress,
                stop=stop,
                environment=self._environment,
                gentle_s=_INTERRUPTED_S,
            )
            done = self._follow(arguments, progress, stop, gentle_s=_INTERRUPTED_S)
        if done.code != 0:
            raise _failure("The packages can't be updated", done)

    def _follow(
        self, arguments: Sequence[str], progress: Callable[[str], None], stop: Callable[[], bool], *, gentle_s: float
    ) -> Finished:
        return follow(
            _APT,
            ["-q", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Color=0", *arguments],
            timeout_s=self._timeout_s,
            on_line=progress,
            stop=stop,
            environment=self._environment,
            gentle_s=gentle_s,
        )


class DnfPackages(Packages):
    """Fedora's and its relatives'. `options` come before each command."""

    def __init__(self, *, options: Sequence[str] = (), timeout_s: float = 3600.0, lock_wait_s: float = 600.0) -> None:
        super().__init__(timeout_s=timeout_s, lock_wait_s=lock_wait_s)
        self._options = ["-q", *options]

    def upgradable(self) -> tuple[Upgrade, ...]:
        """What an update would bring, by name, as far as the lists that were fetched last tell."""
        # `check-update` prints for people and folds long lines; this is the same question in a fixed form.
        form = "%{name}|%{evr}|%{arch}|%{repoid}\n"
        arguments = [*self._options, "-y", "repoquery", "--upgrades", "--latest-limit=1", "--queryformat", form]
        done = run(_DNF, arguments, timeout_s=_LISTED_S, environment=_QUIET)
        if done.code != 0:
            raise _failure("The packages can't be listed", done)
        found = (line.split("|") for line in printable_lines(done.output))
        return tuple(
            sorted({Upgrade(*parts) for parts in found if len(parts) == 4}, key=lambda each: each.package_name)
        )

    def _refresh(self, progress: Callable[[str], None], stop: Callable[[], bool]) -> None:
        done = self._follow(["makecache", "--refresh"], progress, stop, gentle_s=0.0)
        if done.code != 0:
            progress(f"Some lists of packages can't be fetched ({done.reason}); going on with those that are here")

    def _install(self, progress: Callable[[str], None], stop: Callable[[], bool]) -> None:
        done = self._follow(["upgrade"], progress, stop, gentle_s=_INTERRUPTED_S)
        if done.code != 0:
            raise _failure("The packages can't be updated", done)

    def _follow(
        self, arguments: Sequence[str], progress: Callable[[str], None], stop: Callable[[], bool], *, gentle_s: float
    ) -> Finished:
        return follow(
            _DNF,
            [*self._options[1:], "-y", "--setopt=exit_on_lock=False", *arguments],
            timeout_s=self._timeout_s,
            on_line=progress,
            stop=stop,
            environment=_QUIET,
            gentle_s=gentle_s,
        )


def open_packages(root: Path = Path("/")) -> Packages | None:
    """The tool of this host; None when it has none that onggi knows."""
    if _APT.present and (root / "var/lib/dpkg/status").exists():
        return AptPackages()
    return DnfPackages() if _DNF.present else None


def _simulated(output: str) -> Iterator[Upgrade]:
    """What APT's simulation would install over an older version; new packages that come along aren't updates."""
    for line in printable_lines(output):
        if match := _SIMULATED.match(line):
            yield Upgrade(match["name"], match["version"], match["arch"] or "", match["origins"] or "")


def _failure(what: str, done: Finished) -> Transient | Terminal:
    lines = [line for line in printable_lines(f"{done.output}\n{done.complaint}") if line.startswith(("E:", "Error:"))]
    reason = re.sub(r"^(E|Error): ", "", lines[-1]).rstrip(".") if lines else done.reason
    if _FORBIDDEN.search(done.output + done.complaint):
        return Terminal(f"{what}: {reason}; let the agent run as root, or update by hand.")
    if _LOCKED.search(done.output + done.complaint):
        return Transient(f"{what}: {reason}; try again when the other tool is done.", retry_after_s=60.0)
    return Terminal(f"{what}: {reason}; look at the package tool's log and run it by hand.")


def _wait(seconds: float, stop: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if stop():
            raise Cancelled("The update was ended, as asked for, before it had begun.")
        time.sleep(0.1)
