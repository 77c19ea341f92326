"""Whether a file was opened, by anybody: what a test lays out for somebody who must not touch it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_IN_OPEN = 0x20
_LIBC = ctypes.CDLL(None, use_errno=True)


class Canary:
    """A file that the kernel watches for us."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def was_opened(self) -> bool:
        """Since this was asked last."""
        with suppress(BlockingIOError):
            return bool(os.read(self._descriptor, 1 << 16))
        return False


@contextmanager
def canary(path: Path, content: bytes = b"canary".ljust(1 << 16, b".")) -> Iterator[Canary]:
    """A new file at `path` that tells when it is opened."""
    path.write_bytes(content)
    descriptor = _LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        assert descriptor >= 0, os.strerror(ctypes.get_errno())
        assert _LIBC.inotify_add_watch(descriptor, os.fsencode(path), _IN_OPEN) >= 0, os.strerror(ctypes.get_errno())
        yield Canary(path, descriptor)
    finally:
        os.close(descriptor)
