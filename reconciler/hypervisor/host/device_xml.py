"""From libvirt's XML of one node device to a value. A kind that isn't known here gives the plain facts that it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from reconciler.observed.host_devices import HostDevice
from specs.binding import Element, parse

Fields = dict[str, Any]

_LINKS = {"80203": "IEEE 802.3", "80211": "IEEE 802.11"}
_COUNTS = frozenset({"size", "logical_block_size", "num_blocks"})  # numbers where the others are texts
_NAMED = ("vendor", "product")  # {id, description} on a bus; plain texts elsewhere


def host_device(xml: str) -> HostDevice:
    """The device that the XML describes. Raises ValueError or lxml.etree.XMLSyntaxError for one that can't be right."""
    root = parse(xml)
    name, capability = root.findtext("name"), root.find("capability")
    kind = "" if capability is None else capability.get("type") or ""
    if not name or capability is None or not kind:
        raise ValueError("it has no name or no kind")
    fields = _READERS.get(kind, _plain)(capability)
    return HostDevice(
        name=name,
        kind=kind,
        parent=root.findtext("parent") or None,
        path=root.findtext("path") or (_pci_path(fields) if kind == "pci" else ""),
        capabilities=frozenset(str(each.get("type")) for each in root.iter("capability") if each.get("type")),
        fields=fields,
        pci_class=_optional(capability, "class") if kind == "pci" else None,
    )


def _pci(capability: Element) -> Fields:
    return {
        **_numbers(capability, ("domain", "bus", "slot", "function")),
        **{each: _named(capability, each) for each in _NAMED},
        "iommuGroup": _group(capability),
    }


def _pci_path(fields: Fields) -> str:
    address = "{domain:04x}:{bus:02x}:{slot:02x}.{function:x}".format(**fields)
    return f"/sys/bus/pci/devices/{address}"


def _usb_device(capability: Element) -> Fields:
    return {**_numbers(capability, ("bus", "device")), **{each: _named(capability, each) for each in _NAMED}}


def _usb(capability: Element) -> Fields:
    fields: Fields = _numbers(capability, ("number", "class", "subclass", "protocol"))
    return fields | _texts(capability, ("description",))


def _scsi(capability: Element) -> Fields:
    fields: Fields = _numbers(capability, ("host", "bus", "target", "lun"))
    return fields | _texts(capability, ("type",))


def _scsi_host(capability: Element) -> Fields:
    """The adapter is always there, with empty texts where it isn't on Fibre Channel."""
    adapter: Fields = {"type": "", "wwnn": "", "wwpn": ""}
    inside = {each.get("type"): each for each in capability.findall("capability")}
    if (ports := inside.get("vport_ops")) is not None:
        adapter["type"] = "vport_ops"
        adapter["vport_ops"] = {each: _optional(ports, each) for each in ("max_vports", "vports")}
    if (channel := inside.get("fc_host")) is not None:
        adapter["type"] = "fc_host"
        adapter |= _texts(channel, ("wwnn", "wwpn", "fabric_wwn"))
    fields = {each: number for each in ("host", "unique_id") if (number := _optional(capability, each)) is not None}
    return {**fields, "adapter": adapter}


def _net(capability: Element) -> Fields:
    fields: Fields = _texts(capability, ("interface", "address"))
    if (link := capability.find("link")) is not None:
        fields["link"] = {str(name): _value(str(text)) for name, text in sorted(link.attrib.items())}
    if (inside := capability.find("capability")) is not None:
        word = inside.get("type") or ""
        fields["link_type"] = _LINKS.get(word, word)
    return fields


def _storage(capability: Element) -> Fields:
    fields = _plain(capability)
    for inside in capability.findall("capability"):
        if inside.get("type") == "removable":
            available = bool(_optional(inside, "media_available"))
            media: Fields = {"type": "removable", "available": available}
            if available:
                media |= {"size": _optional(inside, "media_size"), "label": inside.findtext("media_label")}
            fields["media"] = media
    return fields


def _mdev(capability: Element) -> Fields:
    kind = capability.find("type")
    return {
        "type": "" if kind is None else kind.get("id") or "",
        **_texts(capability, ("uuid",)),
        "iommuGroup": _group(capability),
    }


def _system(capability: Element) -> Fields:
    fields = _texts(capability, ("product",))
    for part in ("hardware", "firmware"):
        below = capability.find(part)
        fields[part] = {} if below is None else {str(each.tag): (each.text or "").strip() for each in below}
    return fields


def _plain(capability: Element) -> Fields:
    """The texts directly inside, and those one level below."""
    fields: Fields = {}
    for child in capability:
        if not isinstance(child.tag, str) or child.tag == "capability":
            continue
        below = [each for each in child if isinstance(each.tag, str) and not len(each)]
        fields[child.tag] = {str(each.tag): (each.text or "").strip() for each in below} if below else _leaf(child)
    return fields


def _leaf(element: Element) -> Any:
    text = (element.text or "").strip()
    return _value(text) if element.tag in _COUNTS else text


# The kinds whose facts have a shape of their own; the others are plain.
_READERS: dict[str, Callable[[Element], Fields]] = {
    "pci": _pci,
    "usb_device": _usb_device,
    "usb": _usb,
    "scsi": _scsi,
    "scsi_host": _scsi_host,
    "net": _net,
    "storage": _storage,
    "mdev": _mdev,
    "system": _system,
}


def _numbers(capability: Element, names: Iterable[str]) -> dict[str, int]:
    """Numbers without which the device can't be told from others. Raises ValueError."""
    found = {}
    for name in names:
        number = _optional(capability, name)
        if number is None:
            raise ValueError(f"its <{name}> is missing")
        found[name] = number
    return found


def _optional(capability: Element, name: str) -> int | None:
    text = capability.findtext(name)
    return int(text.strip(), 0) if text and text.strip() else None


def _texts(capability: Element, names: Iterable[str]) -> Fields:
    return {name: text.strip() for name in names if (text := capability.findtext(name)) is not None}


def _named(capability: Element, name: str) -> dict[str, str | None]:
    found = capability.find(name)
    if found is None:
        return {"id": None, "description": None}
    return {"id": found.get("id"), "description": (found.text or "").strip() or None}


def _group(capability: Element) -> int | None:
    group = capability.find("iommuGroup")
    return None if group is None else int(group.get("number") or "", 0)


def _value(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text
