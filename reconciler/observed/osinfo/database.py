"""Osinfo's database on this host: found where libosinfo looks for it, read at first use, and read anew once it was
updated.

There is no table of onggi's own: without the database everything is unknown, which breaks nothing. What a definition
means is in `definitions`.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from reconciler.observed.osinfo.definitions import System, best_match, read_all
from reconciler.observed.osinfo.iso_header import IsoHeader

log = logging.getLogger("onggi.osinfo")

_LARGEST: Final = 4 << 20  # bytes of a definition file; real ones stay below 100 KiB
_MOST_FILES: Final = 20_000

_Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class DetectedOs:
    """What an image holds. `os_distro` and `os_version` are osinfo's (`debian`, `11`), `unknown` where it has none;
    `arch` is such as `x86_64`, or `all`. `name` is for people.
    """

    os_distro: str
    os_version: str
    arch: str
    id: str
    short_id: str
    name: str
    live: bool
    installer: bool


def standard_folders(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where libosinfo looks: the system's, this host's, this user's. A later one's files stand in for an earlier one's
    of the same name.
    """
    system = environment.get("OSINFO_SYSTEM_DIR")
    folders = [Path(system)] if system else [Path("/usr/share/osinfo"), Path("/usr/local/share/osinfo")]
    folders.append(Path(environment.get("OSINFO_LOCAL_DIR") or "/etc/osinfo"))
    configuration = environment.get("XDG_CONFIG_HOME")
    if user := environment.get("OSINFO_USER_DIR"):
        folders.append(Path(user))
    elif configuration:
        folders.append(Path(configuration) / "osinfo")
    elif home := environment.get("HOME"):
        folders.append(Path(home) / ".config/osinfo")
    return tuple(folders)


class Database:
    """For any thread. The first question reads the database, which takes a fraction of a second: call `load` in the
    background when nobody should wait for it.
    """

    def __init__(self, folders: tuple[Path, ...] | None = None) -> None:
        self._folders = standard_folders() if folders is None else folders
        self._lock = threading.Lock()
        self._stamp: _Stamp | None = None
        self._systems: Mapping[str, System] = MappingProxyType({})

    def load(self) -> None:
        """Read the database now, if that wasn't done since it was last updated."""
        self.systems()

    @property
    def revision(self) -> object:
        """Equal as long as the answers stay the same."""
        return _stamp(self._folders)

    def systems(self) -> Mapping[str, System]:
        """All operating systems by osinfo's id (a URL); empty on a host without the database."""
        stamp = _stamp(self._folders)
        with self._lock:
            if stamp != self._stamp:
                self._systems = MappingProxyType(self._read())
                self._stamp = stamp
            return self._systems

    def detect(self, header: IsoHeader) -> DetectedOs | None:
        """The system that is on the image with this header; None when the database doesn't know it."""
        found = best_match(self.systems().values(), header)
        if found is None:
            return None
        system, medium = found
        return DetectedOs(
            os_distro=system.distro,
            os_version=system.version,
            arch=medium.arch,
            id=system.id,
            short_id=system.short_id,
            name=system.name_of(medium),
            live=medium.live,
            installer=medium.installer,
        )

    def _read(self) -> dict[str, System]:
        systems, broken = read_all(_files(self._folders))
        for name in broken:
            log.warning("%s isn't well-formed XML; the operating systems in it stay unknown", name)
        if not systems:
            places = ", ".join(map(str, self._folders))
            log.warning("no osinfo database in %s: operating systems of images stay unknown; install osinfo-db", places)
        return systems


def _stamp(folders: tuple[Path, ...]) -> _Stamp:
    """Changes when a database is installed, updated (its VERSION is written anew) or gets a vendor."""
    found = []
    for folder in folders:
        for path in (folder / "VERSION", folder / "os"):
            try:
                seen = path.stat()
            except OSError:
                continue
            found.append((str(path), seen.st_mtime_ns, seen.st_ino))
    return tuple(found)


def _files(folders: tuple[Path, ...]) -> dict[str, bytes]:
    """The definition files by path, in an order that is the same on every host."""
    chosen: dict[str, Path] = {}
    for folder in folders:
        place = folder / "os"
        for path in sorted(place.glob("*/*.xml")) + sorted(place.glob("*/*.d/*.xml")):
            chosen[str(path.relative_to(folder))] = path
            if len(chosen) >= _MOST_FILES:
                break
    found = {}
    for path in chosen.values():
        try:
            if path.is_file() and path.stat().st_size <= _LARGEST:
                found[str(path)] = path.read_bytes()
        except OSError as error:
            log.warning("%s can't be read (%s); the operating systems in it stay unknown", path, error.strerror)
    return found
