"""Makes, grows and deletes storage volumes. What fails on the way leaves nothing behind, and nothing that was there
before is ever written over or deleted in its place.

libvirt refuses some work on a pool while another job runs in it, so one pool's volumes are made one after the other;
only the bytes of a download flow beside that. What an image's header may refer to is in `images`, fetching in
`downloads`.
"""

from __future__ import annotations

import copy
import logging
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import libvirt

from reconciler.errors import Cancelled, Disconnected, OnggiError, Refused, Unsupported
from reconciler.faults import boundary
from reconciler.hypervisor.connection import Lane
from reconciler.hypervisor.failure import is_unsupported
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.handlers import Access
from reconciler.hypervisor.lookup import find, get
from reconciler.hypervisor.patience import patiently
from reconciler.hypervisor.storagevolume import images
from reconciler.hypervisor.storagevolume.images_here import ImagesHere
from reconciler.hypervisor.storagevolume.listing import exists_already, is_listed_rightly, make
from reconciler.hypervisor.storagevolume.prototypes import Prototypes, capacity
from reconciler.hypervisor.storagevolume.renaming import rename_volume
from reconciler.hypervisor.storagevolume.traps import check_no_link
from reconciler.hypervisor.transfer.downloads import download, shown
from reconciler.hypervisor.transfer.intake import Progress, measured, split_head, verified
from reconciler.hypervisor.transfer.streams import upload
from reconciler.hypervisor.virtualmachine.live import resize_disk
from reconciler.planning.operations import CreateVolume, DeleteVolume, GrowVolume, RenameVolume, TrashVolume
from specs.binding import Element, parse, serialise, set_text_at
from specs.host import Feature
from specs.reference import STORAGE_POOL, Ref
from specs.storagevolume.header import HEADER_BYTES

log = logging.getLogger("onggi.volumes")


