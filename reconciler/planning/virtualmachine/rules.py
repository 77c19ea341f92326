"""What is so of virtual machines, and what planning asks of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.operations import Stop
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.reaching import secret
from reconciler.planning.rules import Assessor, Refused, Rules
from reconciler.planning.storagevolume.loss import held_losses
from reconciler.planning.virtualmachine import machine
from reconciler.planning.virtualmachine.power import DEFAULT_SHUTDOWN_TIMEOUT_S, is_migrated, strategy
from reconciler.planning.virtualmachine.renaming import assess_machine
from reconciler.planning.virtualmachine.revived import close_console, leave_out_taken_drives
from reconciler.planning.virtualmachine.used import machine_uses
from specs.binding import Element
from specs.plain import Spec
from specs.reach import Reach, console_owners
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.platform.consent import without_consent


class MachineRules(Rules):
    """Of virtual machines."""

    kind = VIRTUAL_MACHINE
    stands_alone = True
    root = "domain"
    purpose = True
    spares = True
    always_marked = True
    keeps_volumes = True
    uses_others = True

    def uses(self, observed: Observed, context: Context) -> Iterator[Ref]:
        """Both definitions count: a disk that only the running one has is in use all the same."""
        for spec in filter(None, (observed.config, observed.live)):
            yield from machine_uses(MACHINES.lowered(spec), context.volume_at)

    def defined_uses(self, spec: Spec, context: Context) -> Iterator[Ref]:
        """The volumes, pools and networks that it names."""
        return machine_uses(MACHINES.lowered(spec), context.volume_at)

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
        if "passwordFrom" not in MACHINES.declared(resource.spec).get("graphics", {}):
            close_console(root)
        return "shutoff"

    def assessor(self, context: Context) -> Assessor:
        """Each by itself."""
        return partial(machine.assess, context=context)

    def beside(self, resource: Resource, context: Context) -> tuple[object, ...]:
        """Its volumes, what lies above and below them, what of them is lost, and the devices of the host."""
        host, sources = context.host, context.resource_sources(resource)
        return (
            sources,
            [need in host.volumes for need in resource.depends_on] if sources else (),
            [host.above(each.path) for each in sources if each is not None] if host.overlays else (),
            host.node_devices if "hostDevices" in MACHINES.declared(resource.spec) else None,
            held_losses(resource, context),
        )

    def tells_all(self, observed: Observed, entry: Owned | None) -> bool:
        """One that may run elsewhere waits for a person's word."""
        return not is_migrated(observed, entry)

    def renamed(self, resource: Resource, context: Context) -> Assessment | None:
        """With its disks, once it is off."""
        if resource.ref in context.renames.formerly:
            return assess_machine(resource, context.renames.present.get(resource.ref, resource.ref), context)
        return super().renamed(resource, context)

    def refused(self, resource: Resource, observed: Observed | None, reach: Reach) -> Iterable[Refused]:
        """The secret of its console, and what its host's administrator hasn't agreed to."""
        owners = console_owners(resource.uid, observed.uid if observed is not None else "")
        yield from secret(resource.spec, ("graphics",), owners, reach)
        config = MACHINES.lowered(observed.config if observed is not None else {})
        for field, why in without_consent(MACHINES.declared(resource.spec), config, reach.xml_areas):
            yield (field,), why


RULES = MachineRules()
