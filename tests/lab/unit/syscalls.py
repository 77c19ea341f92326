"""Becomes a program that may give just the system calls of a systemd unit, by the filters that systemd would load.

    python syscalls.py FILTER FAMILIES PROGRAM…

Which calls a group such as @system-service has says systemd-analyze, and libseccomp makes the filter, as for systemd.
"""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

_ALLOW: Final = 0x7FFF0000  # seccomp.h
_ERRNO: Final = 0x00050000
_EQUAL: Final = 4
_FAMILIES: Final = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
_OF_NAMESPACES: Final = frozenset({"unshare", "setns"})


class _Compared(ctypes.Structure):
    _fields_ = (("argument", ctypes.c_uint), ("how", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def calls_of(group: str) -> Iterator[str]:
    """The names of the system calls that a group has, in its own groups too."""
    words = ["systemd-analyze", "syscall-filter", group]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    for line in map(str.strip, listed.splitlines()[1:]):
        if line.startswith("@"):
            yield from calls_of(line)
        elif line and not line.startswith("#"):
            yield line


def allow(calls: set[str], families: list[int]) -> None:
    """From now on, in this process and in all that it starts: these calls, and sockets of these families."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    add = library.seccomp_rule_add_array
    add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Compared)]
    rules = library.seccomp_init(_ERRNO | errno.EPERM)
    for name in sorted(calls - {"socket"} - _OF_NAMESPACES):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and (code := add(rules, _ALLOW, number, 0, None)):
            raise OSError(-code, name)
    for family in families:
        number = library.seccomp_syscall_resolve_name(b"socket")
        add(rules, _ALLOW, number, 1, ctypes.byref(_Compared(0, _EQUAL, family, 0)))
    if code := library.seccomp_load(rules):
        raise OSError(-code, "the filter can't be loaded")


if __name__ == "__main__":
    group, families, *program = sys.argv[1:]
    allow(set(calls_of(group)), [_FAMILIES[each] for each in families.split()])
    os.execvp(program[0], program)
