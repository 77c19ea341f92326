"""Two values and more of every field that a document may have, so that one of them can be told from another.

They come from the declarations. What a pattern or a rule between fields makes hard to choose is listed here, and which
documents to put the values into. A subject of its own has a module of its own beside this one, in `values/`, with
`DOCUMENTS` and `VALUES` that are added to these, and `KNOWN_TO_QEMU` where QEMU doesn't know every word.
"""

from __future__ import annotations

import copy
import importlib
import json
import pkgutil
from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import Any

from specs.declared import Declared
from specs.document import API_VERSION, parse
from specs.host import Feature, Host, NodeDevice, VolumeSource
from specs.name import NAME_PATTERN
from specs.problem import Unrenderable
from specs.reference import MEDIATED_DEVICE, Ref
from specs.registry import Kind
from specs.validate import validate
from tests.laws import values as of_subjects
from tests.specs.rendering import UID

IMAGES = "/var/lib/libvirt/images"
VOLUMES = {Ref.volume("default", name): VolumeSource(f"{IMAGES}/{name}", "file", "qcow2") for name in ("a", "b", "c")}
VOLUMES[Ref.volume("default", "r")] = VolumeSource(f"{IMAGES}/r", "file", "raw")
USB = {name: NodeDevice(name, "usb", {"bus": 1, "device": int(name[-1])}) for name in ("usb_1_2", "usb_1_3")}
HOST = Host(
    domain_types=("kvm", "qemu"),
    machines=("q35", "pc"),
    features=frozenset(Feature),
    volumes=VOLUMES,
    pool_paths={"default": IMAGES},
    node_devices=USB,
    used_subnets=("192.168.122.0/24",),
)

# Of the words that a field can have those that QEMU for x86 knows everywhere.
_KNOWN_TO_QEMU: Mapping[str, list[str]] = {"VirtualMachine.watchdog.model": ["i6300esb", "ib700"]}

