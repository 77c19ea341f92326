"""Modules of memory in a definition: devices that are plugged into a machine, also while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specs.declared_binds import bound
from specs.virtualmachine.compute.numa import settle_sums
from specs.virtualmachine.fields import SPEC

_MIB = 1 << 20


def lower_module(module: Mapping[str, Any]) -> dict[str, Any]:
    """In whole MiB, as libvirt rounds it."""
    size = -(-int(module["size"]) // _MIB) * _MIB
    return {**module, "size": size}


MODULES = bound(SPEC, "memoryModules", settle=settle_sums)
