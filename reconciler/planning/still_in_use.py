"""What something still has isn't removed: a plan takes away only what every user lets go of in this very plan.

That a document mentions it no longer is no proof. The machine may be left alone, held back, without a word on that list
of devices, or stay itself. So it is asked what the machine's step defines, and again once all steps are known. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.bulkhead import Failure, contained
from reconciler.planning.context import Context
from reconciler.planning.operations import Define
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.rules import rules_of
from specs.binding import parse, read
from specs.reference import Ref
from specs.registry import kinds


def users_after(ref: Ref, steps: Mapping[Ref, Step], context: Context) -> list[Ref]:
    """Who of those that use `ref` on the host still uses it when these steps are done, in order of their names."""
    return sorted(user for user in context.users.get(ref, ()) if not _lets_go(user, ref, steps.get(user), context))


def in_use(ref: Ref, users: Iterable[Ref], path: str) -> Blocked:
    """What is told of something that stays because of them."""
    message = f"{ref} is no longer declared, but {', '.join(map(str, users))} still uses it; it stays until then"
    return Blocked(ref, "InUse", message, path)


def used_all_the_same(steps: Mapping[Ref, Step], context: Context) -> Iterator[tuple[Ref, Blocked | None]]:
    """The removals among the final steps that can't be done, for a user's step has fallen out since they were planned.

    None is told of a seed: it goes with its last user.
    """
    for ref, step in steps.items():
        if ref in context.desired.resources:
            continue
        if users := users_after(ref, steps, context):
            entry = context.owned.get(ref)
            yield ref, None if entry is not None and entry.seed else in_use(ref, users, step.path)


def _lets_go(user: Ref, ref: Ref, step: Step | None, context: Context) -> bool:
    if step is None:
        return False
    if step.action is Action.DELETE:
        return True
    if context.snapshot.objects[user].active:
        return False  # what runs lets go of it when it has ended, or was unplugged: the next look shows it
    xml = next((each.xml for each in reversed(step.operations) if isinstance(each, Define)), None)
    if xml is None:
        return False
    uses = contained("finding what it will use", user, xml, lambda: set(_defined(user.kind, xml, context)))
    return not isinstance(uses, Failure) and ref not in uses


def _defined(kind: str, xml: str, context: Context) -> Iterable[Ref]:
    return rules_of(kind).defined_uses(read(kinds()[kind].xml.BINDS, parse(xml)), context)
