"""The shape of a StoragePool's spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from specs import canonical
from specs.reference import Ref
from specs.secret.reference import needed_secret
from specs.storagepool.types import MOUNTED, OF_DEVICES
from specs.system_folders import is_of_the_system

if TYPE_CHECKING:
    from specs.storagepool.spec import StoragePoolSpec

# What of `source` a type makes use of. A field that would be passed over in silence is a mistake.
_SOURCE_FIELDS: Mapping[str, frozenset[str]] = {
    "dir": frozenset(),
    "kimchi-iso": frozenset(),
    "fs": frozenset({"devices", "format", "vendor", "product"}),
    "disk": frozenset({"devices", "format", "vendor", "product"}),
    "logical": frozenset({"devices", "format", "vendor", "product"}),
    "netfs": frozenset({"host", "port", "path", "format", "protocolVersion", "vendor", "product"}),
    "iscsi": frozenset({"host", "port", "target", "initiator", "auth", "vendor", "product"}),
    "iscsi-direct": frozenset({"host", "port", "target", "initiator", "auth"}),
    "scsi": frozenset({"adapter", "vendor", "product"}),
    "mpath": frozenset(),
    "zfs": frozenset({"name", "devices"}),
    "rbd": frozenset({"name", "hosts", "auth"}),
    "gluster": frozenset({"host", "port", "name", "path"}),
    "sheepdog": frozenset({"host", "port", "name"}),
    "vstorage": frozenset({"name"}),
}


# Of these formats what is exported has a name; `auto` may find out any.
_NAMED_SHARES = frozenset({"cifs", "glusterfs", "auto"})

# What undoes libvirt's nodev, nosuid and noexec, or mounts something else.
_LET_IN = frozenset(
    {"suid", "dev", "exec", "defaults", "user", "users", "owner", "group", "bind", "rbind", "move", "remount", "loop"}
)


def references(_name: str, spec: StoragePoolSpec) -> Iterable[Ref]:
    """The secret that it logs in with."""
    return needed_secret(spec.get("source", {}).get("auth", {}).get("secret"))


def check(_name: str, spec: StoragePoolSpec) -> Iterator[tuple[str, str]]:
    """The rules that hold between fields. Relies on the shape that the schema asks for."""
    kind = spec.get("type", "")
    if "path" in spec:
        yield from _check_path(kind, spec["path"])
    source = spec.get("source", {})
    if kind in _SOURCE_FIELDS:
        for key in sorted(source.keys() - _SOURCE_FIELDS[kind]):
            used = ", ".join(sorted(_SOURCE_FIELDS[kind]))
            remedy = f"it uses {used}" if used else "its `path` says everything"
            yield f"/source/{key}", f"A pool of type {kind} makes no use of `{key}` ({remedy}); remove it."
    auth = source.get("auth", {})
    if kind == "rbd" and "passwordFrom" in auth:
        yield "/source/auth/passwordFrom", "The key of a cluster is a Secret; declare one, and name it by `secret`."
    path = source.get("path", "/")
    if not path.startswith("/") and (kind != "netfs" or source.get("format", "nfs") not in _NAMED_SHARES):
        yield "/source/path", "A path is absolute (it begins with `/`); write it so."
    if kind == "netfs" and "protocolVersion" in source and source.get("format", "nfs") != "nfs":
        yield "/source/protocolVersion", "Only NFS has a version here; remove it, or write it into `mountOptions`."
    if "mountOptions" in spec and kind not in MOUNTED:
        yield "/mountOptions", f"A pool of type {kind} isn't mounted; remove `mountOptions`."
    for index, option in enumerate(spec.get("mountOptions", ())):
        if option.partition("=")[0] in _LET_IN:
            yield (
                f"/mountOptions/{index}",
                f"`{option}` would let what is on the share act on the host; remove it.",
            )
    if kind in ("fs", "disk") and len(source.get("devices", ())) > 1:
        yield "/source/devices", f"A pool of type {kind} has one device; make a pool for each."


def _check_path(kind: str, path: str) -> Iterator[tuple[str, str]]:
    folder = canonical.path(path)
    if kind in OF_DEVICES and (folder == "/dev" or folder.startswith("/dev/")):
        return
    if folder.startswith("/dev/"):
        yield "/path", f"A pool of type {kind or 'dir'} can't be below /dev; choose another folder."
    elif is_of_the_system(folder):
        yield "/path", f"{folder} belongs to the system; choose a folder of its own, such as /var/lib/libvirt/images."
