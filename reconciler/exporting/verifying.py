"""Whether documents make the host that there is, told without touching it.

Each is rendered as for a host that never had its object, and compared with the definition that libvirt keeps. What a
document leaves to libvirt counts as lost, unless it always makes the same of it (each kind's `fill_in`): what libvirt
would choose only a definition could show.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.bulkhead import Failure, contained
from reconciler.desired.state import DesiredState, Resource
from reconciler.exporting.whole import is_definition, new_definition
from reconciler.observed.snapshot import Observed, Snapshot
from specs.binding import parse
from specs.facts import Comparison, compare, facts
from specs.overlay.writing import ContradictionError
from specs.problem import Unrenderable
from specs.reference import Ref


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one object of the host: how what its document makes compares, and why that is nothing, as a sentence."""

    ref: Ref
    comparison: Comparison
    why: str = ""

    @property
    def equal(self) -> bool:
        """It would be the same again."""
        return not self.why and self.comparison.equal


@dataclass(frozen=True, slots=True)
class Verified:
    """All of them, by kind and name, and what is declared and not on this host."""

    verdicts: tuple[Verdict, ...]
    absent: tuple[Ref, ...]

    @property
    def equal(self) -> bool:
        """The documents make this very host."""
        return not self.absent and all(each.equal for each in self.verdicts)

    @property
    def kept(self) -> int:
        """Of all that the host's definitions say whatever the documents hold."""
        return sum(each.comparison.kept for each in self.verdicts)

    @property
    def total(self) -> int:
        """All that the host's definitions say."""
        return sum(each.comparison.total for each in self.verdicts)


def verify(desired: DesiredState, snapshot: Snapshot) -> Verified:
    """Compare what the documents would make with all that is defined on the host."""
    verdicts = [
        _contained(observed, desired.resources.get(ref), snapshot)
        for ref, observed in sorted(snapshot.objects.items())
        if observed.persistent and is_definition(ref.kind)
    ]
    absent = [ref for ref in sorted(desired.resources) if is_definition(ref.kind) and ref not in snapshot.objects]
    return Verified(tuple(verdicts), tuple(absent))


def _contained(observed: Observed, resource: Resource | None, snapshot: Snapshot) -> Verdict:
    digest = "" if resource is None else resource.digest
    found = contained("comparing", observed.ref, observed.xml + digest, _verdict, observed, resource, snapshot)
    return _nothing(observed, f"it can't be compared: {found.message}") if isinstance(found, Failure) else found


def _verdict(observed: Observed, resource: Resource | None, snapshot: Snapshot) -> Verdict:
    if resource is None:
        return _nothing(observed, "no document declares it")
    try:
        there = parse(observed.xml)
        made = new_definition(observed.ref, resource.uid, resource.spec, snapshot.host, there)
    except (Unrenderable, ContradictionError) as error:
        return _nothing(observed, str(error))
    return Verdict(observed.ref, compare(there, made))


def _nothing(observed: Observed, why: str) -> Verdict:
    said = facts(parse(observed.xml))
    return Verdict(observed.ref, Comparison(0, said, ()), why)
