"""This machine's network interfaces as the kernel tells of them, for what libvirt leaves out or can't tell at all.

libvirt's own list has no addresses of running interfaces, doesn't tell real cards from virtual ones, and forgets some
of a bond's slaves.
"""

from __future__ import annotations

import socket
from pathlib import Path

import psutil

from reconciler.observed.answers import HostInterface

FOLDER = Path("/sys/class/net")


def kernel_interfaces(folder: Path = FOLDER) -> dict[str, HostInterface]:
    """Every interface by its name; none where the kernel tells nothing. One that goes away meanwhile is left out."""
    addresses = _addresses()
    found = {}
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    except OSError:
        return {}
    for name in names:
        path = folder / name
        kind, parts = _kind(path)
        address, mask = addresses.get(name, ("", ""))
        state = _text(path / "operstate")
        # A tunnel or a dummy has no link that could be up: the kernel calls it unknown.
        active = state == "up" or (state == "unknown" and _is_up(path))
        found[name] = HostInterface(name, kind, address, mask, active, parts)
    return found


def _kind(path: Path) -> tuple[str, tuple[str, ...]]:
    if (path / "bridge").is_dir():
        return "bridge", _names(path / "brif")
    if (path / "bonding").is_dir():
        return "bonding", tuple(sorted(_text(path / "bonding/slaves").split()))
    if "DEVTYPE=vlan" in _text(path / "uevent").split():
        return "vlan", tuple(sorted(each.name.removeprefix("lower_") for each in path.glob("lower_*")))
    return ("nic" if (path / "device").exists() else "unknown"), ()


def _is_up(path: Path) -> bool:
    try:
        return bool(int(_text(path / "flags") or "0", 16) & 1)
    except ValueError:
        return False


def _names(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(each.name for each in folder.iterdir()))
    except OSError:
        return ()


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # it went away, or the driver has no such file
        return ""


def _addresses() -> dict[str, tuple[str, str]]:
    """The first IPv4 address of each interface."""
    found: dict[str, tuple[str, str]] = {}
    for name, addresses in psutil.net_if_addrs().items():
        for each in addresses:
            if each.family == socket.AF_INET:
                found.setdefault(name, (each.address, each.netmask or ""))
    return found
