"""Gathers what the decisions of one pass look at: also what is only found out by looking at every object.

Who begins a pass makes one; those who decide get it as the `Context` that it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from reconciler.bulkhead import Failure, contained
from reconciler.observed.snapshot import Observed
from reconciler.planning.context import Context
from reconciler.planning.mentions import mentioned
from reconciler.planning.rules import kinds_that, rules_of
from reconciler.planning.storagevolume.loss import find_losses
from reconciler.planning.storagevolume.lost import Loss
from reconciler.planning.virtualmachine.migration import find_away
from specs.reference import Ref


@dataclass(frozen=True, eq=False)
class Gathered(Context):
    """The context of one pass."""

    @cached_property
    def losses(self) -> Mapping[Ref, Loss]:
        """By the ledger, and the definitions and marks that name them."""
        return find_losses(self)

    @cached_property
    def away(self) -> Mapping[Ref, str]:
        """By what libvirt says of them, and what the ledger remembers."""
        return find_away(self)

    @cached_property
    def users(self) -> Mapping[Ref, frozenset[Ref]]:
        """By what each kind's rules say that its objects use."""
        found: dict[Ref, set[Ref]] = {}
        for ref, observed in self.snapshot.objects.items():
            for used in self._uses(ref, observed):
                found.setdefault(used, set()).add(ref)
        return {ref: frozenset(users) for ref, users in found.items()}

    def _uses(self, ref: Ref, observed: Observed) -> Iterable[Ref]:
        rules = rules_of(ref.kind)
        if not (rules.uses_others or rules.uses_readably):
            return ()
        key = (observed.xml, observed.live_xml)
        uses = contained("finding its uses", ref, key, lambda: list(rules.uses(observed, self)))
        if not isinstance(uses, Failure):
            return uses
        if not rules.uses_others:
            return ()
        named = frozenset(kinds_that("by_name"))
        return mentioned(observed, self.host.volumes, (each for each in self.snapshot.objects if each.kind in named))
