"""Where a drive's data is, as a value: a file, a block device, a volume of a pool, a URL, or storage over the network.

A source is a mapping: `file` or `dev` with a path, `pool` and `volume`, `url`, `network`, `nvme` or `vhostUser`; empty
for a drive without a medium. A declared volume whose path is known has both, so that either notation in the XML is
recognised as the same volume. Told from a document's text alone where that says it all: documents are compared so, and
planning knows a disk by its name, before any XML is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

from specs import canonical

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredSource

PORTS: Final = {"http": 80, "https": 443, "ftp": 21, "ftps": 990}
_NETWORK_PORTS: Final = {"nbd": 10809, "iscsi": 3260, "gluster": 24007, "sheepdog": 7000}
OF_PATHS: Final = ("file", "dev")


def text(source: LoweredSource) -> str:
    """A source in one line: its path, its address, or `pool/volume`; empty without a medium."""
    if path := path_of(source):
        return path
    if "url" in source:
        return str(source["url"])
    if "network" in source:
        place = source["network"]
        return f"{place['protocol']}://{','.join(place['hosts'])}/{place['name'].lstrip('/')}"
    if "nvme" in source:
        return f"nvme:{source['nvme']['device']}/{source['nvme']['namespace']}"
    if "vhostUser" in source:
        return f"vhost-user:{source['vhostUser']}"
    return f"{source['pool']}/{source['volume']}" if "volume" in source else ""


def path_of(source: LoweredSource) -> str:
    """The path on the host, as far as it is known; empty for what has none."""
    return str(source.get("file") or source.get("dev") or source.get("path") or "")


def path_source(path: str) -> LoweredSource:
    """The source that is declared by path: an image, or a device of the host."""
    path = canonical.path(path)
    return {"dev": path} if path.startswith("/dev/") else {"file": path}


def url_source(url: str) -> LoweredSource:
    """The source that the hypervisor reads over the network."""
    parts = urlsplit(url)
    return {"url": url_of(parts.scheme.lower(), parts.hostname or "", parts.port, unquote(parts.path), parts.query)}


def url_of(scheme: str, host: str, port: int | None, path: str, query: str | None) -> str:
    """One spelling per address: lower case, no default port, and only what needs it is quoted."""
    name = f"[{canonical.address(host)}]" if ":" in host else canonical.host(host)
    place = name if port is None or port == PORTS.get(scheme) else f"{name}:{port}"
    return f"{scheme}://{place}/{quote(path.lstrip('/'), safe='/:@!$&()*+,;=~')}" + (f"?{query}" if query else "")


def network_source(protocol: str, name: str, hosts: list[str]) -> LoweredSource:
    """Storage that QEMU reaches by a protocol of its own."""
    return {"network": {"protocol": protocol, "name": name, "hosts": hosts}}


def host_of(protocol: str, name: str, port: int | None, *, rdma: bool = False) -> str:
    """One spelling per server."""
    host = f"[{canonical.address(name.strip('[]'))}]" if ":" in name else canonical.host(name)
    place = host if port in (None, _NETWORK_PORTS.get(protocol)) else f"{host}:{port}"
    return f"rdma:{place}" if rdma else place


def split_host(said: str) -> tuple[str, int | None, bool]:
    """A server's name or address, its port, and whether it is spoken to by RDMA."""
    place = said.removeprefix("rdma:")
    name, _, port = place.rpartition(":")
    is_number = port.isascii() and port.isdecimal() and (":" not in name or name.endswith("]"))
    return (name if is_number else place).strip("[]"), int(port) if is_number else None, place != said


def default_port(protocol: str) -> int | None:
    """The port of a protocol's servers, where libvirt wants one."""
    return _NETWORK_PORTS.get(protocol)


def other_source(disk: Mapping[str, Any]) -> LoweredSource:
    """The source of a disk that is neither a new volume nor one of a pool; empty for one that is."""
    if "source" in disk:  # one that stays with its machine although its document doesn't name it
        found: LoweredSource = disk["source"]
        return found
    if "file" in disk:
        return {"file": canonical.path(disk["file"])}
    if "block" in disk:
        return {"dev": canonical.path(disk["block"])}
    if "url" in disk:
        return url_source(disk["url"])
    if "network" in disk:
        said = disk["network"]
        hosts = [
            host_of(said["protocol"], name, port, rdma=rdma)
            for name, port, rdma in map(split_host, said.get("hosts", ()))
        ]
        if "socket" in said:
            hosts.append(f"unix:{canonical.path(said['socket'])}")
        return network_source(said["protocol"], said.get("name", ""), hosts)
    if "nvme" in disk:
        return {"nvme": {"device": disk["nvme"]["device"], "namespace": disk["nvme"]["namespace"]}}
    return {"vhostUser": canonical.path(disk["vhostUser"])} if "vhostUser" in disk else {}


def writes_alone(disk: Mapping[str, Any]) -> bool:
    """Whether a document's disk is one that no other machine may write to, or read, meanwhile."""
    return not disk.get("readOnly", False) and not disk.get("shareable", False)


def disk_name(disk: Mapping[str, Any]) -> str:
    """What a completed document's disk is known by: `pool/volume`, its path, or its address."""
    return str(disk["volume"]) if "volume" in disk else text(other_source(disk))
