"""Looks below a folder for ISO images, for the pools that stand for such a search.

libvirt's pools show one folder and nothing below it. What is found deeper is remembered here, and looked for again when
somebody asks for what is older than a moment. Only on the host that this process runs on.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import Cancelled, Terminal, Unsupported
from reconciler.ledger.task_records import TaskRecord
from reconciler.locality import is_here
from reconciler.observed.osinfo.images import Images
from reconciler.serving.client import Client
from reconciler.serving.revalidation import Revalidation
from reconciler.serving.tasks import Tasks, Tell
from reconciler.settings.settings import Settings

_MOST_ENTRIES: Final = 1_000_000
_MOST_IMAGES: Final = 10_000
_DEEPEST: Final = 40
_NOT_FILES: Final = frozenset({"/dev", "/proc", "/run", "/sys"})
_TELL_EVERY: Final = 500
_NEVER: Final = threading.Event()


@dataclass(frozen=True, slots=True)
class Image:
    """An ISO image. `name` is unique below the folder that was searched; `size` in bytes."""

    name: str
    path: str
    size: int


class Scans:
    """One per agent, for any thread."""

    def __init__(self, settings: Settings, tasks: Tasks, images: Images, refreshes: Revalidation) -> None:
        self._settings = settings
        self._tasks = tasks
        self._images = images
        self._refreshes = refreshes
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], tuple[Image, ...]] = {}
        self._task_of: dict[str, int] = {}

    def check_possible(self) -> None:
        """Raises Unsupported for a host that is elsewhere."""
        if not is_here(self._settings.connect):
            raise Unsupported("Only folders of the agent's own host can be searched; use a pool of type dir.")

    def begin(self, pool: str, path: str, target: str, client: Client) -> TaskRecord:
        """Search beside the request. Raises Unsupported, StateError."""
        self.check_possible()

        def work(tell: Tell, stop: threading.Event) -> str:
            found = self._search(pool, path, tell, stop)
            return f"{len(found)} ISO images found"

        record = self._tasks.start(target, work, client)
        with self._lock:
            self._task_of[pool] = record.id
        return record

    def task_of(self, pool: str) -> str:
        """The number of the task that searched, or searches, for this pool since the agent's start; empty for none."""
        with self._lock:
            number = self._task_of.get(pool)
        return "" if number is None else str(number)

    def found(self, pool: str, path: str) -> tuple[Image, ...]:
        """What is below `path`. Blocks for a moment, or until it has been searched for the first time. Nothing where
        that isn't possible.
        """

        def search() -> tuple[Image, ...]:
            return self._search(pool, path, lambda _message: None, _NEVER)

        with self._lock:
            known = (pool, path) in self._found
        if known:
            self._refreshes.ask({f"the images of {pool} below {path}": search})
        else:
            try:
                self.check_possible()
                return search()
            except (Terminal, Cancelled):
                return ()
        with self._lock:
            return self._found.get((pool, path), ())

    def forget(self, pool: str) -> None:
        """Search anew when it is asked for next."""
        with self._lock:
            for key in [key for key in self._found if key[0] == pool]:
                del self._found[key]
            self._task_of.pop(pool, None)

    def _search(self, pool: str, path: str, tell: Callable[[str], None], stop: threading.Event) -> tuple[Image, ...]:
        if not Path(path).is_dir():
            with self._lock:
                self._found.pop((pool, path), None)
            raise Terminal(f"There is no folder {path} on the host; make it, or choose another one.")
        found: list[Image] = []
        names: set[str] = set()
        for seen, (place, size) in enumerate(_candidates(path)):
            if stop.is_set():
                raise Cancelled("the agent is stopping; the images are searched for again when they are asked for.")
            if seen % _TELL_EVERY == 0:
                tell(f"{len(found)} ISO images found so far")
            if size >= 0 and self._images.facts(place).is_iso:
                found.append(Image(_unused(Path(place), names), place, size))
                if len(found) >= _MOST_IMAGES:
                    break
        images = tuple(sorted(found, key=lambda image: image.name))
        with self._lock:
            self._found[pool, path] = images
        return images


def _candidates(top: str) -> Iterator[tuple[str, int]]:
    """The path and size of every plain file with the name of an image, and (path, -1) for each folder on the way.

    No link is followed. What can't be read is passed over.
    """
    left = _MOST_ENTRIES
    folders = [(top, 0)]
    while folders:
        folder, depth = folders.pop()
        yield folder, -1
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    left -= 1
                    if left < 0:
                        return
                    if not entry.name.isprintable():  # also what isn't UTF-8
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if depth < _DEEPEST and entry.path not in _NOT_FILES:
                            folders.append((entry.path, depth + 1))
                    elif entry.name.lower().endswith(".iso"):
                        status = entry.stat(follow_symlinks=False)
                        if stat.S_ISREG(status.st_mode):
                            yield entry.path, status.st_size
        except OSError:
            continue


def _unused(path: Path, names: set[str]) -> str:
    name, number = path.name, 1
    while name in names:
        number += 1
        name = f"{path.stem} ({number}){path.suffix}"
    names.add(name)
    return name
