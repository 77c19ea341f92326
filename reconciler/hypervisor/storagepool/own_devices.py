"""Refuses a pool on a device that the host itself lives on; only where the host is this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from reconciler.errors import Terminal
from reconciler.host.own_devices import own_use
from specs.binding import Element

_ON_DEVICES: Final = frozenset({"fs", "disk"})  # a volume group may hold the host's volumes beside those of machines


def check_pool_devices(root: Element) -> None:
    """Raises Terminal for a pool whose whole device is the host's, or is no device at all."""
    if root.get("type") not in _ON_DEVICES:
        return
    target = root.findtext("target/path") or ""
    for device in root.iterfind("source/device"):
        path = device.get("path") or ""
        if not path or not Path(path).exists():
            continue  # libvirt says so
        if not Path(path).resolve().is_relative_to("/dev"):
            raise Terminal(f"{path} is no device of the host; give one below /dev, such as a loop device of that file.")
        if use := own_use(path, but_for=target if root.get("type") == "fs" else ""):
            raise Terminal(f"no pool can be made on {path}: {use}; choose a device of its own.")
