"""Reads which interfaces of running machines are plugged into a network.

libvirt keeps a port for each. A network that is stopped and started has lost them all, while the machines' definitions
still name it: the difference is who was cut off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specs.binding import parse, text_at

Port = tuple[str, str]  # the machine's UUID and the interface's MAC, both in lower case


def plugged_in(network: Any, before: Mapping[str, Port]) -> dict[str, Port]:
    """The ports of an active network by their UUIDs. `before` is the last answer: what a port is for never changes.

    Raises libvirtError, among others for a driver without ports.
    """
    found = {}
    for port in network.listAllPorts():
        uid = port.UUIDString()
        found[uid] = before.get(uid) or _port(port.XMLDesc())
    return found


def _port(xml: str) -> Port:
    root = parse(xml)
    return (text_at(root, "owner/uuid") or "").lower(), (text_at(root, "mac/@address") or "").lower()
