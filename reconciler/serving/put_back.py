"""What a snapshot brings back with a machine's definition of its time: for who may not give the machine that by hand.

A document is judged before it is committed (`within.py`), and a snapshot holds what no document says any more: a disk
that another machine has by now, a network that this one was taken out of, a device of the host. The agent would take it
away again, when the guest has had it. What is gone may stay gone; what is there may be as it was. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from reconciler.errors import Forbidden
from reconciler.exporting.virtualmachine.unsaid import unsaid
from reconciler.identity.role import Role
from reconciler.observed.snapshot import Observed
from specs.binding import Element, parse, read
from specs.reference import VIRTUAL_MACHINE
from specs.registry import kinds
from specs.virtualmachine.interfaces.connection_fields import CONNECTIONS, NAMED

_DEFINITIONS: Final = ("domain", "inactiveDomain")  # as it ran, or would have started; as it would start again
# Of an interface, beside what it is plugged into: where that leads, what is let through, and what of the host is used.
_WAYS: Final = (
    "portgroup",
    "virtualport",
    "vlan",
    "filter",
    "port",
    "trustGuestRxFilters",
    "rom",
    "backend",
    "targetDev",
)
_REACHES: Final[dict[str, tuple[str, ...]]] = {  # of each item of a list, what leads out of the machine
    "disks": ("source",),
    "interfaces": (*NAMED, *CONNECTIONS, *_WAYS),
    "hostDevices": (),  # all of it
}


def check_put_back(role: Role, name: str, xml: str, now: Observed, may_have: Callable[[str], bool]) -> None:
    """Raises Forbidden for a snapshot, of the description `xml`, with which more comes back than somebody may give a
    machine. `may_have` tells whether they may put the image at a path into a drive.
    """
    if role >= Role.ADMIN:
        return
    check_disks(role, name, xml, now)
    found = _definitions(parse(xml))
    for was in map(_spec, found):
        for key in _REACHES:
            if _reach(was, key) - _reach(now.config, key):
                raise _forbidden(role, name, f"{key} that {now.ref} doesn't have now")
        if _listens(was) - _listens(now.config):
            raise _forbidden(role, name, "a console that listens elsewhere")
        for source in _media(was) - _media(now.config):
            path = orjson.loads(source).get("file")
            if not path or not may_have(str(path)):
                raise _forbidden(role, name, "a medium that isn't there for everybody")
    if found and set(unsaid(found[-1])) - set(unsaid(parse(now.xml))):
        raise _forbidden(role, name, "what no document can say")


def check_disks(role: Role, name: str, xml: str, now: Observed) -> None:
    """Raises Forbidden for a snapshot that is kept in a disk which the machine doesn't have now, too: nobody who may
    not have that can change anything in there.
    """
    if role < Role.ADMIN and any(
        _reach(_spec(each), "disks") - _reach(now.config, "disks") for each in _definitions(parse(xml))
    ):
        raise _forbidden(role, name, f"disks that {now.ref} doesn't have now")


def _definitions(root: Element) -> list[Element]:
    return [each for tag in _DEFINITIONS for each in root.findall(tag)]


def _spec(definition: Element) -> Mapping[str, Any]:
    found: Mapping[str, Any] = read(kinds()[VIRTUAL_MACHINE].xml.BINDS, definition)
    return found


def _reach(spec: Mapping[str, Any], key: str) -> set[bytes]:
    keys = _REACHES[key]
    return {
        _plain({each: item[each] for each in keys if each in item} if keys else item) for item in spec.get(key) or ()
    }


def _media(spec: Mapping[str, Any]) -> set[bytes]:
    return {
        _plain(item["source"]) for key in ("cdroms", "floppies") for item in spec.get(key) or () if item.get("source")
    }


def _listens(spec: Mapping[str, Any]) -> set[str]:
    return {str(spec["graphics"]["listen"])} if (spec.get("graphics") or {}).get("listen") else set()


def _plain(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str)


def _forbidden(role: Role, name: str, what: str) -> Forbidden:
    return Forbidden(
        f"The snapshot {name} holds {what}. That needs the role {Role.ADMIN}, and yours is {role}; "
        "ask an administrator."
    )
