"""What is ours: the entries of the ledger that planning needs, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from specs.reference import Ref


class Fact(StrEnum):
    """The keys of `Owned.facts`."""

    DIGEST = "digest"  # of the resource that was last applied: tells a new revision from drift
    RUN_STRATEGY = "runStrategy"  # as last applied: a change of it is an order to start
    SHUTDOWN_TIMEOUT = "shutdownTimeout"  # how to stop a VM whose document is gone
    FORCE_STOP = "forceStop"
    PROTECT = "protect"  # the annotation onggi/protect: not removed even when the document is
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
