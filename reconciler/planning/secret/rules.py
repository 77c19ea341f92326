"""What is so of secrets, and what planning asks of them."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.context import Context
from reconciler.planning.operations import Undefine
from reconciler.planning.ownership import Owned
from reconciler.planning.rules import Assessor, Refused, Removal, Rules
from reconciler.planning.secret.assessing import Secrets
from reconciler.planning.standing import DEFINED
from specs.binding import Element
from specs.reach import Reach
from specs.reference import SECRET, Ref
from specs.secret import KIND as SECRETS


class SecretRules(Rules):
    """Of secrets. Whoever needs one may have it under no name of a document's: nothing is held back for want of one."""

    kind = SECRET
    root = "secret"
    name_at = ""
    value_from = "valueFrom"
    is_optional = True

    def assessor(self, context: Context) -> Assessor:
        """With their values."""
        return Secrets(context)

    def beside(self, resource: Resource, context: Context) -> tuple[object, ...]:
        """The value that is kept for it."""
        return (context.options.values.get(resource.ref),)

    def refused(self, resource: Resource, observed: Observed | None, reach: Reach) -> Iterator[Refused]:
        """Where its value is kept. One that is on the host keeps the value that it has."""
        said = SECRETS.declared(resource.spec).get("valueFrom", {})
        source = {key: str(value) for key, value in said.items()}
        if source and not reach.has_secret(source, ()):
            yield ("valueFrom",), f"valueFrom: {reach.no_secret(source)}"

    def removal(self, entry: Owned, present: Ref, context: Context) -> Removal:
        """Nothing has to be stopped for it."""
        return Removal((Undefine(present, entry.uid),), "its document is gone")

    def revived(self, root: Element, resource: Resource, context: Context) -> str:
        """As it was; its value is set anew."""
        return DEFINED


RULES = SecretRules()
