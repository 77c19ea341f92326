"""Defines and undefines objects of any kind that libvirt knows by a name and a UUID, and says which of them start with
the host. What is special about a kind's is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import libvirt

from reconciler.errors import Conflict, Terminal
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.driver import drivers
from reconciler.hypervisor.failure import is_not_found
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.lookup import check_uid, find, get
from reconciler.planning.operations import Define, SetAutostart, Undefine
from specs.binding import serialise, set_text_at, text_at


def _as_it_is(_connection: libvirt.virConnect) -> None:
    """A definition that needs nothing of the host."""


def define(
    connections: Connections,
    given: Given[Define],
    write: Callable[[libvirt.virConnect, str], object],
    *,
    complete: Callable[[libvirt.virConnect], None] = _as_it_is,
    secrets: Iterable[str] = (),
    name_at: str = "name",
) -> None:
    """Define it, or change the definition of the object with the same UUID.

    `write` is libvirt's call; `complete` puts into `given.root` what only the host tells, or raises. `secrets` are in
    it, and in no error; `name_at` is where the name is. Raises Conflict when the name or the UUID belongs to another
    object, which stays as it is.
    """
    operation, root = given.operation, given.root
    ref = operation.ref
    if (name := text_at(root, name_at)) != ref.name:
        raise Terminal(f"the XML for {ref} names {name!r}; please report it.")
    set_text_at(root, "uuid", operation.uid)
    with connections.lend(f"define {ref}", secrets=secrets) as connection:
        complete(connection)
        try:
            write(connection, serialise(root))
        except libvirt.libvirtError:
            _refuse_foreign(connection, operation)
            raise


def _refuse_foreign(connection: libvirt.virConnect, operation: Define) -> None:
    """libvirt itself refuses to mix up two objects; this tells that refusal from all others."""
    existing = find(connection, operation.ref)
    if existing is not None:
        check_uid(operation.ref, existing, operation.uid)
    other = _by_uid(connection, operation)
    if other is not None and other.name() != operation.ref.name:
        raise Conflict(
            f"{operation.ref} can't be defined: its UUID {operation.uid} belongs to {other.name()} on this host; "
            "give one of them another uid."
        )


def _by_uid(connection: libvirt.virConnect, operation: Define) -> Any | None:
    look_up = drivers()[operation.ref.kind].look_up_uid
    try:
        return look_up(connection, operation.uid) if look_up is not None else None
    except libvirt.libvirtError as error:
        if is_not_found(error):
            return None
        raise


def _left_alone(_found: Any) -> None:
    """An object that is as it should be."""


def _is_active(found: Any) -> object:
    return found.isActive()


def never(_found: Any) -> bool:
    """Of what is defined and then neither started nor stopped."""
    return False


def undefine(
    connections: Connections,
    operation: Undefine,
    remove: Callable[[Any], object],
    *,
    first: Callable[[Any], None] = _left_alone,
    is_active: Callable[[Any], object] = _is_active,
) -> None:
    """Remove an inactive object's definition by `remove`, after `first`; gone already is fine.

    Raises Conflict for another object of this name, and for one that was started meanwhile.
    """
    ref = operation.ref
    with connections.lend(f"undefine {ref}") as connection:
        found = find(connection, ref)
        if found is None:
            return
        check_uid(ref, found, operation.uid)
        first(found)
        if is_active(found):
            raise Conflict(f"{ref} was started meanwhile, so it isn't removed; the next pass stops it first.")
        remove(found)


def set_autostart(connections: Connections, operation: SetAutostart) -> None:
    """Whether the host starts it at boot. Raises NotFound."""
    word = "on" if operation.on else "off"
    with connections.lend(f"set the autostart of {operation.ref} {word}") as connection:
        found = get(connection, operation.ref)
        if bool(found.autostart()) != operation.on:
            found.setAutostart(int(operation.on))
