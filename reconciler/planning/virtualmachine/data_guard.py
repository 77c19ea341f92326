"""The last look at a step before it stands in a plan: does it take a disk with data away from its machine?

`keeping` sees to it that no step does; whoever changes planning finds out here when one does all the same. Such a step
isn't done at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.bulkhead import Failure, contained
from reconciler.observed.snapshot import Observed
from reconciler.planning.context import Context
from reconciler.planning.failed import failed
from reconciler.planning.operations import Define, EditLive, RenameSnapshots
from reconciler.planning.plan import Blocked, Step
from reconciler.planning.virtualmachine.retained_disks import has_data
from specs.escaping import escaped
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.storage.disks import DISKS
from specs.virtualmachine.storage.named_sources import text


def parted(steps: Iterable[Step], let_go: frozenset[Ref], context: Context) -> list[Blocked]:
    """The steps that would cost a machine a disk that nobody let go, as what is held back."""
    found = []
    for step in steps:
        observed = context.snapshot.get(context.renames.present.get(step.ref, step.ref))
        if step.ref.kind != VIRTUAL_MACHINE or observed is None:
            continue
        gone = contained("making sure of its disks", step.ref, observed.xml, _all_lost, step, observed, context)
        if isinstance(gone, Failure):
            found.append(failed(step.ref, gone, step.path, step.line))
        elif lost := sorted(gone - let_go):
            names = ", ".join(volume.name for volume in lost)
            message = (
                f"it would lose the disk {names}, for which nobody asked; nothing is done. Please report this plan"
            )
            found.append(Blocked(step.ref, "DiskWouldBeLost", message, step.path, step.line))
    return found


def _all_lost(step: Step, observed: Observed, context: Context) -> set[Ref]:
    return set(_lost(step, observed, context))


def _lost(step: Step, observed: Observed, context: Context) -> Iterator[Ref]:
    # The disks that are called after a machine which is being renamed have other paths by then, or none that is known.
    renames = [each for each in step.operations if isinstance(each, RenameSnapshots)]
    moved = dict(pair for each in renames for pair in each.paths)
    renamed = {old: new.short_name for new, old in context.renames.formerly.items()} if renames else {}
    for path, volume in _disks(step.ref, observed, context):
        said = escaped(path)
        will_say = {escaped(name) for name in (moved.get(path, path), renamed.get(volume, path))}
        for operation in step.operations:
            # What the definition lacks already is no longer the machine's, and is only unplugged.
            if not _says(observed.xml, said):
                continue
            defined = isinstance(operation, Define) and not any(_says(operation.xml, name) for name in will_say)
            pulled = isinstance(operation, EditLive) and operation.verb == "detach" and _says(operation.value, said)
            if defined or pulled:
                yield volume


def _says(xml: str, path: str) -> bool:
    """Whether an attribute has just this value; libvirt and we quote in different ways."""
    return f"'{path}'" in xml or f'"{path}"' in xml


def _disks(ref: Ref, observed: Observed, context: Context) -> Iterator[tuple[str, Ref]]:
    """What was declared, or is now. A stranger's disk in a list that is declared complete is another matter."""
    resource = context.desired.resources.get(ref)
    complete = resource is not None and "disks" in resource.policy.complete
    labels = frozenset(pointer.removeprefix("/disks/") for pointer in (observed.mark.managed if observed.mark else ()))
    for disk in MACHINES.lowered(observed.config).get("disks") or ():
        path = disk["source"]["network"]["name"] if "network" in disk["source"] else text(disk["source"])
        volume = context.present_at.get(path)
        if volume is None:  # one outside of pools; or one that is gone, of which nothing is left to lose
            label = DISKS.known_as(disk, labels) if DISKS.known_as is not None and labels else None
            if label is None:
                continue
            volume = Ref(STORAGE_VOLUME, label)
        if has_data(disk, volume, context) and (not complete or volume.name in labels):
            yield path, volume
