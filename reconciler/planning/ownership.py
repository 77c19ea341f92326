"""What is ours: the entries of the ledger that planning needs, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from specs.reference import Ref
from specs.scope import Scope, scope_from


class Fact(StrEnum):
    """The keys of `Owned.facts`."""

    DIGEST = "digest"  # of the resource that was last applied: tells a new revision from drift
    RUN_STRATEGY = "runStrategy"  # as last applied: a change of it is an order to start
    SHUTDOWN_TIMEOUT = "shutdownTimeout"  # how to stop a VM whose document is gone
    FORCE_STOP = "forceStop"
    LAST_RUN = "lastRun"  # of a VM: running, or how it ended, for libvirtd forgets that when it is restarted
    RESTARTING = "restarting"  # onggi asked the guest to shut down in order to start it again: when, in s since 1970
    RESTARTED = "restarted"  # the waiting changes for which it was restarted last: a second restart brings no more
    PROTECT = "protect"  # the annotation onggi/protect: not removed even when the document is
    REMOVAL = "removal"  # the revision for which its removal was approved, though many leave at once
    TRASHED = "trashed"  # a removed volume: when it went into the trash, in seconds since 1970
    OBSERVE = "observe"  # taken over by `onggi adopt` and only looked at so far: differences are told, nothing is done
    KEPT = "keptVolumes"  # of a VM: the volumes of disks whose entries were renamed, as JSON by the entries' names
    FORMAT = "format"  # of a volume whose document doesn't say: what its source was taken for when it was made
    SCOPE = "scope"  # the repository, branch and path of its document: see `Owned.scope`
    FOUND = "found"  # it was there before this state knew of it, and only its UUID says whose it is
    BLOB = "blob"  # the content of its document's file, by its name in git
    REMADE = "remade"  # how often a person had it made or started again after it was gone: a yes counts once
    VALUE = "value"  # of a secret: a digest of the value that was set last
    XML = "xml"  # what its document stated in XML of its own, where its definition has no mark to keep that: pointers
    SUBNET = "subnet"  # chosen for a network that declares none, so that a new one gets the same


@dataclass(frozen=True, slots=True)
class Owned:
    """One object that onggi made or adopted. `path` is the document's file, by which a broken file protects it."""

    ref: Ref
    uid: str  # UUID in libvirt; empty for a volume
    path: str = ""
    deletion: str = "Retain"  # the document's deletionPolicy when it was last seen
    parent: Ref | None = None  # the VM of an implied disk or seed
    created: bool = True  # False: adopted, so its data was there before us
    seed: bool = False  # a cloud-init seed: derived data, removed as soon as nobody uses it
    facts: Mapping[str, str] = field(default_factory=dict)  # what planning wants to know next time: see `Fact`

    @property
    def scope(self) -> Scope | None:
        """Where its document is, or was; None in entries of earlier versions."""
        text = self.facts.get(Fact.SCOPE)
        return scope_from(text) if text else None


def remade_before(entry: Owned | None) -> int:
    """How often somebody had it made again. A yes counts for one loss, and not for the next."""
    return int(entry.facts.get(Fact.REMADE, "0")) if entry is not None else 0


def kept_count(entry: Owned | None) -> dict[str, str]:
    """The fact that tells it, for an entry that is written anew."""
    return {Fact.REMADE.value: str(count)} if (count := remade_before(entry)) else {}
