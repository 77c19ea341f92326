"""A document on its way: what is to be written for one object, and what has to be left out of it and why.

Which fields an object has is for the kinds' own modules; whether they can stay is found out by `fitting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.observed.snapshot import Observed, Snapshot
from specs.host import Host
from specs.plain import NewSpec
from specs.reference import Ref
from specs.registry import described

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredSource


@dataclass(slots=True)
class Draft:
    """One object's document. `left` are half-sentences on what stays as it is because no document can say it, and
    `secrets` those on what nobody reads.
    """

    ref: Ref
    uid: str  # empty for a volume
    spec: NewSpec
    left: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    owner: str = ""  # a half-sentence: whose it is, when it's another repository's

    @property
    def told(self) -> list[str]:
        """All that isn't in it."""
        return [*self.secrets, *self.left]

    @property
    def path(self) -> str:
        """Its file: `vms/web.yaml`, `volumes/default/web.qcow2.yaml`."""
        return f"{described(self.ref.kind).directory}/{self.ref.name}.yaml"


@dataclass(frozen=True)
class Surroundings:
    """What a draft has to look up on the host."""

    snapshot: Snapshot

    @property
    def host(self) -> Host:
        """The host's facts."""
        return self.snapshot.host

    @cached_property
    def volume_at(self) -> Mapping[str, Ref]:
        """Which volume is at a path. Of two pools over one folder, the first by name."""
        found: dict[str, Ref] = {}
        for ref in sorted(self.host.volumes):
            found.setdefault(self.host.volumes[ref].path, ref)
        return found

    def volume_of(self, source: LoweredSource) -> Ref | None:
        """The volume that a drive's source means; None for what lies in no pool that is active."""
        if "volume" in source:
            return Ref.volume(str(source.get("pool", "")), str(source["volume"]))
        return self.volume_at.get(str(source.get("file") or source.get("dev") or ""))


def running(observed: Observed, spec: NewSpec) -> None:
    """Say of what is started and stopped whether it is, where that isn't the default."""
    if observed.autostart:
        spec["autostart"] = True
    if not observed.active:
        spec["active"] = False
