"""What an operation hands to libvirt, read once: the checks before it and whoever performs it look at the same tree."""

from __future__ import annotations

from functools import cached_property

from reconciler.planning.operations import CreateVolume, Define, EditLive, Operation
from specs.binding import Element, parse
from specs.reference import VIRTUAL_MACHINE


class Given:
    """An operation and its own XML, which is parsed when the first one asks. One thread has it.

    Only who performs the operation may change the tree, and only once everybody else has looked.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    @cached_property
    def root(self) -> Element:
        """The object that is defined, or the drive or device that is edited."""
        match self.operation:
            case Define(xml=xml) | CreateVolume(xml=xml) | EditLive(value=xml):
                return parse(xml)
            case _:  # asked of no other one
                raise TypeError(f"{type(self.operation).__name__} brings no XML that anything is to be read from")

    @property
    def devices(self) -> Element | None:
        """What a machine gets: all of it, or the one device; None for an operation that gives none anything new."""
        match self.operation:
            case Define(ref=ref) if ref.kind == VIRTUAL_MACHINE:
                return self.root
            case EditLive(verb="attach" | "update"):
                return self.root
            case _:
                return None
