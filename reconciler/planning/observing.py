"""What `onggi adopt` took over and only observes so far: differences are told as drift, and nothing at all is done.

How such an object differs is decided as for any other; here its steps become words. `prune` leaves it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.desired.state import Resource
from reconciler.planning.assessment import Assessment
from reconciler.planning.ownership import Fact, Owned
from specs.reference import Ref


def is_observed(entry: Owned | None) -> bool:
    """True for an object that was taken over and isn't to be changed yet."""
    return entry is not None and Fact.OBSERVE in entry.facts


def under_observation(resource: Resource, owned: Mapping[Ref, Owned]) -> bool:
    """Whether a resource is only observed. A VM's own disks and its seed are as the VM is."""
    parent = owned.get(resource.parent) if resource.parent is not None else None
    return is_observed(owned.get(resource.ref)) or is_observed(parent)


def only_told(assessment: Assessment, entry: Owned | None) -> Assessment:
    """What was found out about an observed object, with nothing that is to be done."""
    step = assessment.step
    record = step.owned if step is not None else assessment.record
    if entry is None:
        record = None  # nothing was there to be taken over
    elif record is not None:
        # What a step would have written down of its own doing, such as a restart, isn't done.
        facts = record.facts if step is None else {**entry.facts, Fact.DIGEST: record.facts.get(Fact.DIGEST, "")}
        record = replace(record, created=entry.created, facts={**facts, Fact.OBSERVE: "yes"})
    drifted = assessment.drifted if step is None else step.changes
    return replace(assessment, step=None, staged=None, drifted=drifted, record=record)


def observed_entry(entry: Owned) -> Owned:
    """The entry of an object from the moment when it is taken over."""
    return replace(entry, facts={**entry.facts, Fact.OBSERVE: "yes"})


def enforced_entry(entry: Owned, *, keep_digest: bool) -> Owned:
    """The same when the observation is over. Without a digest what differs is to be applied, and isn't drift."""
    gone = {Fact.OBSERVE} if keep_digest else {Fact.OBSERVE, Fact.DIGEST}
    return replace(entry, facts={key: value for key, value in entry.facts.items() if key not in gone})
