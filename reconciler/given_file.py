"""Reading a file that somebody names: a setting, an argument, a key of a definition.

What is there may be anything. A FIFO without a writer, a terminal or a device would hold up whoever opens it for ever,
or fill the memory; so only an ordinary file is read, in bounds, and the open file is the one that is judged.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


class NotReadError(OSError):
    """It isn't a file that can be read; `strerror` says why, as for any other error of reading."""


def read_given(file: Path, most: int, *, last: bool = False) -> bytes:
    """At most `most` bytes and one more, so that a longer file is told; with `last`, the last `most` of it.

    Raises OSError, with its `strerror`, for what can't be opened or is no ordinary file.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(opened.fileno())
        if stat.S_ISDIR(found.st_mode):
            raise NotReadError(0, "it is a folder")
        if not stat.S_ISREG(found.st_mode):
            raise NotReadError(0, "it is no ordinary file but a pipe or a device")
        if last:
            opened.seek(max(found.st_size - most, 0))
        return opened.read(most + (not last))
