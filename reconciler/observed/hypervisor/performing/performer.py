"""One entry for every operation of a plan: which code performs it."""

from __future__ import annotations

import threading
from typing import assert_never

from reconciler.observed.hypervisor.connection import Connections
from reconciler.observed.hypervisor.performing import defining, live, power
from reconciler.observed.hypervisor.performing.intake import Progress
from reconciler.observed.hypervisor.performing.volumes import Volumes
from reconciler.planning.operations import (
    CreateVolume,
    Define,
    DeleteVolume,
    EditLive,
    GrowVolume,
    Operation,
    Pause,
    Resume,
    SetAutostart,
    Start,
    Stop,
    Undefine,
    UpdateNetwork,
)


class OperationPerformer:
    """Performs operations on one host; several threads may do so at once."""

    def __init__(self, connections: Connections, volumes: Volumes) -> None:
        self._connections = connections
        self._volumes = volumes

    def perform(self, operation: Operation, stop: threading.Event, progress: Progress) -> None:
        """Do one thing, or find it done. Raises OnggiError."""
        connections, volumes = self._connections, self._volumes
        match operation:
            case Define():
                defining.define(connections, operation)
            case Undefine():
                defining.undefine(connections, operation)
            case SetAutostart():
                defining.set_autostart(connections, operation)
            case Start():
                power.start(connections, operation)
            case Stop():
                power.stop(connections, operation, stop)
            case Pause():
                power.pause(connections, operation)
            case Resume():
                power.resume(connections, operation)
            case EditLive():
                live.edit(connections, operation, stop)
            case UpdateNetwork():
                live.update_network(connections, operation)
            case CreateVolume():
                volumes.create(operation, stop, progress)
            case GrowVolume():
                volumes.grow(operation)
            case DeleteVolume():
                volumes.delete(operation)
            case _:
                assert_never(operation)
