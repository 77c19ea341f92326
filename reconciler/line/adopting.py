"""Takes ownership of what is on a host: observing first, and enforcing when somebody says so.

Here is decided what becomes ours and what stays somebody else's, and what has to be done for it; the verb in `cli`
prints it. How an observed object is treated afterwards is in `planning/observing.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.desired.state import DesiredState, Resource
from reconciler.line.line import Line
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.assessment import ownership_entry
from reconciler.planning.claim import Claim, Refusal, claim
from reconciler.planning.context import Context, has_object
from reconciler.planning.diff import compare
from reconciler.planning.gathered import Gathered
from reconciler.planning.observing import enforced_entry, is_observed, observed_entry
from reconciler.planning.operations import WriteMark
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action, Plan, Step
from reconciler.planning.rules import rules_of
from reconciler.status.outcome import StepOutcome
from specs.binding import serialise
from specs.effect import Change, Effect
from specs.mark import mark_element, mark_of
from specs.problem import Unrenderable
from specs.reference import Ref
from specs.registry import described


class Standing(StrEnum):
    """Where one declared object is on its way to being ours."""

    TAKEN = "taken"  # becomes ours now
    OBSERVED = "observed"  # ours, and only looked at
    OURS = "ours"  # ours for good
    REFUSED = "refused"  # another repository's, or another object of the same name


@dataclass(frozen=True, slots=True)
class Candidate:
    """One declared object that is on the host. `message` says why it is refused."""

    ref: Ref
    standing: Standing
    entry: Owned
    message: str = ""


def candidates(line: Line, desired: DesiredState, snapshot: Snapshot, wanted: Collection[Ref] = ()) -> list[Candidate]:
    """Every declared object that is on the host, or those of `wanted`, in the order of kinds and names.

    A VM's own disks and its seed come with it.
    """
    context = Gathered(desired, snapshot, line.ledger.ownership.all())
    found = []
    for ref, resource in sorted(desired.resources.items()):
        observed = snapshot.get(ref)
        chosen = not wanted or ref in wanted or resource.parent in wanted
        if observed is not None and chosen and has_object(ref):
            found.append(_candidate(resource, observed, context))
    return found


def _candidate(resource: Resource, observed: Observed, context: Context) -> Candidate:
    entry = context.owned.get(resource.ref)
    if entry is not None and entry.uid == observed.uid:
        return Candidate(resource.ref, Standing.OBSERVED if is_observed(entry) else Standing.OURS, entry)
    fresh = ownership_entry(resource, observed.uid, created=False)
    if not described(resource.ref.kind).is_defined:
        return Candidate(resource.ref, Standing.TAKEN, fresh)
    # The command itself says yes for what bears nobody's mark; for another repository's the document has to say so.
    asked = resource if observed.mark is not None else replace(resource, policy=replace(resource.policy, adopt=True))
    answer = claim(asked, observed, context)
    if isinstance(answer, Refusal):
        return Candidate(resource.ref, Standing.REFUSED, fresh, answer.message)
    return Candidate(resource.ref, Standing.TAKEN if answer is Claim.ADOPT else Standing.OURS, fresh)


def observe(line: Line, found: Iterable[Candidate]) -> None:
    """Make what is free ours, to be looked at only. Nothing on the host changes. Raises StateError."""
    line.ledger.change(own=(observed_entry(each.entry) for each in found if each.standing is Standing.TAKEN))


def enforce(
    line: Line, desired: DesiredState, snapshot: Snapshot, found: Iterable[Candidate]
) -> tuple[StepOutcome, ...]:
    """End the observation: from now on documents are applied. VMs get onggi's mark, and nothing else is changed.

    One whose mark can't be written stays observed, and its outcome says why.
    """
    context = Gathered(desired, snapshot, line.ledger.ownership.all())
    marks: list[Step] = []
    entries: list[Owned] = []
    for each in found:
        if each.standing not in (Standing.TAKEN, Standing.OBSERVED):
            continue
        resource = desired.resources[each.ref]
        entry = enforced_entry(each.entry, keep_digest=resource.policy.drift != "enforce")
        if rules_of(each.ref.kind).always_marked:
            marks.append(_marking(resource, snapshot.objects[each.ref], entry, context))
        else:
            entries.append(entry)
    line.ledger.change(own=entries)
    return line.apply(Plan(str(desired.revision), tuple(marks)))


def _marking(resource: Resource, observed: Observed, entry: Owned, context: Context) -> Step:
    try:
        managed = compare(resource, observed, context.host).managed
    except Unrenderable:
        managed = frozenset()  # what can't be had here is nothing that could ever have to leave
    mark = mark_of(context.desired.scope, resource.ref.name, managed)
    return Step(
        ref=resource.ref,
        action=Action.UPDATE,
        why="taken over for good",
        effect=Effect.LIVE,
        operations=(WriteMark(resource.ref, observed.uid, serialise(mark_element(mark, namespace=""))),),
        changes=(Change("/metadata", None, "onggi's mark of ownership", Effect.LIVE),),
        path=resource.path,
        line=resource.line,
        owned=entry,
    )
