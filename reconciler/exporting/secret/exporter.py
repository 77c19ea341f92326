"""How secrets become documents: what they are for. libvirt isn't asked for what they are."""

from __future__ import annotations

from reconciler.exporting.draft import Draft
from reconciler.exporting.exporter import Exporter
from reconciler.observed.snapshot import Observed
from specs.declared_binds import sayable
from specs.reference import SECRET
from specs.secret import KIND as SECRETS
from specs.secret.fields import SPEC
from specs.secret.naming import split


def secret(observed: Observed) -> Draft:
    """The draft of one secret."""
    draft = Draft(observed.ref, observed.uid, sayable(SPEC, observed.config))
    config = SECRETS.lowered(observed.config)
    if usage := config.get("usage"):
        draft.spec["usage"] = {key: each for key, each in usage.items() if key == "type" or each != observed.ref.name}
    if text := split(config.get("description") or "")[0]:
        draft.spec["description"] = text
    draft.left.append("its value, which libvirt keeps: say with `valueFrom` where a new host finds it")
    return draft


EXPORTER = Exporter(
    SECRET,
    lambda observed, _around: secret(observed),
    frozenset({"uuid", "usage", "description"}),
)
