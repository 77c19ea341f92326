"""Refuses a pool or a machine on a device that the host itself lives on; only where the host is this machine."""

from __future__ import annotations

from collections.abc import Callable
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


def check_machine_devices(root: Element, existing: Callable[[], Element | None]) -> None:
    """Raises Terminal for a machine or a drive that gets such a device and doesn't have it already."""
    for path in _devices(root):
        if use := own_use(path):
            before = existing()
            if before is None or path not in _devices(before):
                raise Terminal(f"{path} can't be a machine's: {use}; choose a volume or a device of its own.")


def check_volume_device(path: str) -> None:
    """Raises Terminal for a volume that is such a device, before it is written over or removed."""
    if path.startswith("/dev/") and (use := own_use(path)):
        raise Terminal(f"the volume {path} stays as it is: {use}.")


def _devices(root: Element) -> list[str]:
    sources = [source for drive in root.iter("disk") if (source := drive.find("source")) is not None]
    paths = [source.get("dev") or source.get("file") or "" for source in sources]
    return [path for path in paths if path.startswith("/dev/")]
