"""Counts the calls that go to libvirt, from whichever thread, by putting a counter in front of its C functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import libvirt

# Answered out of the caller's own memory: no message goes to the daemon.
_LOCAL = ("GetName", "GetUUID", "GetUUIDString", "GetID", "GetPath", "GetKey", "Free", "IsAlive", "GetConnect", "Ref")


class _Counting:
    def __init__(self, module: Any) -> None:
        self._module = module
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if not callable(found) or not name.startswith("vir") or name.endswith(_LOCAL):
            return found

        def counted(*arguments: Any) -> Any:
            self.calls[name] += 1
            return found(*arguments)

        return counted


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """The calls of the block, by the C function's name. Grows while the block runs."""
    module = libvirt.libvirtmod
    counting = _Counting(module)
    libvirt.libvirtmod = counting
    try:
        yield counting.calls
    finally:
        libvirt.libvirtmod = module