# Documents that the values are put into; each value goes into the first one that is good with it.
_MACHINE: dict[str, Any] = {
    "disks": [{"volume": "default/a", "bus": "scsi"}],
    "cdroms": [{"bus": "sata"}],
    "interfaces": [{"network": "default"}],
    "hostDevices": [{"device": "usb_1_2"}],
    "graphics": {"type": "vnc"},
    "watchdog": {"model": "i6300esb"},
    "cloudInit": {"user": "ops"},
}
_NAT: dict[str, Any] = {
    "mode": "nat",
    "subnet": "192.168.150.0/24",
    "dhcp": {
        "start": "192.168.150.20",
        "end": "192.168.150.90",
        "hosts": [{"mac": "52:54:00:00:00:01", "ip": "192.168.150.10"}],
    },
    "dns": {"hosts": [{"ip": "192.168.150.3", "hostnames": ["a"]}]},
}
_PLAIN_NAT = {"mode": "nat", "subnet": "192.168.150.0/24"}
_CHAP = {"username": "ops", "passwordFrom": {"env": "ONGGI_SECRET_A"}}
_FILE_CHAP = {"username": "ops", "passwordFrom": {"file": "/etc/onggi/secrets/a"}}
_ISCSI = {"host": "a.example", "target": "iqn.2024-01.org.example:a", "auth": _CHAP}
_DOCUMENTS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "VirtualMachine": (
        _MACHINE,
        {**_MACHINE, "machine": "pc"},
        {**_MACHINE, "interfaces": [{"bridge": "br0"}]},
        {**_MACHINE, "cdroms": [{"path": "/srv/iso/a.iso"}]},
        {**_MACHINE, "cdroms": [{"url": "http://example.org/a.iso"}]},
        {"disks": [{"size": "1GiB", "name": "root"}]},
        {"cpus": 2},
        {"cpus": 1, "cpuTopology": {"sockets": 1, "cores": 1, "threads": 1}},
        {"graphics": {"passwordFrom": {"env": "ONGGI_SECRET_A"}}},
        {"graphics": {"passwordFrom": {"file": "/etc/onggi/secrets/a"}}},
        {"interfaces": [{"network": "default", "addresses": ["192.168.122.10/24"]}], "cloudInit": {}},
        {"disks": [{"volume": "default/a", "ioLimits": {}}]},
    ),
    "Network": (
        _NAT,
        {**_PLAIN_NAT, "dhcp": {}, "dns": {}},
        {"mode": "bridge", "bridge": "br0"},
        {"mode": "bridge", "interface": "eth0"},
        {"mode": "bridge", "interface": "eth0", "vlan": 3},
        {},
    ),
    "StoragePool": (
        {"type": "iscsi", "source": _ISCSI},
        {"type": "iscsi-direct", "source": {**_ISCSI, "initiator": "iqn.2024-01.org.example:i"}},
        {"type": "iscsi", "source": {**_ISCSI, "auth": _FILE_CHAP}},
        {"type": "netfs", "source": {"host": "a.example", "path": "/export/a"}},
        {"type": "logical", "path": "/dev/vg", "source": {"devices": ["/dev/sda"]}},
        {"type": "scsi", "source": {"adapter": {"name": "scsi_host2"}}},
        {"type": "scsi", "source": {"adapter": {"type": "fc_host", "wwnn": "0" * 15 + "1", "wwpn": "0" * 15 + "2"}}},
        {"type": "scsi", "source": {"adapter": {"name": "scsi_host2", "wwnn": "0" * 15 + "1", "wwpn": "0" * 15 + "2"}}},
        {"path": "/srv/a"},
    ),
    "StorageVolume": ({"pool": "default", "capacity": "1GiB"}, {"pool": "default", "source": {"url": "http://a/b"}}),
}
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINBdU05+IfrXnvx3r1wr/RaHmeNJfQq6fOPny9W0x0fo "
_VALUES: Mapping[str, tuple[Any, ...]] = {
    "VirtualMachine.cpuTopology": (
        {"sockets": 2, "cores": 1, "threads": 1},
        {"sockets": 1, "cores": 2, "threads": 1},
    ),
    "VirtualMachine.memory": (512, "2GiB"),
    "VirtualMachine.maximumMemory": (4096, "8GiB"),
    "VirtualMachine.machine": ("q35", "pc"),
    "VirtualMachine.bootDevices": (["hd", "network"], ["network"]),
    "VirtualMachine.disks.size": ("1GiB", "2GiB"),
    "VirtualMachine.disks.base": ("default/a", "default/b"),
    "VirtualMachine.disks.volume": ("default/a", "default/b"),
    "VirtualMachine.disks.target": ("sda", "sdc"),
    "VirtualMachine.cdroms.volume": ("default/a", "default/b"),
    "VirtualMachine.cdroms.path": ("/srv/iso/a.iso", "/srv/iso/b.iso"),
    "VirtualMachine.cdroms.url": ("http://example.org/a.iso", "http://example.org/b.iso"),
    "VirtualMachine.cdroms.target": ("sdb", "sdc"),
    "VirtualMachine.interfaces.bridge": ("br0", "br1"),
    "VirtualMachine.interfaces.mac": ("52:54:00:00:00:01", "52:54:00:00:00:02"),
    "VirtualMachine.interfaces.addresses": (["192.168.122.10/24"], ["192.168.122.11/24"]),
    "VirtualMachine.hostDevices.device": ("usb_1_2", "usb_1_3"),
    "VirtualMachine.graphics.listen": ("127.0.0.1", "0.0.0.0"),
    "VirtualMachine.graphics.passwordValidTo": ("2030-12-31T23:59:59Z", "2031-12-31T23:59:59Z"),
    "VirtualMachine.access.users": (["alice"], ["bob"]),
    "VirtualMachine.access.groups": (["shop"], ["lab"]),
    "VirtualMachine.interfaces.gateways": (["192.168.122.1"], ["192.168.122.2"]),
    "VirtualMachine.interfaces.nameservers": (["192.168.122.1"], ["192.168.122.2"]),
    "VirtualMachine.cloudInit.sshKeys": ([_KEY + "a"], [_KEY + "b"]),
    "VirtualMachine.cloudInit.metaData": ("local-hostname: a", "local-hostname: b"),
    "VirtualMachine.cloudInit.networkConfig": ("version: 1", "version: 2"),
    "Network.bridge": ("br0", "br1"),
    "Network.interface": ("eth0", "eth1"),
    "Network.subnet": ("192.168.150.0/24", "192.168.151.0/24"),
    "Network.gateway": ("192.168.150.1", "192.168.150.254"),
    "Network.dhcp.start": ("192.168.150.20", "192.168.150.21"),
    "Network.dhcp.end": ("192.168.150.90", "192.168.150.91"),
    "Network.dhcp.hosts.mac": ("52:54:00:00:00:01", "52:54:00:00:00:02"),
    "Network.dhcp.hosts.ip": ("192.168.150.11", "192.168.150.12"),
    "Network.dhcp.hosts.name": ("a", "b"),
    "Network.dns.forwarders": (["192.0.2.1"], ["192.0.2.2"]),
    "Network.dns.hosts.ip": ("192.168.150.4", "192.168.150.5"),
    "Network.dns.hosts.hostnames": (["a"], ["b"]),
    "Network.domain": ("a.example", "b.example"),
    "StoragePool.path": ("/srv/a", "/srv/b"),
    "StoragePool.source.host": ("a.example", "b.example"),
    "StoragePool.source.path": ("/export/a", "/export/b"),
    "StoragePool.source.devices": (["/dev/sda"], ["/dev/sda", "/dev/sdb"]),
    "StoragePool.source.target": ("iqn.2024-01.org.example:a", "iqn.2024-01.org.example:b"),
    "StoragePool.source.initiator": ("iqn.2024-01.org.example:a", "iqn.2024-01.org.example:b"),
    "StoragePool.source.adapter.name": ("scsi_host2", "scsi_host3"),
    "StoragePool.source.adapter.wwnn": ("0" * 15 + "1", "0" * 15 + "3"),
    "StoragePool.source.adapter.wwpn": ("0" * 15 + "2", "0" * 15 + "4"),
    "StoragePool.source.adapter.parent": ("scsi_host2", "scsi_host3"),
    "StoragePool.source.auth.username": ("ops", "guest"),
    "StoragePool.source.format": ("nfs", "glusterfs"),
    "VirtualMachine.xml": tuple(
        f"<domain><features><{feature}/></features></domain>" for feature in ("pae", "privnet")
    ),
    "Network.xml": tuple(f"<network><dns><txt name='a' value='{value}'/></dns></network>" for value in "bc"),
    "StoragePool.xml": tuple(
        f"<pool><target><permissions><mode>{mode}</mode></permissions></target></pool>" for mode in ("0700", "0750")
    ),
    "NetworkFilter.xml": tuple(f"<filter><rule action='drop' direction='{way}'/></filter>" for way in ("in", "out")),
    "StorageVolume.xml": tuple(
        f"<volume><target><permissions><mode>{mode}</mode></permissions></target></volume>" for mode in ("0600", "0640")
    ),
    "StorageVolume.capacity": ("1GiB", "2GiB"),
    "StorageVolume.backingVolume": ("default/a", "default/b"),
    "StorageVolume.source.url": ("http://example.org/a", "http://example.org/b"),
    "StorageVolume.source.sha256": ("0" * 64, "1" * 64),
}
_SUBJECTS = [
    vars(importlib.import_module(f"{of_subjects.__name__}.{each.name}"))
    for each in pkgutil.iter_modules(of_subjects.__path__)
]
_ALL = [_DOCUMENTS, *(each.get("DOCUMENTS", {}) for each in _SUBJECTS)]
DOCUMENTS: Mapping[str, tuple[dict[str, Any], ...]] = {
    kind: tuple(document for each in _ALL for document in each.get(kind, ())) for every in _ALL for kind in every
}
VALUES: Mapping[str, tuple[Any, ...]] = _VALUES | dict(ChainMap(*(each.get("VALUES", {}) for each in _SUBJECTS)))
KNOWN_TO_QEMU: Mapping[str, list[str]] = _KNOWN_TO_QEMU | dict(
    ChainMap(*(each.get("KNOWN_TO_QEMU", {}) for each in _SUBJECTS))
)
# Fields that libvirt as it is packaged here refuses, with all that is in them.
NOT_TAKEN_HERE: frozenset[str] = frozenset(field for each in _SUBJECTS for field in each.get("NOT_TAKEN_HERE", ()))
OF_EVERY_KIND: Mapping[str, tuple[Any, ...]] = {
    ".ignoreFields": (["/memory"], ["/cpus"]),
    ".passwordFrom.file": ("/etc/onggi/secrets/a", "/etc/onggi/secrets/b"),
    ".passwordFrom.env": ("ONGGI_SECRET_A", "ONGGI_SECRET_B"),
}


