"""The connections to one host: opened when needed, lent to one thread at a time, thrown away together when libvirt
goes.

Separate connections are what makes parallel calls faster (threads that share one are slower than a single thread).
Quick calls, the slow ones of a guest's life, much data and the sampling of statistics have lanes of their own. What is
called, and when to try again after a loss, is for others.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from urllib.parse import urlsplit

import libvirt

from reconciler.errors import Disconnected
from reconciler.observed.events import EventFeed, run_event_loop
from reconciler.observed.hypervisor.failure import is_lost, message, translate
from reconciler.observed.runs import Runs
from specs.reference import Ref

log = logging.getLogger("onggi.hypervisor")

# libvirt prints each error on stderr unless a handler takes it; ours arrive as exceptions.
libvirt.registerErrorHandler(lambda *_: None, None)

_KEEPALIVE_INTERVAL_S = 10
_KEEPALIVE_COUNT = 3


class Lane(StrEnum):
    """Quick: define and read, milliseconds. Slow: start, stop, download. Data: for as long as a client sends or a disk
    takes. Sampling: one call in the background.
    """

    QUICK = "quick"
    SLOW = "slow"
    DATA = "data"
    SAMPLING = "sampling"


class Connections:
    """Lends connections to `uri`. `changed` is told which object an event was about; None after a loss: anything may
    be.
    """

    def __init__(
        self,
        uri: str,
        *,
        quick: int = 4,
        slow: int = 4,
        changed: Callable[[Ref | None], None],
        devices: Callable[[], None],
    ) -> None:
        self.uri = uri
        self.quick_size = quick
        self._changed = changed
        self._devices = devices
        self.runs = Runs()
        self._lock = threading.Lock()
        self._connecting = threading.Lock()
        places = {Lane.QUICK: quick, Lane.SLOW: slow, Lane.DATA: slow, Lane.SAMPLING: 1}
        self._free = {lane: threading.Semaphore(number) for lane, number in places.items()}
        self._idle: dict[Lane, list[libvirt.virConnect]] = {lane: [] for lane in Lane}
        self._main: libvirt.virConnect | None = None  # the one that events come from
        self._feed: EventFeed | None = None
        self._shared = False  # one connection for all: a driver whose state may belong to its connection
        self._was_connected = False
        self._closed = False
        self.generation = 0  # grows with each new main connection: what was learned of an older one is void

    @property
    def connected(self) -> bool:
        """True while the host answers, as far as is known without asking it."""
        return self._lives()

    def _lives(self) -> bool:
        main = self._main
        return main is not None and _alive(main)

    @contextmanager
    def lend(self, doing: str, lane: Lane = Lane.QUICK, *, secrets: Iterable[str] = ()) -> Iterator[libvirt.virConnect]:
        """A connection for the calling thread alone, until the end of the block. `doing` completes "couldn't ...".

        libvirt's errors in the block become OnggiErrors, Disconnected when the connection is lost.
        """
        with self._place(lane):
            connection, generation = self._take(lane)
            try:
                yield connection
            except libvirt.libvirtError as error:
                if not _alive(connection) or (is_lost(error) and not self._shared):
                    self._lose(generation)
                    raise Disconnected(self._sentence(message(error, secrets))) from None
                raise translate(error, doing, secrets) from None
            finally:
                self._give(connection, generation, lane)

    def ensure(self) -> None:
        """Connect if there is no living connection. Raises Disconnected."""
        self._connect()

    def close(self) -> None:
        """Close every connection; those that are lent out close when they come back."""
        with self._lock:
            self._closed = True
            generation = self.generation
        self._drop(generation)

    @contextmanager
    def _place(self, lane: Lane) -> Iterator[None]:
        self._connect()
        if self._shared:
            yield
            return
        with self._free[lane]:
            yield

    def _take(self, lane: Lane) -> tuple[libvirt.virConnect, int]:
        self._connect()
        with self._lock:
            main, generation = self._main, self.generation
            if self._shared and main is not None:
                return main, generation
            while self._idle[lane]:
                connection = self._idle[lane].pop()
                if _alive(connection):
                    return connection, generation
                _close(connection)
        return self._open(), generation

    def _give(self, connection: libvirt.virConnect, generation: int, lane: Lane) -> None:
        if self._shared:
            return
        with self._lock:
            keep = generation == self.generation and self._main is not None and not self._closed and _alive(connection)
            if keep:
                self._idle[lane].append(connection)
        if not keep:
            _close(connection)

    def _connect(self) -> None:
        if self._lives():
            return
        with self._connecting:
            if self._closed:
                raise Disconnected(f"the connection to {self.uri} was closed.")
            if self._lives():
                return
            self._drop(self.generation)
            run_event_loop()
            main = self._open()
            with self._lock:
                self.generation += 1
                again, self._was_connected = self._was_connected, True
                self._main = main
                self._shared = main.getType() == "TEST"  # its objects may exist for one connection only
                if not self._shared:
                    self._idle[Lane.QUICK].append(main)
            feed = EventFeed(
                main, changed=self._changed, devices=self._devices, lost=self._noticed_loss, runs=self.runs
            )
            with self._lock:
                kept = self._main is main
                if kept:
                    self._feed = feed
            if not kept:
                feed.close()
        if again:
            self._changed(None)

    def _open(self) -> libvirt.virConnect:
        try:
            connection = libvirt.open(self.uri)
        except libvirt.libvirtError as error:
            raise Disconnected(self._sentence(message(error))) from None
        if urlsplit(self.uri).hostname:
            with suppress(libvirt.libvirtError):  # an old server lacks it; TCP then notices by itself, only later
                connection.setKeepAlive(_KEEPALIVE_INTERVAL_S, _KEEPALIVE_COUNT)
        return connection

    def _lose(self, generation: int) -> None:
        if self._drop(generation):
            self._changed(None)

    def _noticed_loss(self) -> None:
        """Called out of the event loop, where closing anything could lock up: the next call finds it dead and cleans
        up.
        """
        log.warning("the connection to %s is lost", self.uri)
        self._changed(None)

    def _drop(self, generation: int) -> bool:
        """Forget all idle connections of a generation. False when that was done before."""
        with self._lock:
            if generation != self.generation or self._main is None:
                return False
            main, self._main = self._main, None
            feed, self._feed = self._feed, None
            idle = [connection for lane in Lane for connection in self._idle[lane]]
            for lane in Lane:
                self._idle[lane].clear()
        if feed is not None:
            feed.close()
        for connection in idle:
            _close(connection)
        if self._shared:
            _close(main)
        return True

    def _sentence(self, said: str) -> str:
        return (
            f"{self.uri} can't be reached: {said}; check that libvirtd runs there and that this user may use it, "
            f"for example with: virsh -c {self.uri} version."
        )


def _alive(connection: libvirt.virConnect) -> bool:
    try:
        return bool(connection.isAlive() == 1)
    except libvirt.libvirtError:
        return False


def _close(connection: libvirt.virConnect) -> None:
    with suppress(libvirt.libvirtError):
        connection.close()
