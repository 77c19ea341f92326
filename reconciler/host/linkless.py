"""Opens a path on which there is no link at all, in one call of the kernel's, which nobody can interfere with.

Python's own `os.open` minds a link at the end of a path and follows those on the way.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from functools import cache
from typing import Final

_OPENAT2: Final = 437  # its number is the same on each of these
_MACHINES: Final = frozenset({"x86_64", "aarch64", "ppc64le", "riscv64", "s390x"})
_RESOLVE_NO_SYMLINKS: Final = 0x04
_NO_FOLDER: Final = -100  # AT_FDCWD; a full path needs none


def open_without_links(path: str, flags: int) -> int | None:
    """A descriptor; None where it can't be opened so, for whatever reason: then there is another way, which tells why.

    With O_PATH and O_NOFOLLOW a link at the very end is opened itself.
    """
    if not path.startswith("/") or "\0" in path:
        return None
    call = _openat2()
    if call is None:
        return None
    descriptor = call(os.fsencode(path), struct.pack("QQQ", flags, 0, _RESOLVE_NO_SYMLINKS))
    return descriptor if descriptor >= 0 else None


@cache
def _openat2() -> Callable[[bytes, bytes], int] | None:
    """The kernel's call; None where its number isn't known. A kernel before 5.6 answers that it has no such call."""
    if os.uname().machine not in _MACHINES:
        return None
    import ctypes  # nothing that only looks at a host needs it

    call = ctypes.CDLL(None).syscall
    call.restype = ctypes.c_long
    call.argtypes = (
        ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t,
    )  # fmt: skip

    def openat2(path: bytes, how: bytes) -> int:
        return int(call(_OPENAT2, _NO_FOLDER, path, how, len(how)))

    return openat2
