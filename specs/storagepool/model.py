"""The shape of a StoragePool's spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from specs import canonical
from specs.reference import Ref
from specs.storagepool.types import OF_DEVICES
from specs.system_folders import is_of_the_system

if TYPE_CHECKING:
    from specs.storagepool.spec import StoragePoolSpec

# What of `source` a type makes use of. A field that would be passed over in silence is a mistake.
_SOURCE_FIELDS: Mapping[str, frozenset[str]] = {
    "dir": frozenset(),
    "kimchi-iso": frozenset(),
    "fs": frozenset({"devices", "format"}),
    "disk": frozenset({"devices", "format"}),
    "logical": frozenset({"devices", "format"}),
    "netfs": frozenset({"host", "port", "path", "format"}),
    "iscsi": frozenset({"host", "port", "target", "initiator", "auth"}),
    "iscsi-direct": frozenset({"host", "port", "target", "initiator", "auth"}),
    "scsi": frozenset({"adapter"}),
}


def references(_name: str, _spec: StoragePoolSpec) -> Iterable[Ref]:
    """A pool needs nothing that has a document."""
    return []


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
