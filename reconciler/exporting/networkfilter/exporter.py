"""How network filters become documents."""

from __future__ import annotations

from reconciler.exporting.draft import Draft
from reconciler.exporting.exporter import Exporter
from reconciler.observed.snapshot import Observed
from specs.declared_binds import sayable
from specs.networkfilter import KIND as FILTERS
from specs.networkfilter.fields import SPEC
from specs.reference import NETWORK_FILTER


def network_filter(observed: Observed) -> Draft:
    """The draft of one filter: its definition says nothing else."""
    draft = Draft(observed.ref, observed.uid, sayable(SPEC, observed.config))
    if rules := FILTERS.lowered(observed.config).get("rules"):
        draft.spec["rules"] = rules
    return draft


EXPORTER = Exporter(
    NETWORK_FILTER,
    lambda observed, _around: network_filter(observed),
    frozenset({"name", "uuid", "rule", "filterref"}),
)
