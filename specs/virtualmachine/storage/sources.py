"""A drive's source in libvirt's XML, and when two of them are the same data.

What a source is as a value is in `named_sources`. Finding a drive's element, its target and its bus are left to the
neighbours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from lxml import etree

from specs import canonical
from specs.binding import Element
from specs.host import Host
from specs.reference import Ref
from specs.virtualmachine.storage.named_sources import (
    PORTS,
    default_port,
    host_of,
    other_source,
    path_of,
    path_source,
    split_host,
    text,
    url_of,
    url_source,
)

if TYPE_CHECKING:
    from specs.virtualmachine.spec import Disk, LoweredSource

__all__ = [
    "disk_source",
    "exactly_same",
    "image_format",
    "path_source",
    "read_source",
    "same_source",
    "text",
    "url_source",
    "volume_source",
    "write_source",
]

_URLS: Final = frozenset({*PORTS, "tftp"})
_PCI = re.compile(r"pci_([0-9a-f]{4})_([0-9a-f]{2})_([0-9a-f]{2})_([0-7])")
_KINDS: Final = {"file": "file", "dev": "block", "volume": "volume", "url": "network", "network": "network",
                 "nvme": "nvme", "vhostUser": "vhostuser"}  # fmt: skip
_WHOLE: Final = ("url", "network", "nvme", "vhostUser")  # sources that have one spelling


def volume_source(pool: str, volume: str, host: Host) -> LoweredSource:
    """The source of a declared volume. `format` is given only when the volume is known; `path` is where it is now, and
    `above` are the files in which its data goes on, of snapshots that were made outside of it.

    A path that doesn't end in the volume's name (an iSCSI LUN) belongs to this host's present sessions: the XML then
    names pool and volume, and libvirt finds the path at each start.
    """
    ref = Ref.volume(pool, volume)
    source: LoweredSource = {"pool": pool, "volume": volume}
    place = host.volume_source(ref)
    if place is None:
        return source
    if ref in host.volumes:
        source["format"] = place.format
    if above := host.above(place.path):
        source["above"] = above
    if place.type not in ("file", "block"):
        return source
    if place.path.rpartition("/")[2] != volume:
        return {**source, "path": place.path}
    if place.type == "block":
        return {"dev": place.path, **source}
    return {"file": place.path, **source}


def disk_source(disk: Disk, host: Host) -> LoweredSource:
    """The source of a disk of a completed document."""
    if "volume" in disk:
        pool, _, volume = disk["volume"].partition("/")
        return volume_source(pool, volume, host)
    source = other_source(disk)
    above = host.above(path_of(source)) if path_of(source) else ()
    return {**source, "above": above} if above else source


def image_format(source: LoweredSource) -> str:
    """The format of an image whose format nobody declared: as the host knows it, else by the name's ending."""
    known = source.get("format")
    name = str(source.get("file") or source.get("volume") or "")
    return str(known) if known else "qcow2" if name.endswith(".qcow2") else "raw"


def same_source(declared: LoweredSource, observed: LoweredSource) -> bool:
    """True when both mean the same data, also when a snapshot's overlay lies above it.

    A definition tells what is below only if its machine ran when the snapshot was made; else the host's volumes do.
    """
    if exactly_same(declared, observed) or canonical.path(path_of(declared)) in observed.get("backing", ()):
        return True
    above = declared.get("above", ())
    return bool(above) and canonical.path(path_of(observed)) in above


def exactly_same(declared: LoweredSource, observed: LoweredSource) -> bool:
    """True when both mean the same data, and nothing lies above it."""
    if any(key in declared or key in observed for key in _WHOLE):
        return all(declared.get(key) == observed.get(key) for key in _WHOLE)
    if "volume" in observed:
        return (declared.get("pool"), declared.get("volume")) == (observed["pool"], observed["volume"])
    path, seen = path_of(declared), path_of(observed)
    if path and path == seen:
        return True
    if not path and "volume" in declared:  # its pool doesn't show it now: the name has to do
        return bool(seen.rpartition("/")[2] == declared["volume"])
    return canonical.path(path) == canonical.path(seen)


