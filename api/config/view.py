"""What the agent and its host can do, and where installation images can be had, in Kimchi's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from api.http.schema import Schema, arr, boolean, obj, text
from reconciler.desired.state import DesiredState
from reconciler.host.tools import Missing
from reconciler.observed.answers import Abilities
from reconciler.observed.osinfo.definitions import ANY_ARCH, UNKNOWN
from reconciler.observed.osinfo.distros import Distro
from specs.plain import NewJson
from specs.reference import DISTRIBUTION

_CONFIG: Final = {
    "display_proxy_port": text("The port on which consoles are opened: this server's own."),
    "version": text("The version of onggi."),
}
CONFIG: Final[Schema] = obj(_CONFIG, required=tuple(_CONFIG), title="Config")

_MISSING: Final = {
    "tool": text("What isn't there.", examples=["sos"]),
    "remedy": text("What it would be for, and how to get it."),
}
_CAPABILITIES: Final[dict[str, Schema]] = {
    "libvirt_stream_protocols": arr(text(), description="By which protocols a CD-ROM's image may come."),
    "qemu_spice": boolean("Whether QEMU has SPICE consoles."),
    "qemu_stream": boolean("Whether QEMU can read an image from the network."),
    "screenshot": {
        "type": ["boolean", "null"],
        "description": "Whether pictures of screens can be taken; null while nobody knows.",
    },
    "system_report_tool": boolean("Whether debug reports can be made."),
    "update_tool": boolean("Whether there is a package tool that is known."),
    "repo_mngt_tool": {
        "type": ["string", "null"],
        "enum": ["deb", "yum", None],
        "description": "Whose repositories the host has; null when neither's.",
    },
    "federation": text("Whether other agents on the network are looked for.", enum=["on", "off"]),
    "auth": text("How who logs in is checked; none: nobody is asked.", enum=["pam", "ldap", "none"]),
    "kernel_vfio": boolean("Whether the host can give PCI devices to machines."),
    "nm_running": boolean("Whether NetworkManager looks after the host's interfaces."),
    "mem_hotplug_support": boolean("Whether a machine can be made that gets memory while it runs."),
    "missing": arr(obj(_MISSING, required=tuple(_MISSING)), description="What this host lacks; nothing else needs it."),
}
CAPABILITIES: Final[Schema] = obj(_CAPABILITIES, required=tuple(_CAPABILITIES), title="Capabilities")

_DISTRO: Final = {
    "name": text("Identifies it in this API.", examples=["Debian 12"]),
    "os_distro": text("The distribution, such as debian."),
    "os_version": text("Its version."),
    "os_arch": text("For which CPUs, such as x86_64."),
    "path": text("Where its image is: a URL, or a path on the host."),
}
DISTRO: Final[Schema] = obj(_DISTRO, required=tuple(_DISTRO), title="Distro")


def capabilities_view(
    abilities: Abilities | None, missing: Iterable[Missing], *, streams: bool, **more: Any
) -> NewJson:
    """`abilities` is None while libvirt never answered; `more` are the fields that libvirt has no part in."""
    known = abilities or Abilities(0, "")
    return {
        "libvirt_stream_protocols": list(known.stream_protocols),
        "qemu_spice": known.spice,
        "qemu_stream": streams and bool(known.stream_protocols),
        "screenshot": known.screenshots,
        "kernel_vfio": known.vfio,
        "mem_hotplug_support": known.memory_hotplug,
        "missing": [{"tool": each.tool, "remedy": each.remedy} for each in missing],
        **more,
    }


def declared(desired: DesiredState | None) -> list[Distro]:
    """The installation images that the repository has documents of."""
    if desired is None:
        return []
    found = ((ref.name, resource.spec) for ref, resource in desired.resources.items() if ref.kind == DISTRIBUTION)
    return [
        Distro(
            name=name,
            os_distro=spec.get("osDistro", UNKNOWN),
            os_version=spec.get("osVersion", UNKNOWN),
            os_arch=spec.get("osArch", ANY_ARCH),
            path=spec["path"],
        )
        for name, spec in found
    ]


def distro_view(distro: Distro) -> NewJson:
    """An installation image."""
    return {key: getattr(distro, key) for key in _DISTRO}