def paths(declared: Declared, path: str) -> Iterator[tuple[str, Declared]]:
    """(`Kind.disks.size`, field) of everything that has one value."""
    whole = declared.base or declared
    inside = whole.item if whole.item is not None and whole.item.fields else whole
    if path in VALUES or not inside.fields:
        yield path, declared
    else:
        for name, each in inside.fields.items():
            yield from paths(each, f"{path}.{name}")


def values(path: str, declared: Declared) -> tuple[Any, ...]:
    """At least two values of a field. Raises LookupError where none can be made up."""
    keywords = {**(declared.base.keywords if declared.base else {}), **declared.keywords}
    if path in VALUES:
        return VALUES[path]
    if "enum" in keywords:
        return tuple(keywords["enum"])
    if keywords.get("pattern") == NAME_PATTERN:
        return ("default", "other")
    kinds = keywords.get("type", ())
    if kinds == "boolean":
        return (True, False)
    if "integer" in kinds:
        return (keywords["minimum"] + 1, keywords["minimum"] + 2)
    if kinds == "string" and ("pattern" not in keywords or path.endswith((".title", ".user", ".hostname"))):
        return ("one", "two")
    for ending, shared in OF_EVERY_KIND.items():
        if path.endswith(ending):
            return shared
    raise LookupError(f"{path}: write two values of it into VALUES of {__name__}")


