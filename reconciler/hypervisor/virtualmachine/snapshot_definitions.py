"""Has a machine's snapshots follow its name and its disks' names.

Each snapshot holds the definition of its time: putting one back, or deleting it, goes by the names in there. libvirt
doesn't change the name in a snapshot that is there, so each is written anew and the old one is forgotten. What is in
the images isn't touched.

Nothing of it is ever only in this process. A copy of each snapshot, with the new names, is put beside it first; then
the old ones are forgotten, then the copies become what they are copies of. Whatever was cut off anywhere goes on from
what libvirt has: it holds at every moment all snapshots whole, with their passwords, their order and which one is
current.
"""

from __future__ import annotations

import hashlib
import logging
import posixpath
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import libvirt

from reconciler.errors import Conflict, Transient
from reconciler.faults import boundary
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import classify, is_lost, message
from reconciler.hypervisor.lookup import check_uid, get
from reconciler.hypervisor.virtualmachine.snapshot_images import SnapshotImages
from reconciler.planning.operations import RenameSnapshots
from specs.binding import Element, child_at, element, parse, serialise, set_text_at
from specs.mark import NAMESPACE

log = logging.getLogger("onggi.hypervisor")

# In a copy's metadata: the name of what it is a copy of. libvirt keeps one element of each namespace.
_COPY: Final = "{https://onggi.dev/xmlns/snapshot/1}copy"
_ORIGIN: Final = f"metadata/{{{NAMESPACE}}}origin"
_REDEFINE: Final = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
_CURRENT: Final = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT
_SECURE: Final = libvirt.VIR_DOMAIN_SNAPSHOT_XML_SECURE
_DEFINITIONS: Final = ("domain", "inactiveDomain")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A snapshot as libvirt has it. `copy_of` is empty for one that is no copy."""

    handle: libvirt.virDomainSnapshot
    root: Element
    name: str
    current: bool
    copy_of: str

    @property
    def parent(self) -> str:
        return self.root.findtext("parent/name") or ""


def rename_snapshots(connections: Connections, operation: RenameSnapshots) -> None:
    """Have all snapshots of an inactive machine name it and its disks as they are called now. Raises Conflict.

    Those that libvirt doesn't take keep the former names, and are no reason for a machine to stay without its disks.
    """
    ref = operation.ref
    with connections.lend(f"rename in the snapshots of {ref}") as connection:
        domain = get(connection, ref)
        check_uid(ref, domain, operation.uid)
        if domain.isActive():
            raise Conflict(
                f"{ref} was started meanwhile, so its snapshots aren't renamed; that is done once it is off."
            )
        try:
            follow(connection, domain, dict(operation.paths))
        except libvirt.libvirtError as error:
            if connection.isAlive() != 1 or is_lost(error) or classify(error)[0] is Transient:
                raise
            log.warning("the snapshots of %s keep its former name, so they can't be used: %s", ref, message(error))


def follow(connection: libvirt.virConnect, domain: libvirt.virDomain, paths: Mapping[str, str]) -> None:
    """Write the machine's name, and for each path its new one, into all snapshots that have others."""
    originals, copies = _kept(domain)
    outdated = [each for each in originals if _rewrite(each.root, domain.name(), paths)]
    if not outdated and not copies:
        return
    if outdated:
        # All of them: one that is forgotten leaves its children to its parent.
        known, names = {each.copy_of for each in copies}, {each.name for each in originals}
        try:
            for each in originals:
                if each.name not in known:
                    boundary("before a copy of a snapshot's definition")
                    _define(domain, _copy(each, names), current=each.current)
        except libvirt.libvirtError:
            _take_back(connection, domain)
            raise
        for each in reversed(originals):
            boundary("before a snapshot's old definition is forgotten")
            _forget(connection, each)
        _, copies = _kept(domain)
    there = {each.name for each in _kept(domain)[0]}
    for each in copies:
        if each.copy_of not in there:
            boundary("before a snapshot's new definition")
            _define(domain, _original(each, copies), current=each.current)
    for each in reversed(copies):
        boundary("before a copy of a snapshot's definition is forgotten")
        _forget(connection, each)


def _take_back(connection: libvirt.virConnect, domain: libvirt.virDomain) -> None:
    """Forget the copies, for one of them can't be made. Not when an earlier run has got beyond making them."""
    originals, copies = _kept(domain)
    if not {each.copy_of for each in copies} <= {each.name for each in originals}:
        return
    current = next((each.copy_of for each in copies if each.current), None)
    for each in originals:
        if each.name == current:
            _define(domain, each.root, current=True)
    for each in reversed(copies):
        _forget(connection, each)


def strayed(domain: libvirt.virDomain, images: SnapshotImages) -> dict[str, str]:
    """Where images are now that the snapshots know by other paths: the machine's disk at the same target, when that
    holds the snapshot and what the snapshot names isn't there.
    """
    present = _disks(parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)))
    found: dict[str, str] = {}
    for each in _kept(domain)[0]:
        for definition in _definitions(each.root):
            for target, path in _disks(definition).items():
                now = present.get(target, path)
                known = now in (path, found.get(path)) or images.names(path) is not None
                if not known and each.name in (images.names(now) or ()):
                    found[path] = now
    return found


