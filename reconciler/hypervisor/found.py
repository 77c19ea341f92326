"""What a reading found, and what to do with an object that can't be read: say so, and hide nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import libvirt

from reconciler.bulkhead import Failure, contained
from reconciler.hypervisor.failure import is_lost, is_not_found, message
from reconciler.observed.snapshot import Observed
from specs.reference import Ref

# A libvirtd elsewhere is believed what it has, but not given all memory for that. Real definitions have some KiB.
_MOST_OF_ONE = 1 << 20
_MOST_OF_ALL = 512 << 20


@dataclass(slots=True)
class Found:
    """Objects by reference, and a sentence for each one that couldn't be read."""

    objects: dict[Ref, Observed] = field(default_factory=dict)
    skipped: dict[Ref, str] = field(default_factory=dict)
    size: int = 0  # of all definitions, in characters

    def add(self, other: Found) -> None:
        """Take over what another reading found."""
        self.objects.update(other.objects)
        self.skipped.update(other.skipped)

    def read(
        self, ref: Ref, one: Callable[[], Observed], connection: libvirt.virConnect, before: Mapping[Ref, Observed]
    ) -> None:
        """Take in one object, or note that it can't be read. Raises what is about the connection."""

        def attempt() -> Observed | libvirt.libvirtError:
            try:
                return one()
            except libvirt.libvirtError as error:
                return error

        found = contained("reading", ref, "", attempt)
        if isinstance(found, Failure):
            self.skipped[ref] = f"{ref} can't be read: {found.message}."
            if ref in before:
                self.objects[ref] = before[ref]
        elif isinstance(found, libvirt.libvirtError):
            self.skip(ref, found, connection, before)
        elif (size := len(found.xml) + len(found.live_xml or "")) > _MOST_OF_ONE or self.size + size > _MOST_OF_ALL:
            self.skipped[ref] = f"{ref} can't be read: its definition is far longer than any that makes sense."
            if ref in before:
                self.objects[ref] = before[ref]
        else:
            self.size += size
            self.objects[ref] = found

    def skip(
        self, ref: Ref, error: libvirt.libvirtError, connection: libvirt.virConnect, before: Mapping[Ref, Observed]
    ) -> None:
        """Note an object that can't be read now; it stays as it was last seen, so that nobody takes it for gone.

        Raises the error again when it is about the connection. An object that isn't there (any more) is no news.
        """
        if connection.isAlive() != 1 or is_lost(error):
            raise error
        if is_not_found(error):
            return
        self.skipped[ref] = f"{ref} can't be read now: {message(error)}."
        if ref in before:
            self.objects[ref] = before[ref]
