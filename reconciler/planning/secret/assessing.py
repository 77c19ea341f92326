"""Decides about secrets: what they are, as of whatever is defined, and when their value is set.

libvirt isn't asked for a value, and a private one it wouldn't tell. What is remembered is a digest of the value that
was set last, and what is compared is the place where it is kept: a change of that is seen, and one by hand isn't.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import Operation, SecretSource, SetSecretValue
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.standing import Standing
from specs.effect import Change, Effect
from specs.plain import Spec
from specs.secret import KIND as SECRETS

FIELD = "/valueFrom"


class Secrets(Standing):
    """With their values."""

    def new_spec(
        self, resource: Resource, gone: Observed | None, entry: Owned | None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The digest is of the value that will be set."""
        spec, facts = super().new_spec(resource, gone, entry)
        return spec, {**facts, **self._digest(resource)}

    def facts(self, resource: Resource, observed: Observed) -> dict[str, str]:
        """The digest of the value as it will be set, or was set last where none can be read now."""
        entry = self.context.owned.get(resource.ref)
        before = entry.facts.get(Fact.VALUE) if entry is not None else None
        return self._digest(resource) or ({Fact.VALUE: before} if before else {})

    def running(self, observed: Observed, live: Iterable[Change]) -> tuple[Change, ...]:
        """Another value, or none that we have set: then it is tried again and again, and told why it can't be had."""
        resource = self.context.desired.resources.get(observed.ref)
        entry = self.context.owned.get(observed.ref)
        before = entry.facts.get(Fact.VALUE) if entry is not None else None
        if (
            resource is None
            or "valueFrom" not in SECRETS.declared(resource.spec)
            or FIELD in resource.policy.ignore_fields
        ):
            return ()
        if before is not None and self._digest(resource).get(Fact.VALUE, before) == before:
            return ()
        old = "another value" if before else "whatever its value is"
        return (Change(FIELD, old, "the value that is kept there now", Effect.LIVE),)

    def sections(self, resource: Resource, observed: Observed, lowered: Spec) -> list[Operation]:
        """The value, where that is another one."""
        return self._start(resource) if self.running(observed, ()) else []

    def _start(self, resource: Resource) -> list[Operation]:
        secret = SECRETS.declared(resource.spec)
        source = secret.get("valueFrom")
        if source is None:
            return []
        return [SetSecretValue(resource.ref, SecretSource(**source), secret.get("encoding", "text"))]

    def _digest(self, resource: Resource) -> dict[str, str]:
        found = self.context.options.values.get(resource.ref)
        return {Fact.VALUE: found} if found and "valueFrom" in SECRETS.declared(resource.spec) else {}