def inside(domain: libvirt.virDomain, snapshot: libvirt.virDomainSnapshot) -> list[str]:
    """The images in which a snapshot is kept, by its own word."""
    root = parse(snapshot.getXMLDesc())
    internal = {disk.get("name", "") for disk in root.iterfind("disks/disk") if disk.get("snapshot") == "internal"}
    definition = root.find("domain")
    if definition is None:
        definition = parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    return [path for target, path in _disks(definition).items() if target in internal]


def is_copy(root: Element) -> bool:
    """True for what is only there while snapshots are written anew."""
    return bool(_copy_of(root))


def define_again(domain: libvirt.virDomain, xml: str, *, current: bool) -> None:
    """Have libvirt know a snapshot that it has forgotten."""
    _define(domain, parse(xml), current=current)


def secure_xml(snapshot: libvirt.virDomainSnapshot) -> str:
    """All of a snapshot's definition, for libvirt alone: its passwords are in it."""
    return str(snapshot.getXMLDesc(_SECURE))


def _kept(domain: libvirt.virDomain) -> tuple[list[_Kept], list[_Kept]]:
    """The snapshots with a definition in them, and the copies of such; parents before their children."""
    found = []
    for handle in domain.listAllSnapshots(0):
        root = parse(secure_xml(handle))
        found.append(_Kept(handle, root, handle.getName(), bool(handle.isCurrent()), _copy_of(root)))
    ordered = _parents_first(found)
    originals = [each for each in ordered if not each.copy_of and each.root.find("domain") is not None]
    return originals, [each for each in ordered if each.copy_of]


def _parents_first(found: Iterable[_Kept]) -> list[_Kept]:
    left = {each.name: each for each in found}
    ordered: list[_Kept] = []
    while left:
        ready = [each for each in left.values() if each.parent not in left] or list(left.values())
        ordered += ready
        for each in ready:
            del left[each.name]
    return ordered


def _rewrite(root: Element, name: str, paths: Mapping[str, str]) -> bool:
    """Give a snapshot's definitions these names. False when they had them."""
    changed = False
    for definition in _definitions(root):
        called = definition.find("name")
        if called is not None and called.text != name:
            origin = definition.find(_ORIGIN)
            if origin is not None and origin.get("name") == called.text:
                _rename_mark(origin, name, paths)
            called.text = name
            changed = True
        for source in definition.iterfind("devices/disk//source"):
            changed |= _moved(source, paths)
    for source in root.iterfind("disks/disk/source"):
        changed |= _moved(source, paths)
    return changed


def _rename_mark(origin: Element, name: str, paths: Mapping[str, str]) -> None:
    """A machine that is put back is to be the one that its document tells of, with the disks that it declares."""
    origin.set("name", name)
    files = {posixpath.basename(old): posixpath.basename(new) for old, new in paths.items()}
    for managed in origin:
        pool, _, file = managed.get("pointer", "").rpartition("/")
        if file in files:
            managed.set("pointer", f"{pool}/{files[file]}")


def _moved(source: Element, paths: Mapping[str, str]) -> bool:
    for attribute in ("file", "dev"):
        if (moved := paths.get(source.get(attribute, ""))) is not None:
            source.set(attribute, moved)
            return True
    return False


def _definitions(root: Element) -> list[Element]:
    return [definition for tag in _DEFINITIONS for definition in root.findall(tag)]


def _disks(definition: Element) -> dict[str, str]:
    found = {}
    for disk in definition.iterfind("devices/disk"):
        source, target = disk.find("source"), disk.find("target")
        path = (source.get("file") or source.get("dev")) if source is not None else None
        if path and target is not None and disk.get("device", "disk") == "disk":
            found[target.get("dev", "")] = path
    return found


def _copy_of(root: Element) -> str:
    note = root.find(f"domain/metadata/{_COPY}")
    return note.get("name", "") if note is not None else ""


def _copy_name(name: str) -> str:
    return f"onggi-renames-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _copy(each: _Kept, copied: Container[str]) -> Element:
    """The same under another name, with a note of its own one; its parent is a copy, too."""
    root = parse(serialise(each.root))
    child_at(root, "domain/metadata").append(element(_COPY, name=each.name))
    _call(root, _copy_name(each.name), _copy_name(each.parent) if each.parent in copied else each.parent)
    return root


def _original(each: _Kept, copies: Iterable[_Kept]) -> Element:
    root = parse(serialise(each.root))
    metadata = child_at(root, "domain/metadata")
    for note in metadata.findall(_COPY):
        metadata.remove(note)
    if not len(metadata):
        set_text_at(root, "domain/metadata", None)
    names = {copy.name: copy.copy_of for copy in copies}
    _call(root, each.copy_of, names.get(each.parent, each.parent))
    return root


def _call(root: Element, name: str, parent: str) -> None:
    for path, text in (("name", name), ("parent/name", parent)):
        found = root.find(path)
        if found is not None:
            found.text = text


def _define(domain: libvirt.virDomain, root: Element, *, current: bool) -> None:
    domain.snapshotCreateXML(serialise(root), _REDEFINE | (_CURRENT if current else 0))


def _forget(connection: libvirt.virConnect, each: _Kept) -> None:
    # The test driver doesn't know the flag, for it has nothing else than definitions.
    of_test = connection.getType() == "TEST"
    each.handle.delete(0 if of_test else libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)
