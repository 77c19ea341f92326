"""Decides when a console's password is put into a VM again. Only where it is kept is known here, never what it is.

What a secret is can't be compared: a new revision of its document puts it in again, into the definition and into the
running machine, and so does a console that has none.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.diff import Comparison
from reconciler.planning.operations import SecretSlot, SecretSource
from reconciler.planning.ownership import Fact, Owned
from specs.binding import value_at
from specs.effect import Change, Effect
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine import xml

_FIELD = "graphics/passwordFrom"


def slots(resource: Resource) -> tuple[SecretSlot, ...]:
    """The places of a VM's secrets in its definition."""
    declared = MACHINES.declared(resource.spec)
    return tuple(
        SecretSlot(slot.path, slot.attribute, SecretSource(**slot.source)) for slot in xml.secret_slots(declared)
    )


def device_slots(resource: Resource) -> tuple[SecretSlot, ...]:
    """The same in the console's own XML."""
    return tuple(replace(slot, path=".") for slot in slots(resource))


def slots_again(resource: Resource, comparison: Comparison) -> tuple[SecretSlot, ...]:
    """The places that a changed definition fills anew; none when the document leaves the password to others."""
    return slots(resource) if value_at(comparison.lowered, _FIELD) is not None else ()


def renewal(resource: Resource, observed: Observed, entry: Owned | None, comparison: Comparison) -> Change | None:
    """The password as a change, when it has to be put in again although there is one."""
    if entry is None or entry.facts.get(Fact.DIGEST) == resource.digest or not slots_again(resource, comparison):
        return None
    if any(change.pointer == f"/{_FIELD}" for change in comparison.config):
        return None
    runs_with_one = observed.live is not None and value_at(observed.live, _FIELD) is not None
    known = value_at(comparison.lowered, _FIELD)
    return Change(f"/{_FIELD}", known, known, Effect.LIVE if runs_with_one else Effect.NEXT_BOOT, "put in again")
