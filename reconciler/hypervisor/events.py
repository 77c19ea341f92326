"""libvirt's events, turned into "look at this again". They are hints: what happened is read from the world, not from
them.

One thread for the whole process runs libvirt's event loop. What a mark leads to is the subscriber's business.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import libvirt

from reconciler.observed.runs import Runs
from specs.reference import NETWORK, STORAGE_POOL, VIRTUAL_MACHINE, Ref

log = logging.getLogger("onggi.events")

_loop_lock = threading.Lock()
_loop: threading.Thread | None = None

_LIFECYCLE_EVENTS = (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,)
_REBOOT_EVENTS = (libvirt.VIR_DOMAIN_EVENT_ID_REBOOT,)
_DOMAIN_EVENTS = (
    libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
    libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
    libvirt.VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
    libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE,
    libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
)
_NETWORK_EVENTS = (libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE,)
_POOL_EVENTS = (libvirt.VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE, libvirt.VIR_STORAGE_POOL_EVENT_ID_REFRESH)
_NODE_DEVICE_EVENTS = (libvirt.VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE, libvirt.VIR_NODE_DEVICE_EVENT_ID_UPDATE)


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
        changed: Callable[[Ref], None],
        devices: Callable[[], None],
        lost: Callable[[], None],
        runs: Runs,
    ) -> None:
        self._deregister: list[Callable[[], Any]] = []

        def domain(_: object, subject: libvirt.virDomain, *__: object) -> None:
            _quietly(lambda: changed(Ref(VIRTUAL_MACHINE, subject.name())))

        def lifecycle(_: object, subject: libvirt.virDomain, event: int, detail: int, *__: object) -> None:
            def note() -> None:
                _note_run(runs, subject, event, detail)
                changed(Ref(VIRTUAL_MACHINE, subject.name()))

            _quietly(note)

        def reboot(_: object, subject: libvirt.virDomain, *__: object) -> None:
            def note() -> None:
                ref = Ref(VIRTUAL_MACHINE, subject.name())
                runs.reboot(ref)
                changed(ref)

            _quietly(note)

        def network(_: object, subject: libvirt.virNetwork, *__: object) -> None:
            _quietly(lambda: changed(Ref(NETWORK, subject.name())))

        def pool(_: object, subject: libvirt.virStoragePool, *__: object) -> None:
            _quietly(lambda: changed(Ref(STORAGE_POOL, subject.name())))

        def device(*_: object) -> None:
            _quietly(devices)

        for register, deregister, identifiers, callback in (
            (connection.domainEventRegisterAny, connection.domainEventDeregisterAny, _LIFECYCLE_EVENTS, lifecycle),
            (connection.domainEventRegisterAny, connection.domainEventDeregisterAny, _REBOOT_EVENTS, reboot),
            (connection.domainEventRegisterAny, connection.domainEventDeregisterAny, _DOMAIN_EVENTS, domain),
            (connection.networkEventRegisterAny, connection.networkEventDeregisterAny, _NETWORK_EVENTS, network),
            (connection.storagePoolEventRegisterAny, connection.storagePoolEventDeregisterAny, _POOL_EVENTS, pool),
            (
                connection.nodeDeviceEventRegisterAny,
                connection.nodeDeviceEventDeregisterAny,
                _NODE_DEVICE_EVENTS,
                device,
            ),
        ):
            for identifier in identifiers:
                self._register(register, deregister, identifier, callback)
        # A driver inside this process can't lose its connection, and refuses; the binding then never lets go of it.
        if urlsplit(connection.getURI()).scheme != "test":
            with suppress(libvirt.libvirtError):
                connection.registerCloseCallback(lambda *_: _quietly(lost), None)
                self._deregister.append(connection.unregisterCloseCallback)

    def _register(
        self,
        register: Callable[..., int],
        deregister: Callable[[int], Any],
        identifier: int,
        callback: Callable[..., None],
    ) -> None:
        # A driver lacks some kinds of events, and all of what a connection lacks is seen by the next full pass.
        with suppress(libvirt.libvirtError):
            number = register(None, identifier, callback, None)
            self._deregister.append(lambda: deregister(number))

    def close(self) -> None:
        """Hear nothing any more. The connection itself stays open; until this is through it mustn't be closed."""
        for deregister in self._deregister:
            with suppress(libvirt.libvirtError):  # it may be lost already
                deregister()
        self._deregister.clear()


def _note_run(runs: Runs, machine: libvirt.virDomain, event: int, detail: int) -> None:
    if event == libvirt.VIR_DOMAIN_EVENT_SHUTDOWN and detail == libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_HOST:
        runs.signal(machine.UUID())
    elif event == libvirt.VIR_DOMAIN_EVENT_STOPPED and detail == libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED:
        runs.migrate(machine.UUID())
    elif event == libvirt.VIR_DOMAIN_EVENT_STARTED:
        runs.started(machine.UUID())
    elif event == libvirt.VIR_DOMAIN_EVENT_UNDEFINED:
        runs.undefined(machine.UUID())


def _quietly(call: Callable[[], None]) -> None:
    """An exception would end up on stderr, out of libvirt's C code."""
    try:
        call()
    except Exception:
        log.exception("an event couldn't be passed on")
