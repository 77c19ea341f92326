"""A MediatedDevice in libvirt's XML: its binds, and what a new one starts with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lxml import etree

from specs.binding import Bind, Element, child_at
from specs.carried import carried
from specs.declared_binds import binder, complete
from specs.host import Host
from specs.mediateddevice.fields import SPEC

if TYPE_CHECKING:
    from specs.mediateddevice.spec import LoweredMediatedDevice, MediatedDeviceSpec

bind = binder(SPEC)


def lower(declared: MediatedDeviceSpec, *, name: str, uid: str, host: Host) -> LoweredMediatedDevice:  # noqa: ARG001  (every kind's signature)
    """As it is written."""
    lowered: LoweredMediatedDevice = carried(SPEC, declared)
    return lowered


def skeleton(lowered: LoweredMediatedDevice, *, name: str, uid: str, host: Host) -> Element:  # noqa: ARG001  (every kind's signature)
    """A new device of that UUID; libvirt makes its name."""
    root = etree.Element("device")
    etree.SubElement(root, "parent").text = lowered["parent"]
    capability = etree.SubElement(root, "capability", {"type": "mdev"})
    etree.SubElement(capability, "type", {"id": lowered["type"]})
    etree.SubElement(capability, "uuid").text = uid
    return root


def uid_of(root: Element) -> str:
    """The UUID of one; libvirt before 7.3 has it in the name alone, which such a host's isn't ours to manage by."""
    return (root.findtext("capability/uuid") or "").lower()


def _attributes(root: Element) -> list[dict[str, str]]:
    return [
        {"name": each.get("name") or "", "value": each.get("value") or ""} for each in root.iterfind("capability/attr")
    ]


def _put_attributes(root: Element, attributes: Sequence[Mapping[str, str]]) -> None:
    capability = child_at(root, "capability")
    for each in capability.findall("attr"):
        capability.remove(each)
    for attribute in attributes:
        etree.SubElement(capability, "attr", dict(attribute))


BINDS: tuple[Bind, ...] = complete(SPEC, (bind("attributes", get=_attributes, put=_put_attributes),))