def documents(kind: Kind, path: str, declared: Declared, host: Host = HOST) -> list[dict[str, Any]]:
    """Specs that are good on a host and differ in one field and nothing else. Raises LookupError for fewer than two."""
    field = path.split(".")[1]
    whole = kind.declarations.SPEC[field]
    is_list = (whole.base or whole).item is not None  # of which few documents have an item
    for document in sorted(DOCUMENTS[kind.name], key=lambda each: is_list and field not in each):
        specs = (_with(document, path, value) for value in values(path, declared))
        good = [spec for spec in specs if spec is not None and is_good(kind, spec, host)]
        if len(good) > 1:
            return good
    raise LookupError(f"{path}: write a document in which it can have two values into DOCUMENTS of {__name__}")


def _with(document: dict[str, Any], path: str, value: Any) -> dict[str, Any] | None:
    spec = copy.deepcopy(document)
    holder: Any = spec
    *way, last = path.split(".")[1:]
    for key in way:
        holder = holder.setdefault(key, {})
        holder = holder[0] if isinstance(holder, list) and holder else holder
    if not isinstance(holder, dict):
        return None
    holder[last] = value
    return spec


def name_of(kind: Kind) -> str:
    """A name that a document of the kind can have."""
    return UID if kind.name == MEDIATED_DEVICE else "web"


def is_good(kind: Kind, spec: dict[str, Any], host: Host = HOST) -> bool:
    """Whether a document with this spec is valid, and possible on a host."""
    body = {"apiVersion": API_VERSION, "kind": kind.name, "metadata": {"name": name_of(kind)}, "spec": spec}
    parsed = parse("web.yaml", json.dumps(body).encode())
    if parsed.problems or any(validate(document) for document in parsed.documents):
        return False
    try:
        lowered(kind, spec, host)
    except Unrenderable:
        return False
    return True


def lowered(kind: Kind, spec: dict[str, Any], host: Host = HOST) -> dict[str, Any]:
    """The concrete spec; a new disk has its volume, as planning gives it one."""
    spec = copy.deepcopy(spec)
    for disk in spec.get("disks", ()) if kind.name == "VirtualMachine" else ():
        if "size" in disk:
            disk["volume"] = "default/new"
    return kind.xml.lower(spec, name="web", uid=UID, host=host)
