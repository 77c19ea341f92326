"""libvirt's events, turned into "look at this again". They are hints: what happened is read from the world, not from
them.

One thread for the whole process runs libvirt's event loop. Which events there are is each kind's to say, what a mark
leads to the subscriber's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import libvirt

from reconciler.observed.runs import Runs
from specs.reference import Ref

log = logging.getLogger("onggi.events")

_loop_lock = threading.Lock()
_loop: threading.Thread | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """Events of libvirt's that are about objects of a kind: how to ask for them, and the numbers of them.

    `note` keeps what can't be read from the world afterwards; it gets the object and what the event says beside it.
    """

    register: Callable[..., int]
    deregister: Callable[[libvirt.virConnect, int], Any]
    identifiers: tuple[int, ...]
    note: Callable[[Runs, Any, tuple[Any, ...]], None] | None = None
    name: Callable[[Any], str] = lambda subject: str(subject.name())  # of the object


_NODE_DEVICES = Events(
    libvirt.virConnect.nodeDeviceEventRegisterAny,
    libvirt.virConnect.nodeDeviceEventDeregisterAny,
    (libvirt.VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE, libvirt.VIR_NODE_DEVICE_EVENT_ID_UPDATE),
)


def run_event_loop() -> None:
    """Start libvirt's event loop, once in a process. It has to run before a connection is opened."""
    global _loop  # libvirt has one loop for each process, so this has one thread
    with _loop_lock:
        if _loop is None:
            libvirt.virEventRegisterDefaultImpl()
            _loop = threading.Thread(target=_turn, name="onggi-libvirt-events", daemon=True)
            _loop.start()


def _turn() -> None:
    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError:
            log.exception("a turn of libvirt's event loop failed")


class EventFeed:
    """The events of one connection, which nobody else may use meanwhile. `changed` gets the object to look at again,
    `devices` is told of the host's own devices, `lost` that the connection is gone. All are called from the event
    thread and must return at once. `runs` keeps the little that can't be read from the world afterwards.
    """

    def __init__(
        self,
        connection: libvirt.virConnect,
        *,
        kinds: Mapping[str, Iterable[Events]],
        changed: Callable[[Ref], None],
        devices: Callable[[], None],
        lost: Callable[[], None],
        runs: Runs,
    ) -> None:
        self._deregister: list[Callable[[], Any]] = []

        for kind, about in kinds.items():
            for events in about:
                callback = _passed_on(kind, events, runs, changed)
                self._register(connection, events, callback)

        def device(*_: object) -> None:
            _quietly(devices)

        self._register(connection, _NODE_DEVICES, device)
        # A driver inside this process can't lose its connection, and refuses; the binding then never lets go of it.
        if urlsplit(connection.getURI()).scheme != "test":
            with suppress(libvirt.libvirtError):
                connection.registerCloseCallback(lambda *_: _quietly(lost), None)
                self._deregister.append(connection.unregisterCloseCallback)

    def _register(self, connection: libvirt.virConnect, events: Events, callback: Callable[..., None]) -> None:
        for identifier in events.identifiers:
            # A driver lacks some kinds of events, and all of what a connection lacks is seen by the next full pass.
            with suppress(libvirt.libvirtError):
                number = events.register(connection, None, identifier, callback, None)
                self._deregister.append(partial(events.deregister, connection, number))

    def close(self) -> None:
        """Hear nothing any more. The connection itself stays open; until this is through it mustn't be closed."""
        for deregister in self._deregister:
            with suppress(libvirt.libvirtError):  # it may be lost already
                deregister()
        self._deregister.clear()


def _passed_on(kind: str, events: Events, runs: Runs, changed: Callable[[Ref], None]) -> Callable[..., None]:
    def heard(_: object, subject: Any, *said: Any) -> None:
        def pass_on() -> None:
            if events.note is not None:
                events.note(runs, subject, said)
            changed(Ref(kind, events.name(subject)))

        _quietly(pass_on)

    return heard


def _quietly(call: Callable[[], None]) -> None:
    """An exception would end up on stderr, out of libvirt's C code."""
    try:
        call()
    except Exception:
        log.exception("an event couldn't be passed on")
