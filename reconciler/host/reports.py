"""Debug reports: what `sos` collects about the host, kept in one folder as `<name>.tar.xz`.

A report is made in a folder beside it and appears in one go, so that one that was cut off is never seen; what is left
of such a one is removed at the next start. Reports hold what an attacker would like to know: only our user reads them.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from reconciler.errors import NotFound, Refused, StateError, Terminal
from reconciler.host.commands import MIB, Program, follow

SOS: Final = Program("sos", "sosreport", "collect debug reports")

_MAKING: Final = ".making-"
_NAME = re.compile(r"[_A-Za-z0-9-]*", re.ASCII)
_LONGEST_NAME: Final = 200
_SUFFIX = re.compile(r"\.tar(?:\.[a-z0-9]{1,4})?$", re.ASCII)
_ARCHIVE = re.compile(r"(?P<name>[_A-Za-z0-9-]+)(?P<suffix>\.tar(?:\.[a-z0-9]{1,4})?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Report:
    """A finished report. `time` is when it was made (aware); a rename doesn't change it."""

    name: str
    file: str
    time: datetime
    size_bytes: int


class Reports:
    """The reports in `folder`, which is made when needed. Safe for several threads.

    `plugins` bounds what sos collects (all of it when empty), `timeout_s` how long it may take; `least_free_bytes` of
    the file system stay free. Raises NotFound, Refused (BadReportName, ReportExists, DiskFull), Unsupported for no sos.
    """

    def __init__(
        self,
        folder: Path,
        *,
        timeout_s: float = 1800.0,
        least_free_bytes: int = 512 * MIB,
        plugins: Sequence[str] = (),
        program: Program = SOS,
    ) -> None:
        self._folder = folder
        self._timeout_s = timeout_s
        self._least_free_bytes = least_free_bytes
        self._plugins = tuple(plugins)
        self._program = program
        self._lock = threading.Lock()
        self._making: set[str] = set()
        self.remove_unfinished()

    def remove_unfinished(self) -> None:
        """Remove what a crash has left half-made. Nothing that is being made now."""
        with self._lock, contextlib.suppress(OSError):
            for path in self._folder.glob(f"{_MAKING}*"):
                if path.name not in self._making:
                    shutil.rmtree(path, ignore_errors=True)

    def list(self) -> tuple[Report, ...]:
        """All of them, the newest first."""
        try:
            found = [report for path in self._folder.iterdir() if (report := _seen(path)) is not None]
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StateError(f"The folder of debug reports {self._folder} can't be read ({error.strerror}).") from None
        return tuple(sorted(found, key=lambda each: (each.time, each.name), reverse=True))

    def get(self, name: str) -> Report:
        """One of them."""
        for report in self.list():
            if report.name == name:
                return report
        raise NotFound(f"There is no debug report {name[:_LONGEST_NAME]!r}; the list of reports names those there are.")

    def free_name(self, name: str) -> str:
        """`name` if a report of it can be made, one made up from the time if it is empty; refuses before any work."""
        if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
            raise Refused(
                "A debug report's name is made of letters, digits, '_' and '-', at most 200; choose such a one.",
                reason="BadReportName",
            )
        name = name or f"sosreport-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        if any(report.name == name for report in self.list()):
            raise _taken(name)
        return name

    def generate(
        self, name: str, progress: Callable[[str], None], *, stop: Callable[[], bool] = lambda: False
    ) -> Report:
        """Make one and wait for it. `progress` is told what sos says.

        Raises TooSlow after the time limit and Cancelled after `stop()`; nothing of it is left then.
        """
        name = self.free_name(name)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_space(self._folder)
            with self._lock:
                making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=self._folder))
                self._making.add(making.name)
        except OSError as error:
            raise StateError(
                f"No debug report can be made in {self._folder} ({error.strerror}); check that folder."
            ) from None
        try:
            return self._collect(name, making, progress, stop)
        finally:
            shutil.rmtree(making, ignore_errors=True)
            self._making.discard(making.name)

    def rename(self, name: str, new_name: str) -> Report:
        """Give it another name; never one that is taken."""
        report = self.get(name)
        if new_name == name:
            return report
        new_name = self.free_name(new_name) if new_name else _no_name()
        source = self._folder / report.file
        target = self._folder / f"{new_name}{report.file.removeprefix(name)}"
        try:
            os.link(source, target, follow_symlinks=False)  # unlike a rename it replaces nothing
            source.unlink()
        except FileExistsError:
            raise Refused(
                f"There is a debug report {new_name!r} already; choose another name.", reason="ReportExists"
            ) from None
        except FileNotFoundError:
            raise NotFound(f"The debug report {name!r} was removed meanwhile.") from None
        except OSError as error:
            raise StateError(f"The debug report {name!r} can't be renamed ({error.strerror}).") from None
        return self.get(new_name)

    def delete(self, name: str) -> None:
        """Remove it."""
        report = self.get(name)
        try:
            (self._folder / report.file).unlink()
        except FileNotFoundError:
            raise NotFound(f"The debug report {name!r} was removed meanwhile.") from None
        except OSError as error:
            raise StateError(f"The debug report {name!r} can't be removed ({error.strerror}).") from None

    def open(self, name: str) -> tuple[BinaryIO, Report]:
        """Its file, to seek and read in; it stays whole while it is open, even when it is deleted. Close it."""
        report = self.get(name)
        try:
            descriptor = os.open(self._folder / report.file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotFound(f"The debug report {name!r} was removed meanwhile.") from None
        except OSError as error:
            raise StateError(f"The debug report {name!r} can't be read ({error.strerror}).") from None
        return os.fdopen(descriptor, "rb"), report

    def _collect(self, name: str, making: Path, progress: Callable[[str], None], stop: Callable[[], bool]) -> Report:
        plugins = ["-o", ",".join(self._plugins)] if self._plugins else []
        done = follow(
            self._program,
            ["report", "--batch", "--tmp-dir", making, "--label", name, *plugins],
            timeout_s=self._timeout_s,
            on_line=progress,
            stop=stop,
            watch=lambda: self._check_space(making),
            environment={"TMPDIR": str(making)},
        )
        made = [path for path in making.iterdir() if path.is_file() and _SUFFIX.search(path.name)]
        if done.code != 0 or not made:
            raise Terminal(f"sos made no report ({done.reason}); run `sos report` by hand to see why.")
        archive = max(made, key=lambda path: path.stat().st_size)
        archive.chmod(0o600)
        target = self._folder / f"{name}{''.join(_SUFFIX.findall(archive.name))}"
        with archive.open("rb") as file:
            os.fsync(file.fileno())
        try:
            os.link(archive, target)
        except FileExistsError:
            raise Refused(
                f"There is a debug report {name!r} already; choose another name.", reason="ReportExists"
            ) from None
        return self.get(name)

    def _check_space(self, folder: Path) -> None:
        free = shutil.disk_usage(folder).free
        if free < self._least_free_bytes:
            raise Refused(
                f"A debug report needs room: {free // MIB} MiB are free in {self._folder}, and "
                f"{self._least_free_bytes // MIB} MiB have to stay so; remove old reports.",
                reason="DiskFull",
            )


def _seen(path: Path) -> Report | None:
    match = _ARCHIVE.fullmatch(path.name)
    if match is None:
        return None
    try:
        found = path.lstat()
    except OSError:
        return None  # removed meanwhile
    if not stat.S_ISREG(found.st_mode):
        return None
    return Report(match["name"], path.name, datetime.fromtimestamp(found.st_mtime, UTC), found.st_size)


def _taken(name: str) -> Refused:
    return Refused(f"There is a debug report {name!r} already; choose another name.", reason="ReportExists")


def _no_name() -> str:
    raise Refused("A debug report needs a name; give one.", reason="BadReportName")
