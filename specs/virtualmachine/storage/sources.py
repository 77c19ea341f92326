"""Where a drive's data is: a file, a block device, a volume of a pool, or a URL; as a value and as XML.

A source is a mapping: `file` or `dev` with a path, `pool` and `volume`, or `url`; empty for a drive without a medium.
A declared volume whose path is known has both, so that either notation in the XML is recognised as the same volume.
Finding a drive's element, its target and its bus are left to the neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from lxml import etree

from specs import canonical
from specs.binding import Element
from specs.host import Host
from specs.reference import Ref

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredSource


_PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 990}


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
    return _at(place.path, block=place.type == "block") | source


def path_source(path: str) -> LoweredSource:
    """The source of a CD-ROM that is declared by path: an image, or a drive of the host."""
    path = canonical.path(path)
    return _at(path, block=path.startswith("/dev/"))


def _at(path: str, *, block: bool) -> LoweredSource:
    return {"dev": path} if block else {"file": path}


def url_source(url: str) -> LoweredSource:
    """The source of a CD-ROM that the hypervisor reads over the network."""
    parts = urlsplit(url)
    return {"url": _url(parts.scheme.lower(), parts.hostname or "", parts.port, unquote(parts.path), parts.query)}


def image_format(source: LoweredSource) -> str:
    """The format of an image whose format nobody declared: as the host knows it, else by the name's ending."""
    known = source.get("format")
    name = str(source.get("file") or source.get("volume") or "")
    return str(known) if known else "qcow2" if name.endswith(".qcow2") else "raw"


def text(source: LoweredSource) -> str:
    """A source in one line: its path, its URL, or `pool/volume`; empty without a medium."""
    if path := _path(source):
        return path
    return str(source.get("url") or (f"{source['pool']}/{source['volume']}" if "volume" in source else ""))


def same_source(declared: LoweredSource, observed: LoweredSource) -> bool:
    """True when both mean the same data, also when a snapshot's overlay lies above it.

    A definition tells what is below only if its machine ran when the snapshot was made; else the host's volumes do.
    """
    if exactly_same(declared, observed) or canonical.path(_path(declared)) in observed.get("backing", ()):
        return True
    above = declared.get("above", ())
    return bool(above) and canonical.path(_path(observed)) in above


def exactly_same(declared: LoweredSource, observed: LoweredSource) -> bool:
    """True when both mean the same data, and nothing lies above it."""
    if "url" in declared or "url" in observed:
        return declared.get("url") == observed.get("url")
    if "volume" in observed:
        return (declared.get("pool"), declared.get("volume")) == (observed["pool"], observed["volume"])
    path, seen = _path(declared), _path(observed)
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
    if path := source.get("file"):
        found["file"] = canonical.path(path)
    elif path := source.get("dev"):
        found["dev"] = canonical.path(path)
    elif volume := source.get("volume"):
        found |= {"pool": source.get("pool") or "", "volume": volume}
    elif protocol := source.get("protocol"):
        host = source.find("host")
        name, port = ("", "") if host is None else (host.get("name") or "", host.get("port") or "")
        number = int(port) if port.isascii() and port.isdecimal() else None
        found["url"] = _url(protocol, name, number, source.get("name") or "", source.get("query"))
    if backing := [path for each in disk.iterfind(".//backingStore/source") if (path := _element_path(each))]:
        found["backing"] = backing
    return found


def write_source(disk: Element, source: LoweredSource) -> None:
    """Make a drive's element name `source`; an empty one takes the medium out."""
    for tag in ("source", "backingStore", "mirror"):
        for old in disk.findall(tag):
            disk.remove(old)
    kinds = {"file": "file", "dev": "block", "volume": "volume", "url": "network"}
    disk.set("type", next((kind for key, kind in kinds.items() if key in source), "file"))
    if not source:
        return
    element = etree.SubElement(disk, "source")
    if "url" in source:
        parts = urlsplit(source["url"])
        element.set("protocol", parts.scheme)
        element.set("name", unquote(parts.path).lstrip("/"))
        if parts.query:
            element.set("query", parts.query)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        etree.SubElement(element, "host", name=parts.hostname or "", port=str(port))
        return
    if "file" in source:
        element.set("file", source["file"])
        return
    if "dev" in source:
        element.set("dev", source["dev"])
        return
    element.set("pool", source["pool"])
    element.set("volume", source["volume"])


def _path(source: LoweredSource) -> str:
    return str(source.get("file") or source.get("dev") or source.get("path") or "")


def _element_path(source: Element) -> str:
    return canonical.path(source.get("file") or source.get("dev") or "")


def _url(scheme: str, host: str, port: int | None, path: str, query: str | None) -> str:
    """One spelling per address: lower case, no default port, and only what needs it is quoted."""
    name = f"[{canonical.address(host)}]" if ":" in host else canonical.host(host)
    place = name if port is None or port == _PORTS.get(scheme) else f"{name}:{port}"
    return f"{scheme}://{place}/{quote(path.lstrip('/'), safe='/:@!$&()*+,;=~')}" + (f"?{query}" if query else "")
