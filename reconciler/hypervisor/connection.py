"""The connections to one host: opened when needed, lent to one thread at a time, thrown away together when libvirt
goes.

Separate connections are what makes parallel calls faster (threads that share one are slower than a single thread), and
what makes them safe: before 10.4, libvirt's client can write into another thread's stack when two wait on the same
connection (CVE-2024-4418). So the events have one to themselves, which is never lent. Quick calls, the slow ones of a
guest's life, much data and the sampling of statistics have lanes of their own. What is called, and when to try again
after a loss, is for others.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

import libvirt

from reconciler.errors import Disconnected
from reconciler.hypervisor.events import EventFeed, Events, run_event_loop
from reconciler.hypervisor.failure import is_lost, message, translate
from reconciler.locality import is_here
from reconciler.observed.runs import Runs
from specs.reference import Ref

log = logging.getLogger("onggi.hypervisor")

# libvirt prints each error on stderr unless a handler takes it; ours arrive as exceptions.
libvirt.registerErrorHandler(lambda *_: None, None)

_KEEPALIVE_INTERVAL_S = 10
_KEEPALIVE_COUNT = 3
_NO_EVENTS: Mapping[str, Iterable[Events]] = MappingProxyType({})


class Lane(StrEnum):
    """Quick: define and read, milliseconds. Slow: start, stop. Fetching: for as long as a server on the network takes.
    Data: for as long as a client sends or a disk takes. Sampling: one call in the background. Guest: what waits for a
    guest's own agent, which may never answer.
    """

    QUICK = "quick"
    SLOW = "slow"
    FETCHING = "fetching"
    DATA = "data"
    SAMPLING = "sampling"
    GUEST = "guest"


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """Something that libvirt was asked: it completes "couldn't ..."."""

    doing: str
    at: datetime
    began: float  # on the monotonic clock


class Connections:
    """Lends connections to `uri`. `events` are those to hear of each kind; `changed` is told which object one was
    about, and None after a loss: anything may be.
    """

    def __init__(
        self,
        uri: str,
        *,
        quick: int = 4,
        slow: int = 4,
        changed: Callable[[Ref | None], None],
        devices: Callable[[], None],
        events: Mapping[str, Iterable[Events]] = _NO_EVENTS,
    ) -> None:
        self.uri = uri
        self.quick_size = quick
        self._changed = changed
        self._devices = devices
        self._events = events
        self.runs = Runs()
        self._lock = threading.Lock()
        self._connecting = threading.Lock()
        places = dict.fromkeys((Lane.SLOW, Lane.FETCHING, Lane.DATA), slow) | {Lane.QUICK: quick}
        places |= {Lane.SAMPLING: 1, Lane.GUEST: 2}
        self._free = {lane: threading.Semaphore(number) for lane, number in places.items()}
        self._idle: dict[Lane, list[libvirt.virConnect]] = {lane: [] for lane in Lane}
        self._main: libvirt.virConnect | None = None  # the one that events come from, and nobody else uses
        self._feed: EventFeed | None = None
        self._shared = _is_for_one_connection(uri)
        self._waiting: list[_Call] = []  # calls that should be quick, the oldest first
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
                with self._noted(doing) if lane is Lane.QUICK else nullcontext():
                    yield connection
            except libvirt.libvirtError as error:
                if not _alive(connection) or (is_lost(error) and not self._shared):
                    self._lose(generation)
                    raise Disconnected(self._sentence(message(error, secrets))) from None
                raise translate(error, doing, secrets) from None
            finally:
                self._give(connection, generation, lane)

    def unanswered(self, patience_s: float) -> str:
        """What libvirt has been asked for longest without an answer, and since when; empty below `patience_s`.

        Such a call can't be ended: libvirt waits for its daemon, and that for a lock, a mount or a disk.
        """
        with self._lock:
            call = next(iter(self._waiting), None)
        if call is None or time.monotonic() - call.began < patience_s:
            return ""
        since = call.at.isoformat(timespec="seconds").replace("+00:00", "Z")
        return (
            f"{self.uri} was asked to {call.doing} at {since} and hasn't answered; "
            "see whether its libvirtd, or a storage that it waits for, hangs."
        )

    @contextmanager
    def _noted(self, doing: str) -> Iterator[None]:
        call = _Call(doing, datetime.now(UTC), time.monotonic())
        with self._lock:
            self._waiting.append(call)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.remove(call)

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
            feed = EventFeed(
                main,
                kinds=self._events,
                changed=self._changed,
                devices=self._devices,
                lost=self._noticed_loss,
                runs=self.runs,
            )
            with self._lock:
                self.generation += 1
                again, self._was_connected = self._was_connected, True
                self._main, self._feed = main, feed
        if again:
            self._changed(None)

    def _open(self) -> libvirt.virConnect:
        try:
            with self._noted("open a connection"):
                connection = libvirt.open(self.uri)
        except libvirt.libvirtError as error:
            raise Disconnected(self._sentence(message(error))) from None
        if not is_here(self.uri):
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
            # The last reference closes it: who just asks whether it lives would crash if it were closed under them.
            self._main = None
            feed, self._feed = self._feed, None
            idle = [connection for lane in Lane for connection in self._idle[lane]]
            for lane in Lane:
                self._idle[lane].clear()
        if feed is not None:
            feed.close()
        for connection in idle:
            _close(connection)
        return True

    def _sentence(self, said: str) -> str:
        return (
            f"{self.uri} can't be reached: {said}; check that libvirtd runs there and that this user may use it, "
            f"for example with: virsh -c {self.uri} version."
        )


def _is_for_one_connection(uri: str) -> bool:
    """libvirt's test driver: its objects may exist for the connection that made them only, so all have to share it."""
    scheme, _, path, *_ = urlsplit(uri)
    return scheme == "test" or (scheme.startswith("test+") and path != "/default")


def _alive(connection: libvirt.virConnect) -> bool:
    try:
        return bool(connection.isAlive() == 1)
    except libvirt.libvirtError:
        return False


def _close(connection: libvirt.virConnect) -> None:
    with suppress(libvirt.libvirtError):
        connection.close()
