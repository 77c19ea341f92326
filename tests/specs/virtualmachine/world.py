"""Hosts, and the way from a spec to libvirt and back, as planning takes it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import libvirt

from reconciler.hypervisor.virtualmachine.definitions import MASK, definition
from specs.binding import Items, parse, patched, read, serialise, value_at, write
from specs.comparing import differences
from specs.effect import Change
from specs.host import Host, NodeDevice, VolumeSource
from specs.reference import Ref
from specs.virtualmachine import xml

IMAGES = "/var/lib/libvirt/images"
KNOWN: dict[str, Any] = {
    "pool_paths": {"default": IMAGES, "iso": "/srv/iso"},
    "volumes": {
        Ref.volume("default", "old"): VolumeSource(f"{IMAGES}/old", "file", "qcow2"),
        Ref.volume("vg", "data"): VolumeSource("/dev/vg/data", "block", "raw"),
        Ref.volume("san", "unit:0:0:1"): VolumeSource("/dev/disk/by-path/ip-10.0.0.1:3260-lun-1", "block", "raw"),
    },
    "node_devices": {
        "usb_1_2": NodeDevice("usb_1_2", "usb", {"bus": 1, "device": 5}),
        "scsi_3_0_0_1": NodeDevice("scsi_3_0_0_1", "scsi", {"host": 3, "bus": 0, "target": 0, "lun": 1}),
    },
}
QEMU = Host(domain_types=("qemu",), machines=("q35", "pc", "pc-q35-7.2", "pc-i440fx-7.2"), **KNOWN)
KVM = Host(domain_types=("kvm", "qemu"), machines=("q35", "pc"), **KNOWN)
TEST_DRIVER = Host(arch="i686", domain_types=("test",), **KNOWN)


def uid_of(name: str) -> str:
    """The identity of the machine `name`."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"onggi:{name}"))


def lowered(spec: Mapping[str, Any], host: Host, name: str = "web") -> dict[str, Any]:
    """The concrete spec."""
    return xml.lower(spec, name=name, uid=uid_of(name), host=host)


def rendered(spec: Mapping[str, Any], host: Host, name: str = "web") -> str:
    """A new machine's XML."""
    wanted = lowered(spec, host, name)
    return serialise(write(xml.BINDS, xml.skeleton(wanted, name=name, uid=uid_of(name), host=host), wanted))


def managed(spec: Mapping[str, Any] | None, host: Host, name: str = "web") -> frozenset[str]:
    """The pointers that the mark of a machine with this spec holds."""
    wanted = lowered(spec or {}, host, name)
    lists = [bind for bind in xml.BINDS if isinstance(bind, Items)]
    return frozenset(f"/{bind.name}/{bind.label(item)}" for bind in lists for item in value_at(wanted, bind.name) or ())


def changed(
    text: str, spec: Mapping[str, Any], host: Host, before: Mapping[str, Any] | None = None, name: str = "web"
) -> str:
    """An existing machine's XML after the change from the spec `before` to `spec`."""
    return serialise(patched(xml.BINDS, parse(text), lowered(spec, host, name), managed(before, host, name)))


def filled(text: str, spec: Mapping[str, Any]) -> str:
    """The XML with something in the place of each secret, as at the moment of defining."""
    root = parse(text)
    for slot in xml.secret_slots(spec):
        console = root.find(slot.path)
        if console is not None:
            console.set(slot.attribute, MASK)
    return serialise(root)


def diff(
    spec: Mapping[str, Any], text: str, host: Host, before: Mapping[str, Any] | None = None, name: str = "web"
) -> list[Change]:
    """What differs between a spec and an XML."""
    return differences(xml.BINDS, lowered(spec, host, name), observed(text), managed(before, host, name))[0]


def observed(text: str) -> dict[str, Any]:
    """The spec that an XML amounts to."""
    return read(xml.BINDS, parse(text))


def unchanged(text: str) -> str:
    """An XML text as the binding writes it without having changed anything."""
    return serialise(parse(text))


def inactive(domain: libvirt.virDomain) -> str:
    """The persistent definition."""
    return definition(domain, libvirt.VIR_DOMAIN_XML_INACTIVE)


@contextmanager
def defined(connection: libvirt.virConnect, text: str) -> Iterator[libvirt.virDomain]:
    """A machine that is on the host for a while."""
    domain = connection.defineXML(text)
    try:
        yield domain
    finally:
        if domain.isActive():
            domain.destroy()
        flags = 0 if connection.getType() == "TEST" else libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
        domain.undefineFlags(flags)
