"""What is so of virtual machines, and what planning asks of them."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.operations import Stop
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.rules import Rules
from reconciler.planning.virtualmachine import machine
from reconciler.planning.virtualmachine.power import DEFAULT_SHUTDOWN_TIMEOUT_S, strategy
from reconciler.planning.virtualmachine.revived import close_console, leave_out_taken_drives
from reconciler.planning.virtualmachine.used import machine_uses
from specs.binding import Element
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.spec import Spec


class MachineRules(Rules):
    """Of virtual machines."""

    kind = VIRTUAL_MACHINE
    root = "domain"
    purpose = True
    spares = True
    always_marked = True
    keeps_volumes = True
    uses_others = True

    def uses(self, observed: Observed, context: Context) -> Iterator[Ref]:
        """Both definitions count: a disk that only the running one has is in use all the same."""
        for spec in filter(None, (observed.config, observed.live)):
            yield from machine_uses(spec, context.volume_at)

    def defined_uses(self, spec: Spec, context: Context) -> Iterator[Ref]:
        """The volumes, pools and networks that it names."""
        return machine_uses(spec, context.volume_at)

    def without(
        self, resource: Resource, observed: Observed | None, context: Context, missing: frozenset[Ref]
    ) -> Assessment:
        """Everything but what needs just that."""
        return machine.assess(resource, observed, context, missing)

    def starts(self, resource: Resource) -> bool:
        """Unless its starts are nobody's business here."""
        return strategy(resource) != "Manual"

    def stop(self, entry: Owned, present: Ref) -> Stop:
        """As its document said when it was there."""
        timeout = float(entry.facts.get(Fact.SHUTDOWN_TIMEOUT) or DEFAULT_SHUTDOWN_TIMEOUT_S)
        return Stop(present, timeout, bool(entry.facts.get(Fact.FORCE_STOP)))

    def revived(self, root: Element, resource: Resource, context: Context) -> str:
        """Off, without drives that another machine has by now, and with a console that nobody else reaches."""
        leave_out_taken_drives(root, resource, context)
        if "passwordFrom" not in resource.spec.get("graphics", {}):
            close_console(root)
        return "shutoff"


RULES = MachineRules()
