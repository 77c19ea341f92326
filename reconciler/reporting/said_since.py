"""What a person has said after the last pass, laid over the statuses that it left: who asks right after `onggi suspend`
shall not read that nothing is suspended, also when no agent runs that would look. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.ledger.records import ObjectStatus
from reconciler.planning.ownership import Owned
from reconciler.status.condition import Condition
from reconciler.status.status import READY, SUSPENDED, resume_command
from reconciler.status.suspension import ANYTHING, Suspensions
from specs.reference import Ref


def said_since(
    statuses: Iterable[ObjectStatus], suspensions: Suspensions, owned: Mapping[Ref, Owned]
) -> list[ObjectStatus]:
    """The statuses with the suspensions that hold now; those of what was resumed wait for a pass."""
    return [_one(status, suspensions, owned) for status in statuses]


def _one(status: ObjectStatus, suspensions: Suspensions, owned: Mapping[Ref, Owned]) -> ObjectStatus:
    entry = owned.get(status.ref)
    parent = entry.parent if entry is not None else None
    said = next((each for each in (status.ref, parent, ANYTHING) if each in suspensions), None)
    known = any(item.type == SUSPENDED for item in status.conditions)
    if said is None and known:
        message = "resumed; the next pass tells how it is"
        others = tuple(item for item in status.conditions if item.type not in (READY, SUSPENDED))
        return replace(status, conditions=(_condition(status, READY, "Progressing", message), *others))
    if said is None or known:
        return status
    why = f" ({suspensions[said]})" if str(suspensions[said]) else ""
    command = resume_command(said, None, suspensions)
    message = f"left alone{why} until it is resumed: {command}"
    others = tuple(item for item in status.conditions if item.type != READY)
    return replace(
        status,
        conditions=(
            _condition(status, READY, SUSPENDED, message),
            Condition(SUSPENDED, True, "ByUser", message, status.revision),
            *others,
        ),
    )


def _condition(status: ObjectStatus, kind: str, reason: str, message: str) -> Condition:
    return Condition(kind, False, reason, message, status.revision)
