"""Who may make which change of documents, by what it leaves and not by the request that it came with.

Whoever works with machines that are there changes how they run. Whatever reaches beyond one machine is an
administrator's: another object, a device, a file or an address of the host's, who may use it, where its console
listens. So is all that isn't known here. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from reconciler.errors import Forbidden
from reconciler.identity.role import Role
from reconciler.serving.machine_items import items_of
from reconciler.writing.changes import DocumentChange, Documents, Put, Remove
from specs.plain import DocumentData
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from specs.virtualmachine.compute.staged import ANNOTATION as NEXT_BOOT

_ONES_OWN: Final = frozenset({
    "autostart", "bootDevices", "bootMenu", "cpuTopology", "cpus", "description", "maximumCpus", "maximumMemory",
    "memory", "paused", "runStrategy", "title",
})  # fmt: skip
_PASSWORD: Final = frozenset({"passwordFrom", "passwordValidTo"})  # of the console; only a file that the API keeps
_PLACED: Final = frozenset({"disks", "interfaces"})  # lists of which only the order of booting is one's own
_OUTSIDE: Final = ("path", "url")  # of a CD-ROM: no volume


class Rights(Protocol):
    """What somebody may do with which object."""

    def role_on(self, ref: Ref, /) -> Role:
        """Their role there."""

    def owns(self, machine: Ref, /) -> bool:
        """Whether a machine is theirs."""


def require(role: Role, least: Role, what: str) -> None:
    """Raises Forbidden for a role that doesn't suffice. `what` begins a sentence: An image from an address."""
    if role < least:
        raise Forbidden(f"{what} needs the role {least}, and yours is {role}; ask an administrator.")


def check_within(
    rights: Rights,
    changes: Sequence[DocumentChange],
    documents: Documents,
    before: Callable[[Ref], DocumentData],
) -> None:
    """Raises Forbidden for more than somebody may do with each object. `before` gives a document, or what stands for
    one.
    """
    for change in changes:
        role = rights.role_on(change.ref)
        if role >= Role.ADMIN or _removes_ones_own(rights, change, changes):
            continue
        if role < Role.OPERATOR or not isinstance(change, Put) or change.was or change.ref.kind != VIRTUAL_MACHINE:
            raise _forbidden(role, str(change.ref))
        old = before(change.ref)
        if _told(old) != _told(change.document):
            raise _forbidden(role, f"the metadata of {change.ref}")
        _check_spec(role, change, old, documents)


def _removes_ones_own(rights: Rights, change: DocumentChange, changes: Sequence[DocumentChange]) -> bool:
    """A machine's owner may remove it, and with it the volumes with documents of their own that are called after it."""
    if not isinstance(change, Remove):
        return False
    if change.ref.kind == STORAGE_VOLUME:
        return any(
            change.ref.short_name.startswith(f"{each.ref.name}-") and _removes_ones_own(rights, each, changes)
            for each in changes
            if each.ref.kind == VIRTUAL_MACHINE
        )
    return rights.role_on(change.ref) >= Role.OPERATOR and rights.owns(change.ref)


def _check_spec(role: Role, change: Put, old: DocumentData, documents: Documents) -> None:
    was, now = old.get("spec") or {}, change.document.get("spec") or {}
    for key in sorted(was.keys() | now.keys()):
        if was.get(key) == now.get(key) or key in _ONES_OWN:
            continue
        if key == "graphics" and _without(was.get(key), _PASSWORD) == _without(now.get(key), _PASSWORD):
            continue
        if key in _PLACED and _unordered(was.get(key)) == _unordered(now.get(key)):
            continue
        if key == "cdroms" and _outside(now.get(key)) <= _outside(items_of(old, documents, key)):
            continue
        raise _forbidden(role, f"`{key}` of {change.ref}")


def _told(document: DocumentData) -> dict[str, Any]:
    """Everything but the spec, and what waits for the next boot."""
    metadata = dict(document.get("metadata") or {})
    annotations = _without(metadata.pop("annotations", None), frozenset({NEXT_BOOT}))
    rest = {key: value for key, value in document.items() if key not in ("metadata", "spec")}
    return {**rest, "metadata": metadata, "annotations": annotations}


def _without(value: Any, keys: frozenset[str]) -> Any:
    """A mapping without these keys, nothing as an empty one; what is none, as it is."""
    if value is None or isinstance(value, Mapping):
        return {key: each for key, each in (value or {}).items() if key not in keys}
    return value


def _unordered(items: Any) -> list[Any]:
    return [_without(item, frozenset({"bootOrder"})) for item in items or ()]


def _outside(items: Any) -> set[tuple[str, str]]:
    return {(key, str(item[key])) for item in items or () for key in _OUTSIDE if key in item}


def _forbidden(role: Role, what: str) -> Forbidden:
    return Forbidden(f"Changing {what} needs the role {Role.ADMIN}, and yours is {role}; ask an administrator.")
