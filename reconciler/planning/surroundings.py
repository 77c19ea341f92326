"""What an assessment depends on. All of it is named here, so that what was found out can be remembered for as long as
none of that has become another one.

Whatever an assessment is taught to look at belongs into one of these: what is a resource's own, what lies beside it,
what holds for everything, or what makes an assessment one that isn't remembered at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.context import Context
from reconciler.planning.ownership import Owned
from reconciler.planning.rules import rules_of
from reconciler.planning.scopes import scope_of
from specs.host import Host
from specs.reference import Ref

# Its document, its object, its entry in the ledger, the name of its document's content, and who has its UUID.
Own = tuple[Resource, Observed | None, Owned | None, str | None, Ref | None]


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What holds for everything in one pass."""

    facts: tuple[object, ...]  # when these are others, everything is found out anew
    host: Host  # the very same for as long as no place of any volume has changed
    loses: bool  # then each machine's losses are to be found out

    @classmethod
    def of(cls, context: Context) -> Surroundings:
        """Those of a pass."""
        desired, host = context.desired, context.host
        can = (host.arch, host.domain_types, host.machines, host.emulators, host.starts_with, host.features)
        of_host = (*can, host.allowed_folders, host.reach)
        return cls((desired.scope, desired.repository_id, *of_host), host, bool(context.losses))

    def remind_of(self, before: Surroundings | None) -> bool:
        """True when anything that was found out can still hold."""
        return before is not None and self.facts == before.facts

    def same_as(self, before: Surroundings | None) -> bool:
        """True when nothing that lies beside any machine or volume can have become another."""
        if before is None or self.loses or before.loses:
            return False
        return self.host is before.host and self.facts == before.facts


def owning(context: Context) -> Callable[[Resource], Own]:
    """Tells what an assessment is made of in the first place: nearly always the very same as in the pass before.

    NOTE: asked for every resource in every pass, so what it looks into is at hand.
    """
    observed, entry = context.snapshot.objects.get, context.owned.get
    blob, holder = context.desired.blobs.get, context.by_uid.get

    def own(resource: Resource) -> Own:
        ref = resource.ref
        return resource, observed(ref), entry(ref), blob(resource.path), holder(resource.uid)

    return own


def beside(resource: Resource, context: Context) -> tuple[object, ...]:
    """What lies beside that, to be compared by value: as its kind says. For those kinds that `stands_alone` is true of,
    all of it is the same while what holds for everything is.
    """
    return rules_of(resource.ref.kind).beside(resource, context)


def are_all(told_by: Own, context: Context) -> bool:
    """Whether an assessment depends on nothing else: on people's words, the time, what was once, or who uses it."""
    resource, observed, entry, *_ = told_by
    ref = resource.ref
    if observed is None or not observed.persistent or ref in context.options.moving or ref in context.renames.formerly:
        return False
    found = scope_of(observed, entry)
    if found is not None and not found.agrees(context.desired.scope):
        return False
    return rules_of(ref.kind).tells_all(observed, entry)
