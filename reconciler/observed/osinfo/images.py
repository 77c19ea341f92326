"""What is known of the ISO images on this host, remembered as long as a file stays the same.

Only for paths on the host that this process runs on; of a volume elsewhere nothing is known here.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reconciler.observed.osinfo.database import Database
from reconciler.observed.osinfo.definitions import UNKNOWN
from reconciler.observed.osinfo.iso_header import read_header

log = logging.getLogger("onggi.osinfo")

REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class IsoFacts:
    """`bootable` means that a machine can boot from it and that nothing of it is missing. A file that is no ISO image
    is none, unknown and not bootable.
    """

    os_distro: str = UNKNOWN
    os_version: str = UNKNOWN
    os_arch: str = UNKNOWN
    bootable: bool = False
    is_iso: bool = False
    is_seen: bool = True  # False where files can't be looked at from here
    may_read: bool = True  # whether QEMU's user may, as far as that is known


NO_IMAGE: Final = IsoFacts()
UNSEEN: Final = IsoFacts(is_seen=False)


class Images:
    """For any thread. Remembers `remembered` files, those that were asked for last. Unless they are `here`, on this
    machine, nothing is looked at: a file of the same path would be another one.
    """

    def __init__(
        self,
        database: Database,
        remembered: int = REMEMBERED,
        *,
        here: bool = True,
        may_read: Callable[[str], bool] | None = None,
    ) -> None:
        self._here = here
        self._may_read = may_read
        self._database = database
        self._remembered = remembered
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[object, IsoFacts]] = OrderedDict()

    def facts(self, path: str | Path) -> IsoFacts:
        """Of the file at `path`. Never raises: what isn't there, or can't be read, is no image."""
        if not self._here:
            return UNSEEN
        key = os.fspath(path)
        facts = self._facts(key)
        if self._may_read is None:
            return facts
        return replace(facts, may_read=self._may_read(key))  # folders on the way change without the file

    def _facts(self, key: str) -> IsoFacts:
        try:
            seen = os.lstat(key)
            # An inode's change time besides that of its content: whoever writes a file can set the latter back.
            file = (seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size)
            stamp = (file, self._database.revision)
            with self._lock:
                known = self._known.get(key)
                if known is not None and known[0] == stamp:
                    self._known.move_to_end(key)
                    return known[1]
            facts = self._look(key)
        except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
            log.debug("nothing is known of the image %r: %s", key, error)
            return NO_IMAGE
        with self._lock:
            self._known[key] = (stamp, facts)
            self._known.move_to_end(key)
            while len(self._known) > self._remembered:
                self._known.popitem(last=False)
        return facts

    def _look(self, path: str) -> IsoFacts:
        header = read_header(path)
        if header is None:
            return NO_IMAGE
        found = self._database.detect(header)
        if found is None:
            return IsoFacts(bootable=header.bootable, is_iso=True)
        return IsoFacts(found.os_distro, found.os_version, found.arch, header.bootable, is_iso=True)
