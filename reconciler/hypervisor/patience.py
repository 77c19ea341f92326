"""Tries a short while again what libvirt refuses only for a moment, such as while a pool has another job running."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import libvirt

from reconciler.errors import Transient
from reconciler.hypervisor.failure import classify

T = TypeVar("T")

_WAITS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)


def patiently(call: Callable[[], T]) -> T:
    """The call's result. Raises libvirtError: at once, or after about a second for what should have gone away."""
    for wait_s in _WAITS_S:
        try:
            return call()
        except libvirt.libvirtError as error:
            if not issubclass(classify(error)[0], Transient):
                raise
        time.sleep(wait_s)
    return call()
