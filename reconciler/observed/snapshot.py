"""The observed state as one immutable value. Readers take a reference; nobody ever waits for a lock.

XML is parsed at first use and remembered on the object; an object whose XML text didn't change is carried over from the
previous snapshot, so a pass with nothing new parses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from specs.host import Host
from specs.mark import Mark
from specs.plain import Spec
from specs.reference import Ref
from specs.registry import kinds

# Keys of an active network's details: the name of its bridge on the host, and for each port who is plugged in.
BRIDGE = "bridge"
PORTS = "ports"  # port → (the machine's UUID, the interface's MAC)


@dataclass(frozen=True, eq=False)
class Observed:
    """One object on the host. `state` is running | paused | shutoff | crashed | ... for a VM, active | inactive
    otherwise.
    """

    ref: Ref
    uid: str  # UUID; empty for a volume
    xml: str  # the persistent definition
    live_xml: str | None = None  # the running one, when active
    state: str = "inactive"
    reason: str = ""  # of the state: booted, shutdown, destroyed, crashed, ...
    autostart: bool = False
    persistent: bool = True
    mark: Mark | None = None
    # A volume's path, capacity, allocation and backing path; a network's bridge and ports.
    details: Spec = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Running or paused for a VM; started for a pool or network."""
        return self.state not in ("inactive", "shutoff", "crashed")

    @cached_property
    def config(self) -> Spec:
        """The spec that the persistent definition amounts to."""
        return self._read(self.xml)

    @cached_property
    def live(self) -> Spec | None:
        """The spec that the running definition amounts to; None when it isn't running."""
        return None if self.live_xml is None else self._read(self.live_xml)

    def _read(self, xml: str) -> Spec:
        from specs.binding import parse, read  # lxml is loaded only by who really reads XML

        spec: Spec = read(kinds()[self.ref.kind].xml.BINDS, parse(xml))
        return spec


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything observed at one moment. `serial` grows with each change; equal serials mean an equal world."""

    serial: int
    host: Host
    objects: Mapping[Ref, Observed]
    connected: bool = True
    skipped: tuple[str, ...] = ()  # sentences about objects that couldn't be read; they hide nothing else
    unseen: frozenset[Ref] = frozenset()  # what is on the host and never could be read: nothing of it is known

    def get(self, ref: Ref) -> Observed | None:
        """The observed object, or None."""
        return self.objects.get(ref)
