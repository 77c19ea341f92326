"""Judges what an image's header refers to. QEMU opens whatever a header names, with QEMU's rights: an image from
outside that names a file of the host would hand that file to a guest.

Reading a header is a pure function in `specs`; where its bytes come from is here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import libvirt

from reconciler.errors import Terminal
from reconciler.hypervisor.failure import is_not_found, is_unsupported
from reconciler.hypervisor.patience import patiently
from reconciler.hypervisor.storagevolume.traps import check_volume, first_bytes
from specs.binding import Element, parse
from specs.lfs import is_lfs_pointer
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.storagevolume.header import HEADER_BYTES, PLAIN, foreign_problem, image_header, mistaken, unsafe_header

_DEEPEST = 32


def check_download(start: bytes, wanted: Element, url: str) -> None:
    """Raises Terminal for a downloaded image that refers to other files, or isn't of the declared format.

    A wrong format isn't let through: a machine would read the image's header as the contents of its disk.
    """
    if is_lfs_pointer(start):
        raise Terminal(f"{url} gives a Git LFS pointer, not the image; use the URL of the LFS object itself.")
    form = wanted.find("target/format")
    declared = (form.get("type") if form is not None else None) or "raw"
    if (reason := foreign_problem(image_header(start), declared)) is not None:
        raise Terminal(f"{url} isn't used: {reason}")


def check_chain(connection: libvirt.virConnect, path: str, declared: str | None) -> None:
    """Raises Terminal when an image isn't a known volume or not of the `declared` format, or when anything below isn't.

    A raw image has no header: its bytes are a guest's business, whatever they look like.
    """
    seen: list[str] = []

    def is_volume(name: str) -> bool:
        return _volume_at(connection, _beside(path, name)) is not None

    while True:
        volume = _volume_at(connection, path)
        if volume is None:
            raise Terminal(f"the image {path} is no volume of an active pool; put it into one and refresh that.")
        if path in seen or len(seen) >= _DEEPEST:
            raise Terminal(f"the image {seen[0]} refers to itself; replace it.")
        check_volume(connection, volume)
        if declared in PLAIN:
            return
        seen.append(path)
        try:
            header = image_header(first_bytes(connection, volume, HEADER_BYTES))
        except libvirt.libvirtError as error:
            if is_unsupported(error):  # no pool of files: nothing in it can name a file
                return
            raise
        reason = mistaken(header, declared) or unsafe_header(header, is_volume)
        if reason is not None:
            raise Terminal(f"the image {path} isn't used: {reason}")
        if header.backing_file is None:
            return
        path, declared = _beside(path, header.backing_file), header.backing_format


def opened_as(machine: Element, ref: Ref, path: str) -> str | None:
    """The format that a machine's definition opens a volume as; None when it doesn't say."""
    for disk in machine.iterfind("devices/disk"):
        if any(_is_source(source, ref, path) for source in disk.iterfind("source")):
            driver = disk.find("driver")
            return driver.get("type") if driver is not None else None
    return None


def _beside(path: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def is_referred_to(connection: libvirt.virConnect, ref: Ref, path: str) -> bool:
    """True when a machine, running or not, or another volume has this volume in its definition."""
    for domain in connection.listAllDomains():
        if any(_names(parse(text), ref, path) for text in _definitions(domain)):
            return True
    return any(_backing_path(volume) == path for volume in _all_volumes(connection))


def running_writer(connection: libvirt.virConnect, ref: Ref, path: str) -> str:
    """A running machine that writes to this volume, as `VirtualMachine/name`; empty when none does."""
    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        try:
            root = parse(domain.XMLDesc())
        except libvirt.libvirtError as error:
            if is_not_found(error):  # gone since it was listed
                continue
            raise
        for disk in root.iterfind("devices/disk"):
            writes = disk.find("readonly") is None
            if writes and any(_is_source(source, ref, path) for source in disk.iterfind("source")):
                return str(Ref(VIRTUAL_MACHINE, domain.name()))
    return ""


def _definitions(domain: libvirt.virDomain) -> Iterator[str]:
    try:
        yield domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        if domain.isActive():
            yield domain.XMLDesc()
    except libvirt.libvirtError as error:
        if not is_not_found(error):  # undefined since it was listed
            raise


def _names(root: Element, ref: Ref, path: str) -> bool:
    return any(_is_source(source, ref, path) for source in root.iter("source"))


def _is_source(source: Element, ref: Ref, path: str) -> bool:
    by_pool = source.get("pool") == ref.pool and source.get("volume") == ref.short_name
    return by_pool or path in source.attrib.values()


def _backing_path(volume: libvirt.virStorageVol) -> str | None:
    try:
        return parse(volume.XMLDesc()).findtext("backingStore/path")
    except libvirt.libvirtError as error:
        if is_not_found(error):  # deleted since it was listed
            return None
        raise


def _all_volumes(connection: libvirt.virConnect) -> Iterator[libvirt.virStorageVol]:
    for pool in connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
        try:
            volumes = patiently(pool.listAllVolumes)
        except libvirt.libvirtError as error:
            if is_not_found(error) or not pool.isActive():  # undefined or stopped since it was listed
                continue
            raise
        yield from volumes


def _volume_at(connection: libvirt.virConnect, path: str) -> libvirt.virStorageVol | None:
    try:
        return connection.storageVolLookupByPath(path)
    except libvirt.libvirtError as error:
        if is_not_found(error):
            return None
        raise
