"""How a volume leaves that nothing declares any more: into the trash first, where there is one, and then for good."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.operations import DeleteVolume, TrashVolume
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Step
from reconciler.planning.plan_options import duration_text
from reconciler.planning.rules import Removal
from reconciler.planning.storagevolume.trash import is_over, trashed
from reconciler.planning.virtualmachine.migration import away_users
from reconciler.planning.why import why_volume_leaves
from specs.effect import Effect


def may_leave(entry: Owned, context: Context) -> bool:
    """False where a machine that went to another host may use it there, and for what nobody said to delete."""
    if away_users(entry.ref, context):
        return False
    return entry.seed or (entry.deletion == "Delete" and entry.created)


def removal(entry: Owned, context: Context) -> Removal | Assessment:
    """A seed is derived from its document and goes at once; so does what was in the trash for long enough."""
    if not entry.seed and (stays := _in_trash(entry, context)) is not None:
        return stays
    why = why_volume_leaves(entry, context)
    if Fact.TRASHED in entry.facts:
        why += "; its time in the trash is over"
    return Removal((DeleteVolume(entry.ref),), why)


def _in_trash(entry: Owned, context: Context) -> Assessment | None:
    """The step into the trash, or that it stays there; None when its time is over.

    A volume in the trash stays where it is. Until its time is over, a document that asks for it again gets it back.
    """
    retention_s = context.options.trash_retention_s
    for item in trashed([entry], retention_s):
        return None if is_over(item, context.options) else Assessment()
    if retention_s <= 0:
        return None
    facts = {**entry.facts, Fact.TRASHED: str(int(context.options.now))}
    step = Step(
        ref=entry.ref,
        action=Action.UPDATE,
        why=(
            f"{why_volume_leaves(entry, context)}; kept in the trash for "
            f"{duration_text(retention_s)}, and given back when a document asks for it again"
        ),
        effect=Effect.LIVE,
        operations=(TrashVolume(entry.ref),),
        after=context.users.get(entry.ref, frozenset()),
        path=entry.path,
        owned=replace(entry, facts=facts),
    )
    return Assessment(step=step)
