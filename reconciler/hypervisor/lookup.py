"""Finds the object that an operation is about, and says in one place what "not there" and "not the one we mean" are."""

from __future__ import annotations

from typing import Any

import libvirt

from reconciler.errors import Conflict, NotFound
from reconciler.hypervisor.driver import drivers
from reconciler.hypervisor.failure import is_not_found
from specs.reference import Ref


def find(connection: libvirt.virConnect, ref: Ref) -> Any | None:
    """libvirt's object for `ref`, None when it isn't there. For a volume also when its pool isn't."""
    try:
        return drivers()[ref.kind].look_up(connection, ref)
    except libvirt.libvirtError as error:
        if is_not_found(error):
            return None
        raise


def get(connection: libvirt.virConnect, ref: Ref) -> Any:
    """libvirt's object for `ref`. Raises NotFound."""
    found = find(connection, ref)
    if found is None:
        raise NotFound(f"{ref} isn't on the host any more; the next pass looks what to do about it.")
    return found


def check_uid(ref: Ref, found: Any, uid: str) -> None:
    """Raises Conflict when an object isn't the one with the UUID that is meant."""
    if found.UUIDString().lower() != uid.lower():
        raise Conflict(
            f"{ref} on the host has the UUID {found.UUIDString()}, not {uid}: it is another one of the same name; "
            "rename one of the two."
        )
