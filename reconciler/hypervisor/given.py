"""What an operation hands to libvirt, read once: the checks before it and whoever performs it look at the same tree."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

from reconciler.hypervisor.transfer.intake import Progress
from reconciler.planning.operations import CreateVolume, Define, EditLive
from specs.binding import Element, parse

OperationT = TypeVar("OperationT")

_NOT_STOPPED = threading.Event()


def _untold(_done: int, _total: int | None) -> None:
    """Progress that nobody wants to hear of."""


class Given(Generic[OperationT]):
    """An operation and its own XML, which is parsed when the first one asks. One thread has it.

    Only who performs the operation may change the tree, and only once everybody else has looked. `stop` is set when the
    agent ends; `progress` gets bytes.
    """

    def __init__(
        self, operation: OperationT, stop: threading.Event = _NOT_STOPPED, progress: Progress = _untold
    ) -> None:
        self.operation = operation
        self.stop = stop
        self.progress = progress
        self._root: Element | None = None

    @property
    def root(self) -> Element:
        """The object that is defined, or the drive or device that is edited."""
        if self._root is None:  # no cached_property: those of all threads wait for each other
            self._root = self._read()
        return self._root

    def _read(self) -> Element:
        match self.operation:
            case Define(xml=xml) | CreateVolume(xml=xml) | EditLive(value=xml):
                return parse(xml)
            case _:  # asked of no other one
                raise TypeError(f"{type(self.operation).__name__} brings no XML that anything is to be read from")
