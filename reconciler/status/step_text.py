"""What a step does, in one sentence for logs and events: its why, and every field from old to new, in bounds.

The values are those that a plan shows: what is secret isn't among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.planning.plan import Action, Step
from reconciler.status.value_text import is_blob, printable, value_text
from specs.effect import Change

_VALUE: Final = 48
_SHOWN: Final = 8
_UNTOLD: Final = frozenset({"/metadata"})  # our own mark


def step_text(step: Step) -> str:
    """`its document changed: /memory 2048 → 1024`. A new object is told by its why alone."""
    changes = [change for change in step.changes if change.pointer not in _UNTOLD]
    if step.action in (Action.CREATE, Action.DELETE) or not changes:
        return step.why
    return f"{step.why}: {changes_text(changes)}"


def changes_text(changes: Sequence[Change]) -> str:
    """The first fields from old to new, and how many more there are."""
    more = f", and {len(changes) - _SHOWN} more fields" if len(changes) > _SHOWN else ""
    return ", ".join(map(_change, changes[:_SHOWN])) + more


def _change(change: Change) -> str:
    name = printable(change.pointer)
    if is_blob(change.old) or is_blob(change.new):
        return f"{name} {'removed' if change.new is None else 'added' if change.old is None else 'changed'}"
    return f"{name} {value_text(change.old, _VALUE)} → {value_text(change.new, _VALUE)}"
