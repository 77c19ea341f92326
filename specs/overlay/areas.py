"""What XML in documents may reach beyond its own object, by areas, each of which a host's administrator can allow."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

AREAS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "files": "files, folders and programs of the host: disks' sources, kernels, firmware, shared folders, logs",
        "devices": "devices of the host: passthrough, block devices, mediated devices",
        "network": "addresses and interfaces of the host and other hosts: bridges, listening consoles, network disks",
        "sockets": "sockets of the host: character devices that aren't a pty, vhost-user",
        "security": "labels, users and cgroups of the host: seclabel, resource, idmap",
        "hypervisor": "what libvirt hands on unread: qemu:commandline, dnsmasq:options, mount options, emulator",
        "other": "whatever else isn't known to stay in the guest",
    }
)
