"""By what libvirt's definitions tell apart several elements of one name: a disk by its target, a NIC by its address."""

from __future__ import annotations

from typing import Final

from specs.binding import Element, text_at

# By `parent/tag` or `tag`: one alternative after another, each the paths that tell such an element apart together.
IDENTITIES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "disk": (("target/@dev",),),
    "devices/interface": (("mac/@address",),),
    "controller": (("@type", "@index"),),
    "filesystem": (("target/@dir",),),
    "channel": (("target/@name",), ("target/@address", "target/@port")),
    "serial": (("target/@port",),),
    "parallel": (("target/@port",),),
    "console": (("target/@type", "target/@port"),),
    "graphics": (("@type",),),
    "input": (("@type", "@bus"),),
    "shmem": (("@name",),),
    "audio": (("@id",),),
    "feature": (("@name",),),
    "timer": (("@name",),),
    "cell": (("@id",),),
    "sibling": (("@id",),),
    "iothread": (("@id",),),
    "vcpus/vcpu": (("@id",),),
    "vcpupin": (("@vcpu",),),
    "iothreadpin": (("@iothread",),),
    "memnode": (("@cellid",),),
    "blkiotune/device": (("path",),),
    "parameter": (("@name", "@value"),),
    "entry": (("@name",),),
    "arg": (),
    "forward/interface": (("@dev",),),
    "forward/address": (("@domain", "@bus", "@slot", "@function"),),
    "portgroup": (("@name",),),
    "route": (("@address", "@prefix"), ("@address", "@netmask"), ("@address",)),
    "network/ip": (("@address",),),
    "dns/host": (("@ip",),),
    "dhcp/host": (("@mac",), ("@id",), ("@name",), ("@ip",)),
    "range": (("@start", "@end"), ("@start",)),
    "txt": (("@name",),),
    "srv": (("@service", "@protocol", "@domain", "@target"), ("@service", "@protocol")),
    "tag": (("@id",),),
    "source/device": (("@path",),),
    "source/host": (("@name", "@port"), ("@name",)),
    "hostname": ((".",),),
}
# Of these the order is what they say.
ORDERED: Final = frozenset({"boot", "arg", "initarg", "forwarder", "rule"})


def identity(element: Element) -> tuple[str, ...]:
    """What tells it apart; empty where nothing does."""
    tag = str(element.tag).rpartition("}")[2]
    parent = element.getparent()
    within = "" if parent is None else str(parent.tag).rpartition("}")[2]
    for paths in IDENTITIES.get(f"{within}/{tag}") or IDENTITIES.get(tag, ()):
        found = [text_at(element, path) for path in paths]
        if all(found):
            return tuple(str(each) for each in found)
    return ()
