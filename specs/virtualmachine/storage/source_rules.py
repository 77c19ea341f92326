"""The rules about where a disk's data is: what libvirt takes with one kind of source alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from specs.virtualmachine.storage.named_sources import split_host

if TYPE_CHECKING:
    from specs.virtualmachine.spec import Disk, DiskEncryption

Broken = tuple[str, str]  # JSON pointer into the disk, sentence

_PASSED_THROUGH: Final = ("block", "volume", "network")  # what can be a LUN
_OF_LUNS: Final = ("virtio", "scsi")
_ONLY_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "snapshot": ("rbd",),
    "config": ("rbd",),
    "tls": ("nbd",),
    "tlsHostname": ("nbd",),
    "initiator": ("iscsi",),
    "user": ("nfs",),
    "group": ("nfs",),
}
_SEVERAL_HOSTS: Final = ("rbd", "gluster")
_BY_NAME: Final = ("rbd", "iscsi", "gluster", "sheepdog", "nfs")
_POOLED: Final = ("rbd", "gluster")
_LOGS_IN: Final = ("rbd", "iscsi")
_WITH_POLICY: Final = ("size", "volume", "file", "block")


def check_source(disk: Disk) -> Iterator[Broken]:
    """The rules of one disk."""
    protocol = disk["network"]["protocol"] if "network" in disk else ""
    if "network" in disk:
        for pointer, sentence in _check_network(disk["network"], protocol):
            yield f"/network{pointer}", sentence
    if "auth" in disk and protocol not in _LOGS_IN:
        yield "/auth", "Only RBD and iSCSI are logged in to (`network`); remove this."
    if "url" in disk and not disk.get("readOnly"):
        yield "/url", "What is read from a URL can't be written to; write `readOnly: true` too."
    if "startupPolicy" in disk and not any(name in disk for name in _WITH_POLICY):
        yield "/startupPolicy", "What isn't on this host can't be looked for at the start; remove this."
    if disk.get("device") == "lun":
        yield from _check_lun(disk, protocol)
    elif disk.get("reservations"):
        yield "/reservations", "Only a LUN has reservations; write `device: lun` too, or remove this."
    if "encryption" in disk:
        yield from _check_encryption(disk["encryption"], protocol)
    if "vhostUser" in disk and disk.get("bus", "virtio") != "virtio":
        yield "/bus", "A vhost-user server's disk is on the bus virtio; write that, or leave it out."


def _check_lun(disk: Disk, protocol: str) -> Iterator[Broken]:
    if not any(name in disk for name in _PASSED_THROUGH) or protocol not in ("", "iscsi"):
        yield "/device", "A LUN is a `block` device, iSCSI (`network`), or a volume that is one; write `device: disk`."
    if disk.get("bus", "virtio") not in _OF_LUNS:
        yield "/bus", "A LUN is on the bus virtio or scsi; write one of the two."
    if disk.get("format", "raw") != "raw":
        yield "/format", "A LUN is passed through as it is; write `format: raw`, or leave it out."


def _check_encryption(encryption: DiskEncryption, protocol: str) -> Iterator[Broken]:
    engine = encryption.get("engine", "qemu")
    if engine == "librbd" and protocol != "rbd":
        yield "/encryption/engine", "librbd decrypts RBD alone; write `engine: qemu`, or leave it out."
    if encryption["format"] == "luks2" and engine != "librbd":
        yield "/encryption/format", "QEMU itself knows luks alone; write that, or `engine: librbd` for RBD."


def _check_network(place: Any, protocol: str) -> Iterator[Broken]:
    hosts = place.get("hosts", ())
    for name, protocols in _ONLY_OF.items():
        if name in place and protocol not in protocols:
            yield f"/{name}", f"{protocol} has no such thing, {protocols[0]} has; remove this."
    if protocol in _BY_NAME and "name" not in place:
        yield "", f"Which of the data behind {protocol} is meant? Write its `name`."
    if protocol in _POOLED and "/" not in place.get("name", "/"):
        yield "/name", f"What {protocol} has is in something; write `pool/image` of RBD, `volume/path` of Gluster."
    if protocol == "nfs" and any(port for _, port, _ in map(split_host, hosts)):
        yield "/hosts/0", "NFS has no port of its own here; leave it out."
    if len(hosts) > 1 and protocol not in _SEVERAL_HOSTS:
        yield "/hosts/1", f"{protocol} is reached by one server; remove the others."
    if not hosts and "socket" not in place and protocol != "rbd":
        yield "", f"Where is {protocol} reached? Write its server into `hosts`."
    if protocol == "nfs" and not {"user", "group"} <= place.keys():
        yield "", "NFS is asked as somebody; write `user` and `group`."
