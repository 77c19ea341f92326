"""Refuses a machine on a device that the host itself lives on; only where the host is this machine."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.errors import Terminal
from reconciler.host.own_devices import own_use
from specs.binding import Element


def check_machine_devices(root: Element, existing: Callable[[], Element | None]) -> None:
    """Raises Terminal for a machine or a drive that gets such a device and doesn't have it already."""
    for path in _devices(root):
        if use := own_use(path):
            before = existing()
            if before is None or path not in _devices(before):
                raise Terminal(f"{path} can't be a machine's: {use}; choose a volume or a device of its own.")


def _devices(root: Element) -> list[str]:
    sources = [source for drive in root.iter("disk") if (source := drive.find("source")) is not None]
    paths = [source.get("dev") or source.get("file") or "" for source in sources]
    return [path for path in paths if path.startswith("/dev/")]
