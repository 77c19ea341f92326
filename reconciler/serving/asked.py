"""What a write asked for, by which the failure of something else is told apart from its own.

A machine whose start fails takes a change of its memory all the same: who asked for memory is answered for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.planning.plan import Action, Step
from reconciler.writing.changes import DocumentChange, Documents, Put
from specs.plain import DocumentData, Spec
from specs.reference import Ref

Asked = Mapping[Ref, frozenset[str]]  # the fields of the spec that a write changes; absent: all of the object is meant

EVERYTHING: Final[Asked] = {}

# Fields that only onggi itself goes by: no step ever brings them to the host.
_KEPT_HERE: Final = frozenset(
    {
        "access", "defaults", "deletionPolicy", "driftPolicy", "forceStop", "guestOs", "icon", "ignoreFields",
        "osDistro", "osVersion", "restartPolicy", "shutdownTimeout",
    }
)  # fmt: skip
# Fields that reach the host under other names, or in many places.
_WIDE: Final = frozenset({"build", "cloudInit", "pool", "source", "template", "vlan"})
_OF_VOLUMES: Final = frozenset({"cloudInit", "disks", "template"})  # of a machine: what its own volumes are made from


def asked_by(changes: Iterable[DocumentChange], documents: Documents) -> Asked:
    """By the documents as they were before. What is new, renamed or removed is meant as a whole."""
    found: dict[Ref, frozenset[str]] = {}
    for change in changes:
        before = documents.get(change.ref) if isinstance(change, Put) and change.was is None else None
        if isinstance(change, Put) and before is not None and not _is_another(before, change.document):
            found[change.ref] = _differing(before.get("spec") or {}, change.document.get("spec") or {})
    return found


def concerns(step: Step, ref: Ref, fields: frozenset[str]) -> bool:
    """Whether a pending step brings about what was asked of `ref`, whose own or one of whose volumes it is."""
    on_host = fields - _KEPT_HERE
    if step.ref != ref:
        return bool(on_host & _OF_VOLUMES)
    if step.action is not Action.UPDATE or on_host & _WIDE:
        return bool(on_host)
    return any(change.pointer.split("/", 2)[1] in on_host for change in step.changes)


def _is_another(before: DocumentData, after: DocumentData) -> bool:
    old, new = before.get("metadata") or {}, after.get("metadata") or {}
    return any(old.get(key) != new.get(key) for key in ("name", "uid"))


def _differing(before: Spec, after: Spec) -> frozenset[str]:
    return frozenset(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
