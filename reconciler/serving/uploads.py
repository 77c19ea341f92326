"""Volumes whose bytes clients send piece by piece, in order, and as slowly as they like within a limit.

A new volume of plain bytes is made first. The ledger holds it for half-made, so that an upload which a restart cut off
is cleaned up by the next start; when the last byte is there, the volume is taken for what it holds and gets its
document. Until that is committed a restart still takes all of it back. The agent has nothing to do with it before.

Whoever began one, and administrators, go on with it and end it. For everybody else there is none.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from reconciler.errors import Cancelled, Conflict, OnggiError, Refused, Transient, Unsupported
from reconciler.ledger.task_records import TaskRecord
from reconciler.line.line import Line
from reconciler.loop.passes import World
from reconciler.planning.one_off import RefreshPool
from reconciler.planning.operations import CreateVolume, DeleteVolume
from reconciler.planning.plan import Action, one_off_step
from reconciler.serving.client import Client
from reconciler.serving.new_volumes import NewVolumes, volume_xml
from reconciler.serving.reservations import Reservation, Reservations
from reconciler.serving.tasks import Tasks
from specs.binding import parse
from specs.host import Feature
from specs.reference import STORAGE_POOL, Ref

log = logging.getLogger("onggi.uploads")

READY: Final = "ready for upload"
IDLE_S: Final = 600.0
_REMEMBERED: Final = 256
_AT_ONCE: Final = 64  # each has a thread that watches it


@dataclass(slots=True)
class _Upload:
    """One that is under way. Who writes to it, or ends it, holds `lock`."""

    ref: Ref
    capacity: int
    client: Client
    task: TaskRecord
    reservation: Reservation
    received: int = 0
    last: tuple[int, int] = (-1, -1)  # offset and length of the last piece
    touched: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stop: threading.Event = field(default_factory=threading.Event)
    timer: threading.Timer | None = None


class Uploads:
    """One per agent, for any thread. Every method blocks. An upload that gets nothing for `idle_s` is given up."""

    def __init__(self, line: Line, volumes: NewVolumes, tasks: Tasks, *, idle_s: float = IDLE_S) -> None:
        self._line = line
        self._volumes = volumes
        self._tasks = tasks
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._under_way: dict[Ref, _Upload] = {}
        self._room = Reservations()
        self._ended: OrderedDict[Ref, _Upload] = OrderedDict()  # for who sends the last piece again

    def check_possible(self, world: World) -> None:
        """Raises Unsupported, or WritesRefused."""
        self._volumes.changes.check_allowed()
        if not world.snapshot.host.can(Feature.VOLUME_UPLOAD):
            raise Unsupported("Nothing can be uploaded: this connection takes no data for volumes; use qemu:///system.")

    def begin(self, ref: Ref, capacity: int, target: str, client: Client, *, message: str = READY) -> TaskRecord:
        """Make the empty volume and expect its bytes. The task runs until the last has come.

        Raises Conflict when there is a volume of this name, Refused (`NoRoom`), and whatever making one raises.
        """
        world = self._volumes.changes.world
        self.check_possible(world)
        with self._lock:
            if len(self._under_way) >= _AT_ONCE:
                raise Transient(f"{_AT_ONCE} uploads are under way; end one, or begin this one later.")
        operations, ledger = self._volumes.operations, self._line.ledger
        reservation = self.reserve(ref.pool, capacity)
        try:
            operation = CreateVolume(ref, volume_xml(ref, {"capacity": capacity, "format": "raw"}, world), part_of=0)
            operations.perform(one_off_step(ref, "an upload begins", operation, action=Action.CREATE), client)
            upload = _Upload(ref, capacity, client, self._tasks.begin(target, client, message=message), reservation)
            ledger.change(begin=[ref], task=upload.task.id)
        except BaseException:
            reservation.close()
            raise
        with self._lock:
            self._under_way[ref] = upload
            self._ended.pop(ref, None)
        self._watch(upload, self._idle_s)
        return upload.task

    def reserve(self, pool: str, length: int) -> Reservation:
        """Room in a pool for `length` bytes that are to come; whoever gets it closes it. Raises Refused (`NoRoom`)."""
        return self._room.reserve(pool, length, lambda: _free(self._volumes.changes.world, pool), f"The pool {pool}")

    def room(self, pool: str, world: World) -> int | None:
        """How many bytes more could come into a pool; None where nobody knows."""
        return self._room.left(pool, lambda: _free(world, pool))

    def most(self, ref: Ref, client: Client) -> int | None:
        """How many bytes a client's next piece may have; None when none is expected. The last one may come again."""
        if (upload := self._of(ref, client)) is not None:
            return max(upload.capacity - upload.received, upload.last[1])
        ended = self._ended_of(ref, client)
        return ended.last[1] if ended is not None else None

    def put(self, ref: Ref, length: int, chunks: Iterable[bytes], client: Client, offset: int | None = None) -> None:
        """Take the next piece; with an `offset` only if it belongs there. The last piece may come a second time.

        Raises Refused (`NotUploading`, `SizeMismatch`, `BeyondCapacity`, `UnsafeImage`), Conflict while another piece
        comes, Transient, and whatever `chunks` raises; the piece is to be sent again then.
        """
        upload = self._of(ref, client)
        if upload is None:
            ended = self._ended_of(ref, client)
            if ended is not None and ended.last == (offset, length):
                return
            raise _not_uploading(ref)
        if not upload.lock.acquire(blocking=False):
            raise Conflict(f"Another piece of {ref.name} is on its way; send one after the other.")
        try:
            if self._under_way.get(ref) is not upload:
                raise _not_uploading(ref)
            at = upload.received if offset is None else offset
            if at != upload.received and (at, length) != upload.last:
                raise Refused(
                    f"The upload of {ref.name} has {upload.received} bytes; go on from there.", reason="SizeMismatch"
                )
            self._write(upload, at, length, chunks)
        finally:
            upload.touched = time.monotonic()
            upload.lock.release()

    def abort(self, ref: Ref, reason: str, client: Client) -> bool:
        """Give a client's upload up: its volume goes, its task fails with `reason`. False when there is none."""
        upload = self._of(ref, client)
        if upload is None:
            return False
        upload.stop.set()
        with upload.lock:
            return self._end(upload, reason)

    def leave(self, ref: Ref, task: TaskRecord) -> None:
        """Whoever sends what this task tells of has left: what is being written of it ends soon. Never blocks."""
        upload = self._under_way.get(ref)
        if upload is not None and upload.task.id == task.id:
            upload.stop.set()

    def expects(self, ref: Ref) -> bool:
        """True while an upload of this volume is under way, whosever it is."""
        return ref in self._under_way

    def close(self) -> None:
        """The agent is stopping: nothing more is taken. What is half made is removed at the next start."""
        with self._lock:
            uploads = tuple(self._under_way.values())
        for upload in uploads:
            upload.stop.set()
            if upload.timer is not None:
                upload.timer.cancel()

    def _of(self, ref: Ref, client: Client) -> _Upload | None:
        upload = self._under_way.get(ref)
        return upload if upload is not None and client.owns(upload.client.owner) else None

    def _ended_of(self, ref: Ref, client: Client) -> _Upload | None:
        upload = self._ended.get(ref)
        return upload if upload is not None and client.owns(upload.client.owner) else None

    def _write(self, upload: _Upload, at: int, length: int, chunks: Iterable[bytes]) -> None:
        hypervisor = self._line.hypervisor
        try:
            hypervisor.upload(upload.ref, at, length, chunks, upload.stop, capacity=upload.capacity)
        except Cancelled:
            raise Transient(f"The upload of {upload.ref.name} was ended while this piece came.") from None
        except Refused as error:
            if error.reason == "UnsafeImage":  # no further piece can make it good
                self._end(upload, str(error))
            raise
        upload.reservation.came(max(0, at + length - upload.received))
        upload.received = max(upload.received, at + length)
        upload.last = (at, length)
        if upload.received < upload.capacity:
            self._tasks.tell(upload.task.id, f"{upload.received}/{upload.capacity}")
        else:
            self._finish(upload)

    def _finish(self, upload: _Upload) -> None:
        """All bytes are there: the volume is whole, ours, and gets its document."""
        ref, ledger = upload.ref, self._line.ledger
        self._forget(upload)
        try:
            ledger.change(own=[self._line.lineage.made_for_client(ref)], whole=[ref])
            (pool,) = ref.holders
            step = one_off_step(pool, f"{ref} was uploaded", RefreshPool(pool))
            self._volumes.operations.perform(step, upload.client)
            self._volumes.adopt(ref, upload.client, f"Upload volume {ref.name}")
        except OnggiError as error:
            if not upload.stop.is_set():  # else the next start decides
                self._keep(ref)
            self._tasks.end(upload.task.id, f"{ref.name} is uploaded, and has no document: {error}")
            raise
        self._keep(ref)
        self._tasks.end(upload.task.id)

    def _keep(self, ref: Ref) -> None:
        with suppress(OnggiError):  # a full disk: the next start finds out whether it has a document
            self._line.ledger.change(finish=[ref])

    def _end(self, upload: _Upload, reason: str) -> bool:
        if self._under_way.get(upload.ref) is not upload:
            return False
        self._forget(upload, remember=False)
        ref, ledger = upload.ref, self._line.ledger
        try:
            step = one_off_step(ref, reason, DeleteVolume(ref), action=Action.DELETE)
            self._volumes.operations.perform(step, upload.client)
            ledger.change(finish=[ref])
        except OnggiError as error:
            log.warning("what was uploaded of %s couldn't be removed now: %s", ref, error)
            ledger.intents.give_up([ref])
        self._tasks.end(upload.task.id, reason)
        return True

    def _forget(self, upload: _Upload, *, remember: bool = True) -> None:
        with self._lock:
            self._under_way.pop(upload.ref, None)
            if remember:
                self._ended[upload.ref] = upload
                while len(self._ended) > _REMEMBERED:
                    self._ended.popitem(last=False)
        upload.reservation.close()
        if upload.timer is not None:
            upload.timer.cancel()

    # The watch over those that nobody goes on with

    def _watch(self, upload: _Upload, after_s: float) -> None:
        upload.timer = threading.Timer(after_s, self._look, [upload])
        upload.timer.daemon = True
        upload.timer.start()

    def _look(self, upload: _Upload) -> None:
        if not upload.lock.acquire(blocking=False):
            self._watch(upload, self._idle_s)  # a piece comes just now
            return
        try:
            left = upload.touched + self._idle_s - time.monotonic()
            if upload.stop.is_set() or self._under_way.get(upload.ref) is not upload:
                return
            if left > 0:
                self._watch(upload, left)
                return
            with suppress(OnggiError):  # a full disk: the next start cleans up
                self._end(upload, f"Nothing came for {self._idle_s:g} s; the upload was given up and removed.")
        finally:
            upload.lock.release()


def _not_uploading(ref: Ref) -> Refused:
    return Refused(f"No upload of {ref.name} is under way; begin one.", reason="NotUploading")


def _free(world: World, pool: str) -> int | None:
    observed = world.snapshot.get(Ref(STORAGE_POOL, pool))
    told = parse(observed.live_xml or observed.xml).findtext("available") if observed is not None else None
    return int(told) if told else None