class Volumes:
    """The volume operations of one host."""

    def __init__(self, access: Access) -> None:
        self._connections = access.connections
        self._networks = access.networks
        self._facts = access.facts
        self._locks = access.locks
        self._prototypes = Prototypes()
        self._here = ImagesHere(self._connections, self._prototypes) if access.write_here else None
        self._lock = threading.Lock()
        self._making: set[Ref] = set()
        self._unsettled: set[Ref] = set()
        self._copies: Counter[str] = Counter()  # under way, by pool
        self._copied = threading.Condition(self._lock)

    def hidden(self) -> frozenset[Ref]:
        """Volumes that libvirt lists while they aren't yet, or don't yet look like, what they are made to be."""
        with self._lock:
            return frozenset(self._making | self._unsettled)

    def create(self, given: Given[CreateVolume]) -> None:
        """Make a volume: empty, with given bytes, or downloaded.

        Raises Conflict when there is one of this name already, Cancelled after `stop`, and Terminal for a source or a
        base image that can't be trusted.
        """
        operation = given.operation
        with self._lock:
            self._making.add(operation.ref)
        try:
            if operation.url:
                self._create_from_url(operation, given.root, given.stop, given.progress)
            elif operation.content is not None:
                self._create_from(operation, given.root, operation.content)
            else:
                self._create_empty(operation, given.root)
        finally:
            with self._lock:
                self._making.discard(operation.ref)

    def _create_empty(self, operation: CreateVolume, root: Element) -> None:
        if root.find("backingStore") is not None:
            self.settle()  # its base may be of this batch, and is to show as what it is
        elif self._here is not None and not operation.tables:
            with self.pool_lock(operation.ref.pool):
                if not self._is_copied(operation.ref.pool) and self._here.make(operation.ref, root):
                    with self._lock:
                        self._unsettled.add(operation.ref)
                    return
        can_upload = self._facts.can(Feature.VOLUME_UPLOAD)
        with self.pool_lock(operation.ref.pool), self._connections.lend(f"make {operation.ref}") as connection:
            pool = self.pool_without(connection, operation.ref)
            if can_upload:
                base = root.find("backingStore")
                if base is not None:
                    form = base.find("format")
                    images.check_chain(
                        connection, base.findtext("path") or "", form.get("type") if form is not None else None
                    )
                key = None if operation.tables else self._prototypes.key(pool, root)
                if key is not None and not self._is_copied(operation.ref.pool):
                    self._create_like_prototype(connection, pool, operation, root, key)
                    return
            make(pool, operation.ref, operation.xml, tables=operation.tables)

    def _create_like_prototype(
        self,
        connection: libvirt.virConnect,
        pool: libvirt.virStoragePool,
        operation: CreateVolume,
        root: Element,
        key: tuple[str, int],
    ) -> None:
        image = self._prototypes.get(key)
        if image is not None:
            try:
                with self._made(pool, operation.ref, _raw(root, len(image))) as volume:
                    upload(connection, volume, (image,), len(image))
            except libvirt.libvirtError as error:
                if not is_unsupported(error):
                    raise
            else:
                with self._lock:
                    self._unsettled.add(operation.ref)
                return
        volume = make(pool, operation.ref, operation.xml)
        boundary("after making a volume")
        with suppress(libvirt.libvirtError):  # only the next ones would have been faster
            self._prototypes.learn(key, connection, volume)
            if self._here is not None:
                self._here.learn(operation.ref.pool, key, Path(volume.path()))

    def _create_from(self, operation: CreateVolume, declared: Element, content: bytes) -> None:
        root = _raw(declared, len(content))
        can_upload = self._facts.can(Feature.VOLUME_UPLOAD)
        with self.pool_lock(operation.ref.pool), self._connections.lend(f"make {operation.ref}") as connection:
            pool = self.pool_without(connection, operation.ref)
            with self._made(pool, operation.ref, root) as volume:
                if can_upload:
                    upload(connection, volume, (content,), len(content))
                else:
                    log.warning("%s has the right size but is empty: this connection takes no data", operation.ref)

    def _create_from_url(
        self, operation: CreateVolume, wanted: Element, stop: threading.Event, progress: Progress
    ) -> None:
        ref, url = operation.ref, operation.url
        if not self._facts.can(Feature.VOLUME_UPLOAD):
            raise Unsupported(f"{ref} can't be downloaded: this connection takes no data for volumes; make it by hand.")
        with self._connections.lend(f"download {shown(url)} into {ref}", Lane.FETCHING) as connection:
            pool = self.pool_without(connection, ref)
            room = int(pool.info()[3])
            with (
                download(url, stop, self._networks) as offered,
                measured(offered, shown(url), room, progress) as (length, chunks),
            ):
                head, chunks = split_head(chunks, HEADER_BYTES)
                images.check_download(head, wanted, shown(url))
                with self._made(pool, ref, _raw(wanted, length)) as volume:
                    upload(connection, volume, verified(chunks, length, operation.sha256, shown(url), progress), length)
                    with self._uncopied(ref.pool, stop):
                        patiently(pool.refresh)  # libvirt looks at an image's header only then
                        boundary("after a download, before its disk is grown")
                        volume = pool.storageVolLookupByName(ref.short_name)
                        if volume.info()[1] < capacity(wanted):
                            volume.resize(capacity(wanted))

    def grow(self, operation: GrowVolume) -> None:
        """Make a volume larger, in the running machine that uses it too. Raises Terminal rather than make one
        smaller.
        """
        ref = operation.ref
        with self.pool_lock(ref.pool), self._connections.lend(f"grow {ref}") as connection:
            volume = get(connection, ref)
            now = int(volume.info()[1])
            if operation.capacity < now:
                raise Refused(
                    f"{ref} has {now} bytes; it isn't shrunk to {operation.capacity}, that would cut off data.",
                    reason="ShrinkRefused",
                )
            machine = find(connection, operation.in_use_by) if operation.in_use_by is not None else None
            if machine is not None and machine.isActive():
                resize_disk(machine, str(operation.in_use_by), operation.target, operation.capacity)
            elif operation.capacity > now:
                if self._facts.can(Feature.VOLUME_UPLOAD):  # what grows is wherever the image keeps its data
                    form = parse(volume.XMLDesc()).find("target/format")
                    images.check_chain(connection, volume.path(), form.get("type") if form is not None else None)
                patiently(lambda: volume.resize(operation.capacity))

    def keep(self, operation: TrashVolume) -> None:
        """See that a volume which goes into the trash is there. Raises NotFound."""
        with self._connections.lend(f"keep {operation.ref}") as connection:
            get(connection, operation.ref)

    def rename(self, operation: RenameVolume) -> None:
        """Give a volume another name in its pool; see `rename_volume`."""
        with self.pool_lock(operation.ref.pool):
            rename_volume(self._connections, operation)

    def delete(self, operation: DeleteVolume) -> None:
        """Delete a volume and its data; gone already is fine."""
        ref = operation.ref
        with self.pool_lock(ref.pool), self._connections.lend(f"delete {ref}") as connection:
            volume = find(connection, ref)
            if volume is not None:
                try:
                    patiently(volume.delete)
                except libvirt.libvirtError:
                    if is_listed_rightly(connection, ref):
                        raise  # otherwise it is gone: somebody deleted the file
        with self._lock:
            self._unsettled.discard(ref)

    def present(self, refs: Collection[Ref]) -> frozenset[Ref]:
        """Which of these volumes are there. Those of a pool that isn't active can't be seen, and aren't."""
        found: set[Ref] = set()
        for name in {ref.pool for ref in refs}:
            with self.pool_lock(name), self._connections.lend(f"look at {Ref(STORAGE_POOL, name)}") as connection:
                pool = find(connection, Ref(STORAGE_POOL, name))
                if pool is not None and pool.isActive():
                    found.update(Ref.volume(name, volume) for volume in patiently(pool.listVolumes))
        return frozenset(found.intersection(refs))

    def settle(self) -> None:
        """Let libvirt look at the pools in which ready-made images were put. Raises Disconnected, Transient."""
        if self._here is not None:
            self._here.forget()
        with self._lock:
            pools = sorted({ref.pool for ref in self._unsettled})
        failed: OnggiError | None = None
        for name in pools:
            with self.pool_lock(name):
                with self._lock:
                    settled = {ref for ref in self._unsettled if ref.pool == name}
                try:
                    with self._connections.lend(f"refresh {Ref(STORAGE_POOL, name)}") as connection:
                        pool = find(connection, Ref(STORAGE_POOL, name))
                        if pool is not None and pool.isActive():
                            patiently(pool.refresh)
                except Disconnected:
                    raise
                except OnggiError as error:
                    failed = error
                    continue
                with self._lock:
                    self._unsettled -= settled
        if failed is not None:
            raise failed

    def discard_unfinished(self, ref: Ref) -> bool:
        """Delete what a run that was cut off may have left of a new volume. False when nothing is there, or when a
        machine or another volume refers to it: then it isn't half-made, whatever was written down about it.
        """
        with self.pool_lock(ref.pool), self._connections.lend(f"remove the half-made {ref}") as connection:
            volume = find(connection, ref)
            pool = find(connection, Ref(STORAGE_POOL, ref.pool)) if volume is None else None
            if pool is not None and pool.isActive():
                patiently(pool.refresh)  # what was written here just before the cut isn't known to libvirt yet
                volume = find(connection, ref)
            if volume is None or images.is_referred_to(connection, ref, volume.path()):
                return False
            boundary("before discarding a half-made volume")
            patiently(volume.delete)
            boundary("after discarding a half-made volume")
            return True

    def pool_lock(self, name: str) -> threading.RLock:
        """Held while a pool's list of volumes is changed."""
        return self._locks.of(Ref(STORAGE_POOL, name))

    @contextmanager
    def copying(self, ref: Ref, source: Ref) -> Iterator[None]:
        """While libvirt copies `source` into the new volume `ref`. It won't look at their pools again before it has, so
        nothing is put there that it would have to look at.
        """
        pools = sorted({ref.pool, source.pool})
        for name in pools:
            with self.pool_lock(name), self._lock:
                self._copies[name] += 1
        with self._lock:
            self._making.add(ref)
        try:
            self._settle_or_say()
            yield
        finally:
            with self._lock:
                self._making.discard(ref)
                self._copies.subtract(pools)
                self._copied.notify_all()

    def _settle_or_say(self) -> None:
        try:
            self.settle()
        except Disconnected:
            raise
        except OnggiError as error:  # may be about a pool that this isn't about
            log.info("new volumes don't show yet: %s", error)

    def _is_copied(self, pool: str) -> bool:
        with self._lock:
            return self._copies[pool] > 0

    @contextmanager
    def _uncopied(self, pool: str, stop: threading.Event) -> Iterator[None]:
        """A pool's lock, once no copy is under way there. Raises Cancelled."""
        while True:
            with self.pool_lock(pool):
                if not self._is_copied(pool):
                    yield
                    return
            with self._lock:
                self._copied.wait_for(lambda: not self._copies[pool], timeout=0.5)
            if stop.is_set():
                raise Cancelled("the agent is stopping; the download is taken up at the next start.")

    @contextmanager
    def _made(self, pool: libvirt.virStoragePool, ref: Ref, root: Element) -> Iterator[libvirt.virStorageVol]:
        """A new volume that is deleted again when the block fails."""
        with self.pool_lock(ref.pool):
            volume = make(pool, ref, serialise(root))
        boundary("after making a volume, before its bytes")
        try:
            yield volume
        except BaseException:
            # When the connection is lost it stays, and the ledger knows that it may be half-made.
            with suppress(libvirt.libvirtError), self.pool_lock(ref.pool):
                patiently(volume.delete)
            raise

    @staticmethod
    def pool_without(connection: libvirt.virConnect, ref: Ref) -> libvirt.virStoragePool:
        """The pool of a volume that isn't there yet. Raises NotFound, Conflict."""
        pool = get(connection, Ref(STORAGE_POOL, ref.pool))
        if is_listed_rightly(connection, ref):
            raise exists_already(ref)
        check_no_link(pool, ref)
        return pool


def _raw(root: Element, length: int) -> Element:
    """A copy of a volume's XML for plain bytes, to be filled by an upload; owner and mode stay as declared."""
    root = copy.deepcopy(root)
    set_text_at(root, "backingStore", None)
    for name, text in (("capacity", str(length)), ("allocation", "0")):
        set_text_at(root, name, text)
        set_text_at(root, f"{name}/@unit", None)
    set_text_at(root, "target/format", None)
    set_text_at(root, "target/format/@type", "raw")
    return root
