"""How mediated devices become documents."""

from __future__ import annotations

from reconciler.exporting.draft import Draft, running
from reconciler.exporting.exporter import Exporter
from reconciler.observed.snapshot import Observed
from specs.declared_binds import sayable
from specs.mediateddevice import KIND as DEVICES
from specs.mediateddevice.fields import SPEC
from specs.reference import MEDIATED_DEVICE


def mediated_device(observed: Observed) -> Draft:
    """The draft of one device, of the UUID that is its name."""
    draft = Draft(observed.ref, "", sayable(SPEC, observed.config))
    if attributes := DEVICES.lowered(observed.config).get("attributes"):
        draft.spec["attributes"] = attributes
    running(observed, draft.spec)
    return draft


EXPORTER = Exporter(
    MEDIATED_DEVICE,
    lambda observed, _around: mediated_device(observed),
    frozenset({"name", "path", "parent", "driver", "capability"}),
)
