"""A plan in short words, one line for each thing that it says, so that a table of cases reads like a specification.

+ lan: define, start          a step, with the plan's own symbol, and what it does in order
! lan InUse                   held back        !? the same, until a person says yes
? lan NeedsApproval           could be done now if a person says yes, and holds nothing else up
… lan /domain                 waits for a restart
≠ lan /domain                 differs, and is only told (`≠ lan /domain (suspended)` of what is left alone)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.planning.operations import (
    CreateVolume,
    Define,
    DefineInterface,
    DefineSecret,
    DeleteVolume,
    EditLive,
    ExtendVolumeGroup,
    GrowVolume,
    Operation,
    ReconnectInterfaces,
    SetAutostart,
    Start,
    Stop,
    TrashVolume,
    UpdateNetwork,
)
from reconciler.planning.plan import Blocked, Plan, Step
from specs.effect import Change


def in_words(plan: Plan) -> list[str]:
    """All that a plan says of objects, in the plan's own order."""
    found = [step_in_words(step) for step in plan.steps]
    found += [blocked_in_words(item) for item in plan.blocked]
    found += [f"? {item.ref.name} {item.reason}" for item in plan.staged]
    found += [f"… {item.ref.name} {_fields(item.changes)}" for item in plan.waiting]
    found += [f"≠ {ref.name} {_fields(changes)}" for ref, changes in plan.drifted]
    found += [f"≠ {ref.name} {_fields(changes)} (suspended)" for ref, changes in plan.suspended]
    return found


def step_in_words(step: Step) -> str:
    """One step, with all that it does."""
    return f"{step.action.value} {step.ref.name}: {done(step.operations)}"


def blocked_in_words(item: Blocked) -> str:
    """One thing that won't be done."""
    return f"{'!?' if item.digest else '!'} {item.ref.name} {item.reason}{item.part}"


def done(operations: Iterable[Operation]) -> str:
    """What is done, in order."""
    return ", ".join(map(_word, operations))


def _fields(changes: Iterable[Change]) -> str:
    return ", ".join(change.pointer for change in changes)


_PLAIN: dict[type[Any], str] = {
    Define: "define", CreateVolume: "make", DeleteVolume: "delete", TrashVolume: "trash", DefineInterface: "bridge",
}  # fmt: skip


def _word(operation: Operation) -> str:
    match operation:
        case Start():
            return "start" + ("+build" if operation.build else "") + (" paused" if operation.paused else "")
        case Stop():
            return "stop by force" if operation.force else "stop"
        case SetAutostart():
            return "autostart" if operation.on else "no autostart"
        case EditLive() | UpdateNetwork():
            what = operation.verb if isinstance(operation, EditLive) else f"{operation.command} {operation.section}"
            return f"live {what}"
        case ReconnectInterfaces():
            return f"reconnect {' '.join(machine.name for machine in operation.machines)}"
        case DefineSecret():
            return f"secret from {operation.source.file or operation.source.env}"
        case ExtendVolumeGroup():
            return f"extend {operation.group} by {' '.join(operation.devices)}"
        case GrowVolume():
            in_guest = f" in {operation.in_use_by.name} {operation.target}" if operation.in_use_by else ""
            return f"grow to {operation.capacity}{in_guest}"
        case _:
            return _PLAIN.get(type(operation)) or type(operation).__name__.lower()
