"""Machines that run on another host by now: neither they nor their disks are touched here without somebody's word.

Started or defined here as well, there would be two of one UUID, and two writers on a shared disk. That a machine went
is told by libvirt's reason of its being off, or, where the migration has undefined it, by an event alone; the ledger
remembers both. It is over when the machine is seen running here, or is there again without that reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.bulkhead import contained
from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.approval import approval_digest
from reconciler.planning.assessment import Assessment, ownership_entry
from reconciler.planning.ownership import Fact, Owned, remade_before
from reconciler.planning.plan import Blocked
from reconciler.planning.virtualmachine.power import MIGRATED_AWAY, is_migrated
from specs.reference import VIRTUAL_MACHINE, Ref

if TYPE_CHECKING:
    from reconciler.planning.context import Context

MIGRATED = "Migrated"  # the reason of what is held back for it
MIGRATING = "Migrating"  # and of a machine whose memory is just being moved

# What libvirt says of a machine that stands still because it comes or goes; nobody else may start its CPUs.
_ON_THE_WAY = frozenset({"migration", "postcopy", "postcopy-failed"})


def find_away(context: Context) -> Mapping[Ref, str]:
    """Every machine of ours that runs elsewhere, with what `onggi approve` takes to have it here again.

    Without those for which that was said.
    """
    found = {}
    for ref, entry in _maybe_away(context):
        seen = context.snapshot.get(ref)
        if contained("finding out where it runs", ref, entry.uid, _is_away, seen, entry, entry.uid, context) is True:
            found[ref] = _digest(entry, entry.uid)
    for ref, resource in context.desired.resources.items() if context.options.migrated else ():
        unknown = ref not in context.owned and ref not in context.snapshot.objects
        if unknown and ref.kind == VIRTUAL_MACHINE and resource.uid in context.options.migrated:
            found[ref] = _digest(None, resource.uid)
    return {ref: digest for ref, digest in found.items() if digest not in context.options.approved}


def _maybe_away(context: Context) -> Iterator[tuple[Ref, Owned]]:
    """NOTE: asked of every machine in every pass: nearly all are told apart by a look at a word or two."""
    objects, migrated = context.snapshot.objects, context.options.migrated
    for ref, entry in context.owned.items():
        if ref.kind != VIRTUAL_MACHINE:
            continue
        seen = objects.get(ref)
        try:
            said = entry.uid in migrated if seen is None else seen.reason == MIGRATED_AWAY
            maybe = said or entry.facts.get(Fact.LAST_RUN) == MIGRATED_AWAY
        except Exception:
            maybe = True  # the bulkhead tells of what can't even be looked at
        if maybe:
            yield ref, entry


def _is_away(observed: Observed | None, entry: Owned, uid: str, context: Context) -> bool:
    if observed is None:
        return uid in context.options.migrated or entry.facts.get(Fact.LAST_RUN) == MIGRATED_AWAY
    return is_migrated(observed, entry)


def _digest(entry: Owned | None, uid: str) -> str:
    return approval_digest(json.dumps(["have it here again", uid, remade_before(entry)]), "", ())


def assess_away(resource: Resource, observed: Observed | None, context: Context) -> Assessment | None:
    """What to do about a machine that runs elsewhere or is on its way: nothing. None for all others."""
    ref = resource.ref
    if observed is not None and observed.state == "paused" and observed.reason in _ON_THE_WAY:
        message = f"{ref} is just being migrated from or to this host; it is left alone until that is over"
        return Assessment(blocked=Blocked(ref, MIGRATING, message, resource.path, resource.line))
    digest = context.away.get(ref)
    if digest is None:
        return None
    entry = context.owned.get(ref) or ownership_entry(resource, resource.uid, created=True)
    record = replace(entry, facts={**entry.facts, Fact.LAST_RUN.value: MIGRATED_AWAY})
    there = "stays off here" if observed is not None else "isn't defined here again"
    message = (
        f"{ref} was migrated to another host. It {there}, and its volumes aren't touched, until it is seen running "
        f"here again; if it runs nowhere else any more: onggi approve {digest}"
    )
    return Assessment(blocked=Blocked(ref, MIGRATED, message, resource.path, resource.line, digest), record=record)


def is_called_back(ref: Ref, observed: Observed | None, context: Context) -> bool:
    """True for a machine that went, and that somebody wants to have here again."""
    entry = context.owned.get(ref)
    return entry is not None and ref not in context.away and _is_away(observed, entry, entry.uid, context)


def away_users(volume: Ref, context: Context) -> list[Ref]:
    """The machines that have a volume and run elsewhere."""
    if not context.away:
        return []
    entry, declared = context.owned.get(volume), context.desired.resources.get(volume)
    parents = {each.parent for each in (entry, declared) if each is not None}
    users = context.users.get(volume, frozenset())
    return sorted(
        machine
        for machine in context.away
        if machine in parents
        or machine in users
        or ((wanted := context.desired.resources.get(machine)) is not None and volume in wanted.depends_on)
    )


def untouched(resource: Resource, users: list[Ref]) -> Blocked:
    """A volume of such a machine, as the plan shows it."""
    who = ", ".join(map(str, users))
    message = f"{resource.ref} isn't touched: {who} was migrated to another host and may use it there"
    return Blocked(resource.ref, MIGRATED, message, resource.path, resource.line)
