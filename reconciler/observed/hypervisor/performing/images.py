"""Judges what an image's header refers to. QEMU opens whatever a header names, with QEMU's rights: an image from
outside that names a file of the host would hand that file to a guest.

Reading a header is a pure function in `specs`; where its bytes come from is here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import libvirt
from specs.storagevolume.header import image_header, unsafe_header

from reconciler.errors import Terminal
from reconciler.observed.hypervisor.failure import is_not_found, is_unsupported
from reconciler.observed.hypervisor.performing.patience import patiently
from reconciler.observed.hypervisor.performing.streams import head
from specs.binding import Element, parse
from specs.reference import Ref

HEAD_BYTES = 64 * 1024
_DEEPEST = 32


def check_download(start: bytes, wanted: Element, url: str) -> None:
    """Raises Terminal for a downloaded image that refers to other files, or isn't of the declared format."""
    reason = unsafe_header(start)
    if reason is not None:
        raise Terminal(f"{url} isn't used: {reason}")
    header = image_header(start)
    form = wanted.find("target/format")
    declared = (form.get("type") if form is not None else None) or "raw"
    if header is not None and header.format != declared:
        raise Terminal(
            f"{url} is a {header.format} image, but {declared} is declared; declare `format: {header.format}`."
        )
    if header is None and declared == "qcow2":
        raise Terminal(f"{url} isn't a qcow2 image, but is declared as one; declare `format: raw` or use another URL.")


def check_chain(connection: libvirt.virConnect, path: str, declared: str | None) -> None:
    """Raises Terminal when a base image isn't a known volume, or when anything below it isn't.

    A raw base has no header: its bytes are a guest's business, whatever they look like.
    """
    seen: list[str] = []
    while declared != "raw":
        volume = _volume_at(connection, path)
        if volume is None:
            below = f", which {seen[-1]} refers to," if seen else ""
            raise Terminal(
                f"the base image {path}{below} is no volume of a known pool; put it into a pool and refresh that."
            )
        if path in seen or len(seen) >= _DEEPEST:
            raise Terminal(f"the base image {seen[0]} refers to itself; replace it.")
        seen.append(path)
        try:
            start = head(connection, volume, HEAD_BYTES)
        except libvirt.libvirtError as error:
            if is_unsupported(error):  # no pool of files: nothing in it can name a file
                return
            raise
        header = image_header(start)
        if header is None:
            return
        if header.data_file:
            raise Terminal(f"the base image {path} keeps its data in another file, {header.data_file}; convert it.")
        if not header.backing_file:
            return
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), header.backing_file))
        declared = header.backing_format


def is_referred_to(connection: libvirt.virConnect, ref: Ref, path: str) -> bool:
    """True when a machine, running or not, or another volume has this volume in its definition."""
    for domain in connection.listAllDomains():
        texts = [domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)]
        if domain.isActive():
            texts.append(domain.XMLDesc())
        if any(_names(parse(text), ref, path) for text in texts):
            return True
    return any(_backing_path(volume) == path for volume in _all_volumes(connection))


def _names(root: Element, ref: Ref, path: str) -> bool:
    for source in root.iter("source"):
        if path in source.attrib.values():
            return True
        if source.get("pool") == ref.pool and source.get("volume") == ref.short_name:
            return True
    return False


def _backing_path(volume: libvirt.virStorageVol) -> str | None:
    try:
        return parse(volume.XMLDesc()).findtext("backingStore/path")
    except libvirt.libvirtError as error:
        if is_not_found(error):  # deleted since it was listed
            return None
        raise


def _all_volumes(connection: libvirt.virConnect) -> Iterator[libvirt.virStorageVol]:
    for pool in connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
        yield from patiently(pool.listAllVolumes)


def _volume_at(connection: libvirt.virConnect, path: str) -> libvirt.virStorageVol | None:
    try:
        return connection.storageVolLookupByPath(path)
    except libvirt.libvirtError as error:
        if is_not_found(error):
            return None
        raise
