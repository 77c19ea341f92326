"""What secrets are to libvirt, which knows them by a UUID and by what they are for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import libvirt

from reconciler.hypervisor.driver import Driver
from reconciler.hypervisor.events import Events
from reconciler.hypervisor.standing import Listed, reader_of
from specs.binding import parse
from specs.reference import SECRET, Ref
from specs.secret.naming import named

if TYPE_CHECKING:
    from reconciler.hypervisor.handlers import Access, KindCommands


def _look_up(connection: libvirt.virConnect, ref: Ref) -> Any:
    found = next((each for name, each in _named(connection.listAllSecrets()) if name == ref.name), None)
    # For want of a call by name: the one that fails as such a call would.
    return found or connection.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_VTPM, ref.name)


def _commands(access: Access) -> KindCommands:
    from reconciler.hypervisor.secret.commands import SecretCommands  # only who does something loads them

    return SecretCommands(access)


def _named(secrets: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return named((parse(each.XMLDesc()), each) for each in secrets)


def _tell(secret: Any) -> str:
    """The name of one that an event is about; of one that is gone already its UUID, and all are read for either."""
    return str(secret.UUIDString())


DRIVER: Final = Driver(
    kind=SECRET,
    look_up=_look_up,
    commands=_commands,
    look_up_uid=libvirt.virConnect.secretLookupByUUIDString,
    reader=reader_of(Listed(SECRET, "secrets", libvirt.virConnect.listAllSecrets, _named)),
    events=(
        Events(
            libvirt.virConnect.secretEventRegisterAny,
            libvirt.virConnect.secretEventDeregisterAny,
            (libvirt.VIR_SECRET_EVENT_ID_LIFECYCLE,),
            name=_tell,
        ),
    ),
)
