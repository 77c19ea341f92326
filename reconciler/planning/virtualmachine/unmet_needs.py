"""What a machine does while something that it needs is missing: everything but what needs just that.

Defining, changing and stopping a machine take neither an active network nor a plugged USB device; only its start does.
So its start and its restarts wait, a list with something that can't be had stays as it is on the host, and all the rest
goes on. A disk that is lost also keeps a running machine from being stopped: what it has open is all that is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.context import Context
from reconciler.planning.operations import EditLive, Operation, Start, Stop
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Blocked
from reconciler.planning.storagevolume.loss import DATA_LOST, held_losses
from reconciler.planning.virtualmachine.attached import has_volume
from reconciler.planning.virtualmachine.power import STARTED
from reconciler.planning.why import not_applied
from specs.binding import parse
from specs.plain import NewSpec
from specs.reference import NETWORK, STORAGE_VOLUME, Ref
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.lowering import missing_devices, no_device
from specs.virtualmachine.platform.guest_os import expanded
from specs.virtualmachine.platform.lowering import missing_firmware


@dataclass(frozen=True, slots=True)
class Unmet:
    """What one machine lacks; false when it is nothing."""

    refs: frozenset[Ref] = frozenset()  # volumes and networks
    lost: frozenset[Ref] = frozenset()  # of these, the volumes whose data is lost
    devices: tuple[str, ...] = ()  # of the host, by name
    firmware: str = ""  # a sentence about what the host has none of
    untouched: tuple[str, ...] = ()  # the lists that stay as they are, such as `disks`
    running: bool = False

    def __bool__(self) -> bool:
        return bool(self.refs or self.devices or self.firmware)

    def hinders(self, operation: Operation) -> bool:
        """True for what has to wait until it lacks nothing any more."""
        if isinstance(operation, Start):
            return bool(self)
        if isinstance(operation, Stop):
            return bool(self.lost)
        return isinstance(operation, EditLive) and operation.verb in ("attach", "update") and self._plugs(operation)

    def _plugs(self, edit: EditLive) -> bool:
        source = parse(edit.value).find("source")
        return source is not None and Ref(NETWORK, source.get("network") or "") in self.refs

    def told(self, resource: Resource) -> Blocked | None:
        """What is held back and why; None for what is told where it was found out."""
        if self.lost:
            names = ", ".join(map(str, sorted(self.lost)))
            message = f"{names} is lost, so it isn't started; what can be done is told there"
            if self.running:
                message = (
                    f"{names} is lost. It runs, with what is left of it still open, and is neither stopped nor "
                    "restarted: save that first; what else can be done is told there"
                )
            return Blocked(resource.ref, DATA_LOST, message, resource.path, resource.line)
        if self.devices or self.firmware:
            lacking = " ".join(filter(None, (*map(no_device, self.devices), self.firmware)))
            message = f"{lacking} Until then {resource.ref} isn't started."
            return Blocked(resource.ref, "DependencyNotReady", message, resource.path, resource.line)
        return None

    def managed(self, observed: Observed) -> frozenset[str]:
        """The pointers of an earlier revision that the mark keeps, for the lists that stay as they are."""
        earlier = observed.mark.managed if observed.mark is not None else frozenset()
        return frozenset(pointer for pointer in earlier if pointer.split("/", 2)[1] in self.untouched)

    def record(self, record: Owned, entry: Owned | None) -> Owned:
        """What the ledger holds meanwhile: not that the document was applied, nor that the order to start was."""
        if self.untouched:
            record = not_applied(record, entry)
        before = entry.facts.get(Fact.RUN_STRATEGY) if entry is not None else None
        if (
            not self
            or before == record.facts.get(Fact.RUN_STRATEGY)
            or record.facts.get(Fact.RUN_STRATEGY) not in STARTED
        ):
            return record
        facts = {key: value for key, value in record.facts.items() if key != Fact.RUN_STRATEGY}
        return replace(record, facts=facts | ({Fact.RUN_STRATEGY.value: before} if before is not None else {}))


def unmet_needs(resource: Resource, observed: Observed | None, context: Context, missing: frozenset[Ref]) -> Unmet:
    """What a machine lacks: `missing`, which was found out about others, what of its disks is lost, and devices."""
    lost = held_losses(resource, context)
    devices = missing_devices(MACHINES.declared(resource.spec), context.host)
    declared = MACHINES.declared(resource.spec)
    wanted = expanded(declared, context.host.arch) if observed is None else declared
    firmware = missing_firmware(wanted, context.host)
    if not (lost or devices or missing or firmware):
        return Unmet()
    refs = missing | lost
    lists = {"hostDevices"} if devices else set()
    for name in ("disks", "cdroms", "floppies"):
        if any(
            _volume(drive) in refs and not has_volume(observed, _volume(drive))
            for drive in resource.spec.get(name) or ()
        ):
            lists.add(name)
    active = observed is not None and observed.active
    return Unmet(refs, lost, devices, firmware, tuple(sorted(lists)), active)


def reduced(resource: Resource, observed: Observed | None, lack: Unmet) -> Resource:
    """The resource as it can be had now."""
    if not lack.untouched:
        return resource
    spec = dict(resource.spec)
    if observed is None:
        if lack.devices:
            spec["hostDevices"] = [each for each in spec["hostDevices"] if each.get("device") not in lack.devices]
        for name in {"cdroms", "floppies"} & set(lack.untouched):
            spec[name] = [_emptied(drive) if _volume(drive) in lack.refs else drive for drive in spec[name]]
        return replace(resource, spec=spec)
    spec.pop("hostDevices" if lack.devices else "", None)
    ignored = (*resource.policy.ignore_fields, *(f"/{name}" for name in lack.untouched))
    return replace(resource, spec=spec, policy=replace(resource.policy, ignore_fields=ignored))


def can_be_defined(lack: Unmet) -> bool:
    """Whether a machine that isn't on the host may come there already. Not before its disks: added later they would get
    other places, and a definition that names a volume counts as proof that it was there.
    """
    return "disks" not in lack.untouched


def left(operations: Iterable[tuple[Any, Operation]], lack: Unmet) -> list[tuple[Any, Operation]]:
    """Without what has to wait."""
    return [(change, operation) for change, operation in operations if not lack.hinders(operation)]


def _volume(drive: Any) -> Ref:
    return Ref(STORAGE_VOLUME, str(drive.get("volume") or ""))


def _emptied(drive: Any) -> NewSpec:
    return {key: value for key, value in drive.items() if key != "volume"}
