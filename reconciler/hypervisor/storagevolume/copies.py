"""Copies volumes whole. libvirt does it, which works from pool to pool and on a host that is elsewhere.

libvirt can't be told to stop a copy: who stops leaves it behind, and it is deleted once it is there, by this process or
by the next one's start, which knows of it from the ledger.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

import libvirt

from reconciler.errors import NotFound, OnggiError, Refused
from reconciler.faults import boundary
from reconciler.hypervisor.connection import Connections, Lane
from reconciler.hypervisor.host.facts import HostFacts
from reconciler.hypervisor.leaving import wait_or_leave
from reconciler.hypervisor.lookup import find, get
from reconciler.hypervisor.patience import patiently
from reconciler.hypervisor.storagevolume import images
from reconciler.hypervisor.storagevolume.volumes import Volumes
from reconciler.hypervisor.transfer.intake import Progress
from reconciler.planning.one_off import CloneVolume
from specs.binding import Element, element, parse, serialise, set_text_at
from specs.host import Feature
from specs.reference import STORAGE_POOL, Ref
from specs.storagepool.types import OF_FILES

log = logging.getLogger("onggi.volumes")


class Copies:
    """The copies of one host's volumes."""

    def __init__(self, connections: Connections, facts: HostFacts, volumes: Volumes) -> None:
        self._connections = connections
        self._facts = facts
        self._volumes = volumes

    def clone(self, operation: CloneVolume, stop: threading.Event, progress: Progress) -> None:
        """Make the copy. `progress` gets how much of it is on the disk, where libvirt tells.

        Raises NotFound, Refused (see `CloneVolume`), Conflict when the name is taken, Cancelled after `stop`.
        """
        self._volumes.settle()  # a source that was just made is to show as what it is
        total = self._check(operation)
        wait_or_leave(
            lambda: self._copy(operation),
            stop,
            doing=f"copy {operation.source} into {operation.ref}",
            look=lambda: self._look(operation.ref, total, progress),
            after=lambda: self._remove(operation.ref),
        )
        progress(total, total)

    def _check(self, operation: CloneVolume) -> int:
        """How many bytes the source takes. Raises OnggiError for what can't be copied, or not now."""
        source, ref = operation.source, operation.ref
        with self._connections.lend(f"copy {source}") as connection:
            volume = get(connection, source)
            _, now, allocation = volume.info()
            if operation.capacity is not None and operation.capacity < now:
                raise Refused(
                    f"{source} has {now} bytes; a copy with {operation.capacity} would lack some of its data.",
                    reason="ShrinkRefused",
                )
            if self._facts.can(Feature.VOLUME_UPLOAD):
                # Copying reads whatever the image's header names, with libvirt's rights.
                images.check_chain(connection, volume.path(), _format(parse(volume.XMLDesc())))
            writer = images.running_writer(connection, source, volume.path())
            if writer:
                raise Refused(
                    f"{writer} runs and writes to {source}, so a copy would be torn; shut it down first.",
                    reason="VolumeInUse",
                )
            pool = get(connection, Ref(STORAGE_POOL, ref.pool))
            room = int(pool.info()[3])
            if room < allocation:
                raise Refused(
                    f"{source} takes {allocation} bytes, but {Ref(STORAGE_POOL, ref.pool)} has room for {room}; "
                    "make room first.",
                    reason="NoRoom",
                )
            return int(allocation)

    def _copy(self, operation: CloneVolume) -> None:
        source, ref = operation.source, operation.ref
        with (
            self._volumes.copying(ref, source),
            self._connections.lend(f"copy {source} into {ref}", Lane.DATA) as connection,
        ):
            volume = get(connection, source)
            pool = self._volumes.pool_without(connection, ref)
            form = parse(pool.XMLDesc()).get("type")
            root = _definition(parse(volume.XMLDesc()), ref.short_name, of_files=form in OF_FILES | {None})
            if operation.capacity is not None:
                set_text_at(root, "capacity", str(operation.capacity))
            copy = patiently(lambda: pool.createXMLFrom(serialise(root), volume, 0))
            boundary("after copying a volume")
            # Not every kind of pool heeds it, and a driver may have no way of resizing but need none either.
            if operation.capacity is not None and copy.info()[1] < operation.capacity:
                try:
                    patiently(lambda: copy.resize(operation.capacity))
                except BaseException:
                    with suppress(libvirt.libvirtError):
                        patiently(copy.delete)
                    raise

    def _look(self, ref: Ref, total: int, progress: Progress) -> None:
        try:
            with self._connections.lend(f"look at {ref}") as connection:
                copy = find(connection, ref)
                if copy is not None:
                    progress(min(int(copy.info()[2]), total), total)
        except (NotFound, OnggiError) as error:
            log.debug("%s", error)  # whoever copies will tell

    def _remove(self, ref: Ref) -> None:
        try:
            if self._volumes.discard_unfinished(ref):
                log.info("%s was copied although nobody waits for it any more; removed", ref)
        except OnggiError as error:
            log.warning("%s", error)


def _format(root: Element) -> str | None:
    form = root.find("target/format")
    return form.get("type") if form is not None else None


def _definition(source: Element, name: str, *, of_files: bool) -> Element:
    """The new volume's XML: independent of whatever the source is backed by, owner and mode as a new volume's."""
    root = element(
        "volume",
        element("name", name),
        element("capacity", source.findtext("capacity") or "0"),
        element("allocation", "0"),
    )
    form = _format(source)
    if of_files and form is not None:
        # An ISO or an unknown format is plain bytes to copy, and libvirt makes no volume of such a format.
        root.append(element("target", element("format", type=form if form in _MADE else "raw")))
    return root


_MADE = frozenset({"raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc"})
