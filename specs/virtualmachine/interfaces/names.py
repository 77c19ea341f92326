"""What an interface is called, and what it is plugged into, by what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.virtualmachine.interfaces.connection_fields import CONNECTIONS, NAMED

if TYPE_CHECKING:
    from specs.virtualmachine.spec import Interface, LoweredInterface


def connection(interface: Interface | LoweredInterface) -> str:
    """The field that says what it is plugged into; empty where none does."""
    return next((name for name in (*NAMED, *CONNECTIONS) if interface.get(name) is not None), "")


def plugged_into(interface: Interface | LoweredInterface) -> str:
    """By which name people know what it is plugged into; empty where nothing says so."""
    named = interface.get("network") or interface.get("bridge") or interface.get("direct", {}).get("dev")
    return str(named or connection(interface))


def interface_name(interface: Interface | LoweredInterface) -> str:
    """Its own name, or the one that it has by default."""
    return str(interface.get("name") or plugged_into(interface))
