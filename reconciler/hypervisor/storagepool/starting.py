"""Starts a pool, and makes what it needs to be on the host for that."""

from __future__ import annotations

import libvirt

from specs.binding import parse
from specs.storagepool.types import FORMATTED, MOUNTED

# What making a pool may do without being told twice. Mount points and folders are made before starting; whatever
# writes to a device only when starting failed, and never over something that is already there.


def build_and_start(pool: libvirt.virStoragePool) -> None:
    """Start it, and build first what it lacks."""
    kind = parse(pool.XMLDesc()).get("type")
    if kind in MOUNTED:
        pool.build()  # without flags this makes the mount point and formats nothing
        pool.create()
        return
    try:
        pool.create()
    except libvirt.libvirtError:
        pool.build(libvirt.VIR_STORAGE_POOL_BUILD_NO_OVERWRITE if kind in FORMATTED else 0)
        pool.create()
