"""Overwrites what is in a volume: with zeros, or with bytes that somebody sends piece by piece.

Volumes that machines use aren't touched. Making and deleting volumes is in `volumes`, how bytes travel in `streams`.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable, Iterator

import libvirt

from reconciler.errors import Cancelled, Refused, Unsupported
from reconciler.hypervisor.connection import Connections, Lane
from reconciler.hypervisor.host.facts import HostFacts
from reconciler.hypervisor.leaving import wait_or_leave
from reconciler.hypervisor.lookup import get
from reconciler.hypervisor.patience import patiently
from reconciler.hypervisor.storagevolume import images
from reconciler.hypervisor.storagevolume.traps import check_volume, first_bytes
from reconciler.hypervisor.storagevolume.volumes import Volumes
from reconciler.hypervisor.transfer.intake import split_head
from reconciler.hypervisor.transfer.streams import upload
from reconciler.planning.one_off import WipeVolume
from specs.binding import Element, drop_attributes, parse, serialise, set_text_at
from specs.host import Feature
from specs.reference import Ref
from specs.storagevolume.header import HEADER_BYTES, PLAIN, foreign_problem, image_header


class VolumeData:
    """The data of one host's volumes."""

    def __init__(self, connections: Connections, facts: HostFacts, volumes: Volumes) -> None:
        self._connections = connections
        self._facts = facts
        self._volumes = volumes
        self._lock = threading.Lock()
        self._taking: set[Ref] = set()

    def wipe(self, operation: WipeVolume, stop: threading.Event) -> None:
        """Overwrite it. Raises Refused while anything uses it; Cancelled after `stop`, when libvirt still goes on."""
        ref = operation.ref
        with self._connections.lend(f"look at {ref}") as connection:
            _check_unused(connection, ref, get(connection, ref))
        wait_or_leave(
            lambda: self._wipe(ref), stop, doing=f"wipe {ref}", look=lambda: None, after=lambda: None
        )  # fmt: skip

    def _wipe(self, ref: Ref) -> None:
        with self._connections.lend(f"wipe {ref}", Lane.DATA) as connection:
            volume = get(connection, ref)
            root = parse(volume.XMLDesc())
            patiently(lambda: volume.wipe(0))
            form = root.find("target/format")
            if root.get("type", "file") != "file" or form is None or form.get("type") in PLAIN | {None}:
                return
            # Zeros are no image: a machine that gets this volume would not even start.
            pool = volume.storagePoolLookupByVolume()
            with self._volumes.pool_lock(ref.pool):
                patiently(volume.delete)
                patiently(lambda: pool.createXML(serialise(_empty(root))))

    def upload(
        self,
        ref: Ref,
        offset: int,
        length: int,
        chunks: Iterable[bytes],
        stop: threading.Event,
        capacity: int | None = None,
    ) -> None:
        """Write exactly `length` bytes at `offset`. In memory are never more than a chunk and an image's header.

        Raises Refused (`BeyondCapacity`, `SizeMismatch`, `UnsafeImage`, `UnsafeFile`, `VolumeInUse`, `UploadUnderWay`),
        Unsupported, Cancelled; Terminal when the disk is full. After an error the bytes of this piece are undefined:
        send it again.
        """
        if not self._facts.can(Feature.VOLUME_UPLOAD):
            raise Unsupported(
                f"{ref} can't be uploaded: this connection takes no data for volumes; use qemu:///system."
            )
        if offset < 0 or length < 0:
            raise Refused("An upload's offset and length aren't negative; correct them.", reason="SizeMismatch")
        with self._lock:
            if ref in self._taking:
                raise Refused(f"Another upload writes to {ref} now; wait for it.", reason="UploadUnderWay")
            self._taking.add(ref)
        try:
            with self._connections.lend(f"upload to {ref}", Lane.DATA) as connection:
                _upload(connection, ref, (offset, length, capacity), _exactly(chunks, length, stop))
        finally:
            with self._lock:
                self._taking.discard(ref)


def _upload(
    connection: libvirt.virConnect, ref: Ref, where: tuple[int, int, int | None], chunks: Iterator[bytes]
) -> None:
    offset, length, capacity = where
    volume = get(connection, ref)
    check_volume(connection, volume)
    room = int(volume.info()[1]) if capacity is None else capacity
    if offset + length > room:
        raise Refused(
            f"{ref} has {room} bytes; {length} at {offset} don't fit. Make a larger volume.",
            reason="BeyondCapacity",
        )
    if offset < HEADER_BYTES:
        _check_unused(connection, ref, volume)
        chunks = judged(first_bytes(connection, volume, HEADER_BYTES), offset, chunks)
    if length:
        upload(connection, volume, chunks, length, offset)
    else:
        next(chunks, None)


def judged(before: bytes, offset: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, unless with them the volume would become an image that makes QEMU open another file of the host.

    The header is judged as it will be, together with what is there: it may come in several pieces.
    """
    start, chunks = split_head(chunks, HEADER_BYTES - offset)
    after = before[:offset].ljust(offset, b"\0") + start + before[offset + len(start) :]
    reason = foreign_problem(image_header(after))
    if reason is not None:
        raise Refused(f"The uploaded image isn't used: {reason}", reason="UnsafeImage")
    return chunks


def _exactly(chunks: Iterable[bytes], length: int, stop: threading.Event) -> Iterator[bytes]:
    done = 0
    for chunk in chunks:
        if stop.is_set():
            raise Cancelled("the agent is stopping; send this piece again once it is back.")
        done += len(chunk)
        if done > length:
            raise Refused(f"More than the announced {length} bytes were sent.", reason="SizeMismatch")
        yield chunk
    if done < length:
        raise Refused(f"{done} of the announced {length} bytes were sent; send the piece again.", reason="SizeMismatch")


def _check_unused(connection: libvirt.virConnect, ref: Ref, volume: libvirt.virStorageVol) -> None:
    if images.is_referred_to(connection, ref, volume.path()):
        raise Refused(
            f"{ref} is used by a virtual machine or is the base of another volume; detach it there first.",
            reason="VolumeInUse",
        )


def _empty(root: Element) -> Element:
    """The XML of an empty volume that is like this one."""
    root = copy.deepcopy(root)
    drop_attributes(root, "type")
    for path in ("key", "physical", "backingStore", "target/path", "target/timestamps"):
        set_text_at(root, path, None)
    set_text_at(root, "allocation", "0")
    return root