def read_source(disk: Element) -> LoweredSource:
    """A drive's source. `backing` are the paths below a snapshot's overlay, which only some definitions tell."""
    source = disk.find("source")
    found: LoweredSource = {}
    if source is None:
        return found
    kind = disk.get("type")
    if path := source.get("file"):
        found["file"] = canonical.path(path)
    elif path := source.get("dev"):
        found["dev"] = canonical.path(path)
    elif volume := source.get("volume"):
        found |= {"pool": source.get("pool") or "", "volume": volume}
    elif protocol := source.get("protocol"):
        found |= _read_network(source, protocol)
    elif kind == "nvme" and (address := source.find("address")) is not None:
        numbers = [int(address.get(part) or "0", 0) for part in ("domain", "bus", "slot", "function")]
        device = "pci_{:04x}_{:02x}_{:02x}_{:x}".format(*numbers)
        found["nvme"] = {"device": device, "namespace": int(source.get("namespace") or "1")}
    elif kind == "vhostuser" and (path := source.get("path")):
        found["vhostUser"] = canonical.path(path)
    if backing := [path for each in disk.iterfind(".//backingStore/source") if (path := _element_path(each))]:
        found["backing"] = backing
    return found


def _read_network(source: Element, protocol: str) -> LoweredSource:
    servers = [(host, _number(host.get("port"))) for host in source.iterfind("host")]
    if protocol in _URLS:
        name, number = (servers[0][0].get("name") or "", servers[0][1]) if servers else ("", None)
        return {"url": url_of(protocol, name, number, source.get("name") or "", source.get("query"))}
    hosts = [
        f"unix:{canonical.path(host.get('socket') or '')}"
        if host.get("transport") == "unix"
        else host_of(protocol, host.get("name") or "", number, rdma=host.get("transport") == "rdma")
        for host, number in servers
    ]
    return {"network": {"protocol": protocol, "name": source.get("name") or "", "hosts": hosts}}


def _number(port: str | None) -> int | None:
    return int(port) if port and port.isascii() and port.isdecimal() else None


def write_source(disk: Element, source: LoweredSource) -> None:
    """Make a drive's element name `source`; an empty one takes the medium out."""
    before = disk.find("source")
    policy = before.get("startupPolicy") if before is not None else None
    for tag in ("source", "backingStore", "mirror"):
        for old in disk.findall(tag):
            disk.remove(old)
    disk.set("type", next((kind for key, kind in _KINDS.items() if key in source), "file"))
    if not source:
        return
    element = etree.SubElement(disk, "source")
    if "url" in source:
        _write_url(element, source["url"])
    elif "network" in source:
        _write_network(element, source)
    elif "nvme" in source:
        _write_nvme(element, source)
    elif "vhostUser" in source:
        element.set("type", "unix")
        element.set("path", source["vhostUser"])
    elif "file" in source:
        element.set("file", source["file"])
    elif "dev" in source:
        element.set("dev", source["dev"])
    else:
        element.set("pool", source["pool"])
        element.set("volume", source["volume"])
    if policy is not None and disk.get("type") in ("file", "block", "volume"):
        element.set("startupPolicy", policy)


def _write_url(element: Element, url: str) -> None:
    parts = urlsplit(url)
    element.set("protocol", parts.scheme)
    element.set("name", unquote(parts.path).lstrip("/"))
    if parts.query:
        element.set("query", parts.query)
    port = parts.port or PORTS.get(parts.scheme, 0)
    etree.SubElement(element, "host", name=parts.hostname or "", port=str(port))


def _write_network(element: Element, source: LoweredSource) -> None:
    place = source["network"]
    protocol = str(place["protocol"])
    element.set("protocol", protocol)
    if place["name"]:
        element.set("name", place["name"])
    for said in place["hosts"]:
        if said.startswith("unix:"):
            etree.SubElement(element, "host", transport="unix", socket=said.removeprefix("unix:"))
            continue
        name, port, rdma = split_host(said)
        host = etree.SubElement(element, "host", name=name)
        if port is None:
            port = default_port(protocol)
        if port is not None:
            host.set("port", str(port))
        if rdma:
            host.set("transport", "rdma")


def _write_nvme(element: Element, source: LoweredSource) -> None:
    element.set("type", "pci")
    element.set("managed", "no")
    element.set("namespace", str(source["nvme"]["namespace"]))
    match = _PCI.fullmatch(source["nvme"]["device"])
    parts = match.groups() if match is not None else ("0", "0", "0", "0")
    names = ("domain", "bus", "slot", "function")
    etree.SubElement(element, "address", {name: f"0x{part}" for name, part in zip(names, parts, strict=True)})


def _element_path(source: Element) -> str:
    return canonical.path(source.get("file") or source.get("dev") or "")
