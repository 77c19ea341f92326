"""Reads kinds whose objects are defined and then active or not. A host has few of those, so all are read each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import libvirt

from reconciler.hypervisor.carrying import carried
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_unsupported
from reconciler.hypervisor.found import Found
from reconciler.observed.snapshot import Observed
from specs.reference import Ref

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Family:
    """libvirt's calls for one kind. They differ in little but their names."""

    kind: str
    words: str
    listing: Callable[[libvirt.virConnect, int], list[Any]]
    lookup: Callable[[libvirt.virConnect, str], Any]
    list_active: int
    list_autostart: int
    list_transient: int
    inactive_xml: int
    details: Callable[[Any, Observed | None], Mapping[str, Any]]  # of an active one; of what it was before


def no_details(_each: Any, _before: Observed | None) -> Mapping[str, Any]:
    """Of a kind that has nothing to tell beside its definition."""
    return _NOTHING


def read_all(connections: Connections, family: Family, before: Mapping[Ref, Observed]) -> Found:
    """Every one. Raises Disconnected; one that can't be read is skipped. None where the driver has none."""
    found = Found()
    with connections.lend(f"read the {family.words}") as connection:
        try:
            everything = family.listing(connection, 0)
        except libvirt.libvirtError as error:
            if is_unsupported(error):
                return found
            raise
        if everything:
            active, autostart, transient = (
                frozenset(each.UUID() for each in family.listing(connection, flag))
                for flag in (family.list_active, family.list_autostart, family.list_transient)
            )
            for each in everything:
                uuid = each.UUID()
                states = (uuid in active, uuid in autostart, uuid not in transient)
                _add(found, connection, family, each, before, states)
    return found


def read_some(connections: Connections, family: Family, refs: Iterable[Ref], before: Mapping[Ref, Observed]) -> Found:
    """These alone. One that is gone is in neither result. Raises Disconnected."""
    found = Found()
    with connections.lend(f"read the {family.words}") as connection:
        for ref in refs:
            try:
                each = family.lookup(connection, ref.name)
                states = (bool(each.isActive()), bool(each.autostart()), bool(each.isPersistent()))
            except libvirt.libvirtError as error:
                found.skip(ref, error, connection, before)
                continue
            _add(found, connection, family, each, before, states)
    return found


def persistent_xml(each: Any, inactive: int) -> str:
    """What one will be at its next start. `inactive` is the flag of its kind.

    The test driver keeps one definition for both, and has no flag to ask for.
    """
    try:
        return str(each.XMLDesc(inactive if each.isActive() else 0))
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
            raise
        return str(each.XMLDesc(0))


def _add(
    found: Found,
    connection: libvirt.virConnect,
    family: Family,
    each: Any,
    before: Mapping[Ref, Observed],
    states: tuple[bool, bool, bool],
) -> None:
    ref = Ref(family.kind, each.name())
    found.read(ref, partial(_one, family, each, ref, before.get(ref), states), connection, before)


def _one(family: Family, each: Any, ref: Ref, last: Observed | None, states: tuple[bool, bool, bool]) -> Observed:
    active, autostart, persistent = states
    live = each.XMLDesc(0) if active else None
    config = persistent_xml(each, family.inactive_xml) if persistent else live
    return carried(
        last,
        ref,
        uid=each.UUIDString(),
        xml=config or "",
        live_xml=live,
        state="active" if active else "inactive",
        autostart=autostart,
        persistent=persistent,
        details=family.details(each, last) if active else _NOTHING,
    )
