"""Decides what a running VM is told at once, and what waits for its next boot.

The definition is changed by the same step, so that both agree. What waits is no error and holds nothing up: neither the
other changes of the same commit, nor those of later ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.context import Context
from reconciler.planning.diff import Comparison
from reconciler.planning.operations import EditLive
from reconciler.planning.plan_options import RefusedEdit
from reconciler.planning.virtualmachine.console_password import device_slots
from specs.binding import parse
from specs.effect import Change, Effect
from specs.host import Feature
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine import live

# Live verbs that need no hot-plug support of the connection.
_ALWAYS_LIVE = frozenset({"memory", "vcpus", "stats", "title", "description"})

NO_HOTPLUG = "this connection can't change devices of a running machine"
STANDS_STILL = "comes true as soon as the machine's CPUs go on: a guest that stands still gives no memory back"


def postponed(comparison: Comparison, fields: frozenset[str]) -> Comparison:
    """The same, with the changes of `fields` put off to the next boot, as their document asks."""
    if not fields:
        return comparison

    def put_off(change: Change) -> Change:
        if change.effect is Effect.LIVE and change.pointer.removeprefix("/") in fields:
            return replace(change, effect=Effect.NEXT_BOOT)
        return change

    return replace(comparison, config=tuple(map(put_off, comparison.config)), live=tuple(map(put_off, comparison.live)))


def live_only(comparison: Comparison) -> list[Change]:
    """What the running machine lacks although its definition is right: an earlier change didn't get through."""
    known = {change.pointer for change in comparison.config}
    return [change for change in comparison.live if change.effect is Effect.LIVE and change.pointer not in known]


def without_followed(changes: Iterable[Change], comparison: Comparison, waiting: Iterable[Change]) -> list[Change]:
    """Without what only the running machine lacks and was told already: nobody changed it, and nothing is done now."""
    defined = {change.pointer for change in comparison.config}
    told = {change.pointer for change in waiting if change.effect is Effect.LIVE} - defined
    return [change for change in changes if change.pointer not in told]


def live_edits(
    resource: Resource, observed: Observed, context: Context, comparison: Comparison, renewed: Change | None = None
) -> tuple[list[EditLive], tuple[Change, ...]]:
    """The edits of the running machine in an order in which they don't wait for each other, and the changes that wait.

    `renewed` is the console's password, which can't be compared, when it has to be said again.
    """
    if observed.live_xml is None:
        return [], ()
    changes = [*comparison.live, *([renewed] if renewed is not None and renewed.effect is Effect.LIVE else ())]
    waiting = [change for change in changes if change.effect is not Effect.LIVE]
    root = parse(observed.live_xml)
    run = root.get("id") or ""
    edits: list[EditLive] = []
    for change in changes:
        if change.effect is not Effect.LIVE:
            continue
        if change.pointer == "/memory" and observed.state == "paused":
            waiting.append(replace(change, effect=Effect.LIVE, note=STANDS_STILL))
            continue
        found = [
            EditLive(resource.ref, edit.verb, edit.value, device_slots(resource) if edit.password else ())
            for edit in live.live_edits(MACHINES.lowered(comparison.lowered), root, [change], comparison.earlier)
        ]
        refused = next((known for edit in found if (known := context.options.refused_edits.get((edit, run)))), None)
        if not context.host.can(Feature.DEVICE_HOTPLUG) and any(edit.verb not in _ALWAYS_LIVE for edit in found):
            refused = RefusedEdit(NO_HOTPLUG)
        if refused is not None:
            effect = Effect.NEXT_BOOT if refused.until_boot else Effect.LIVE
            waiting.append(replace(change, effect=effect, note=refused.why))
        else:
            edits.extend(edit for edit in found if edit not in edits)
    return in_order(edits), tuple(waiting)


def in_order(edits: list[EditLive]) -> list[EditLive]:
    """What may have to wait for the guest goes last, but a device that comes needs the name of one that goes."""
    leaving = {name for edit in edits if edit.verb == "detach" and (name := _device_name(edit))}

    def rank(edit: EditLive) -> int:
        if edit.verb == "attach":
            return 3 if _device_name(edit) in leaving else 1
        return {"detach": 2, "memory": 4}.get(edit.verb, 0)

    return sorted(edits, key=rank)


def _device_name(edit: EditLive) -> str:
    target = parse(edit.value).find("target")
    return "" if target is None else target.get("dev") or ""
