"""What is so of network filters, and what planning asks of them."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.context import Context
from reconciler.planning.operations import Undefine
from reconciler.planning.ownership import Owned
from reconciler.planning.rules import Assessor, Removal, Rules
from reconciler.planning.standing import DEFINED, Standing
from specs.binding import Element
from specs.networkfilter import KIND as FILTERS
from specs.networkfilter.model import references
from specs.plain import Spec
from specs.reference import NETWORK_FILTER, Ref


class FilterRules(Rules):
    """Of network filters. libvirt refuses to remove one that something uses, so those leave before it; one that isn't
    there holds up no definition, only the start of a machine.
    """

    kind = NETWORK_FILTER
    root = "filter"
    name_at = "@name"
    by_name = True
    uses_others = True
    is_optional = True

    def assessor(self, context: Context) -> Assessor:
        """Whatever is defined is in force, also for machines that run."""
        return Standing(context)

    def uses(self, observed: Observed, context: Context) -> Iterator[Ref]:
        """The filters that it includes."""
        return self.defined_uses(observed.config, context)

    def defined_uses(self, spec: Spec, context: Context) -> Iterator[Ref]:
        """The same of what it will be."""
        yield from references("", FILTERS.declared(spec))

    def removal(self, entry: Owned, present: Ref, context: Context) -> Removal:
        """Nothing has to be stopped for it."""
        return Removal((Undefine(present, entry.uid),), "its document is gone")

    def revived(self, root: Element, resource: Resource, context: Context) -> str:
        """As it was."""
        return DEFINED


RULES = FilterRules()
