"""A virtual machine in Kimchi's words.

What follows from a machine's definition and document is worked out once for as long as both are the same objects; a
list of a thousand machines is then little more than a thousand small dictionaries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from weakref import WeakKeyDictionary

from api.http.isolated import isolated
from api.http.schema import Schema, arr, boolean, integer, number, obj, or_null, text
from api.images.view import icon_of
from api.vms.hardware_view import HARDWARE, hardware
from api.vms.screenshot.view import screenshot_uri
from reconciler.desired.state import Resource
from reconciler.identity.role import Role
from reconciler.loop.passes import World
from reconciler.observed.consoles import console_of
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.observed.statistics import IDLE, MachineStatistics
from reconciler.serving.secrets import Secrets
from reconciler.serving.sight import Sight
from specs.plain import Json, NewJson
from specs.reach import console_owners
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.devices.graphics import NEVER

STATES: Final = ("nostate", "running", "blocked", "paused", "shutdown", "shutoff", "crashed", "pmsuspended")

_FIELDS: Final[dict[str, Schema]] = {
    "name": text("Identifies the machine in this API."),
    "state": text("Where it is in its life.", enum=list(STATES)),
    "stats": obj(
        {
            "cpu_utilization": number("Percent of its processors.", minimum=0, maximum=100),
            "mem_utilization": number("Percent of its memory.", minimum=0, maximum=100),
            "net_throughput": number("kB/s, received and sent.", minimum=0),
            "net_throughput_peak": number("The highest of late, and at least 100.", minimum=0),
            "io_throughput": number("kB/s, read and written.", minimum=0),
            "io_throughput_peak": number("The highest of late, and at least 100.", minimum=0),
        },
        required=(
            "cpu_utilization", "mem_utilization", "net_throughput", "net_throughput_peak", "io_throughput",
            "io_throughput_peak",
        ),
    ),
    "uuid": text("Its UUID."),
    "memory": integer("MiB that it has, or gets at its next start.", minimum=0),
    "cpus": integer("Processors that it has, or gets at its next start.", minimum=0),
    "screenshot": or_null(text("Where a picture of its screen is; null while it doesn't run.")),
    "icon": or_null(text("Where a picture that stands for it is.")),
    "graphics": obj(
        {
            "type": or_null(text("vnc or spice; null without a console.", enum=["vnc", "spice", None])),
            "listen": or_null(text("The address that the console listens on.")),
            "port": or_null(integer("Where it listens; null while the machine doesn't run.")),
            "passwd": or_null(text("The console's password, if set by this API; null for viewers, and in lists.")),
            "passwdValidTo": or_null(integer("Seconds that the password is still valid; null for no limit.")),
        },
        required=("type", "listen", "port", "passwd", "passwdValidTo"),
    ),
    "users": arr(text(), description="Users who may use it, besides administrators."),
    "groups": arr(text(), description="Groups whose members may."),
    "title": text("A short title for people; empty without one."),
    "description": text("What it is for; empty when nobody said."),
    "autostart": boolean("Whether it starts when the host boots."),
    **HARDWARE,
    "access": text("What the one who asks may do with it.", enum=["full"]),
    "persistent": boolean("False for a machine that is gone when it stops."),
}  # fmt: skip
MACHINE: Final[Schema] = obj(_FIELDS, required=tuple(_FIELDS), title="VirtualMachine")

VOLATILE: Final = frozenset({"stats", "screenshot", "graphics"})  # move by themselves: If-Match doesn't go by them

_NO_CONSOLE: Final[Json] = {
    "type": None,
    "listen": None,
    "port": None,
    "passwd": None,
    "passwdValidTo": None,
}


@dataclass(frozen=True, slots=True)
class _Stable:
    """What stays as it is while definition and document do. `secret` is the file of the console's password, and
    `owners` are those as whom the machine may have it.
    """

    resource: Resource | None
    view: Json
    secret: str = ""
    owners: frozenset[str] = frozenset()
    valid_to: datetime | None = None


_known: WeakKeyDictionary[Observed, _Stable] = WeakKeyDictionary()


@lru_cache(maxsize=2)
def machines_of(snapshot: Snapshot) -> tuple[Observed, ...]:
    """Every machine of the host, by name and whatever its case."""
    found = [seen for ref, seen in snapshot.objects.items() if ref.kind == VIRTUAL_MACHINE]
    return tuple(sorted(found, key=lambda seen: (seen.ref.name.casefold(), seen.ref.name)))


def machine_views(world: World, statistics: Mapping[Ref, MachineStatistics], sight: Sight) -> list[NewJson]:
    """All machines that somebody sees. One that can't be told of is left out, and hides no other. No password is in
    what nobody asked for by name, and what scripts write down.
    """
    return isolated(
        sight.of(machines_of(world.snapshot), lambda observed: observed.ref),
        lambda observed: machine_view(world, observed, statistics, None),
        lambda observed: observed.ref,
    )


def machine_view(
    world: World, observed: Observed, statistics: Mapping[Ref, MachineStatistics], secrets: Secrets | None
) -> NewJson:
    """One machine; without `secrets` without its password."""
    resource = world.desired.resources.get(observed.ref)
    stable = _known.get(observed)
    if stable is None or stable.resource is not resource:
        stable = _known[observed] = _stable(observed, resource)
    view = dict(stable.view)
    busy = statistics.get(observed.ref) if observed.active else None
    view["stats"] = _IDLE if busy is None else _stats(busy)
    if stable.secret or stable.valid_to:
        view["graphics"] = {
            **view["graphics"],
            "passwd": secrets.read(stable.secret, stable.owners) if secrets is not None and stable.secret else None,
            "passwdValidTo": _remaining_s(stable.valid_to),
        }
    return view


def shown_to(sight: Sight, view: NewJson) -> NewJson:
    """What somebody sees of it who may: who only looks at it sees no password."""
    if view["graphics"]["passwd"] is None:
        return view
    role = sight.role_on(Ref(VIRTUAL_MACHINE, view["name"]))
    return view if role >= Role.OPERATOR else {**view, "graphics": {**view["graphics"], "passwd": None}}


def _stable(observed: Observed, resource: Resource | None) -> _Stable:
    spec = MACHINES.lowered(observed.live or observed.config)
    declared = MACHINES.declared(resource.spec if resource is not None else {})
    access = declared.get("access", {})
    console = console_of(observed)
    graphics = dict(_NO_CONSOLE)
    secret, valid_to = "", None
    if console is not None:
        graphics |= {"type": console.type, "listen": console.listen, "port": console.port}
        secret = declared.get("graphics", {}).get("passwordFrom", {}).get("file", "")
        if console.valid_to not in (None, NEVER):
            valid_to = datetime.fromisoformat(str(console.valid_to))
    view = {
        "name": observed.ref.name,
        "state": observed.state if observed.state in STATES else "nostate",
        "stats": _IDLE,
        "uuid": observed.uid,
        "memory": int(spec.get("memory") or 0),
        "cpus": int(spec.get("cpus") or 0),
        "screenshot": screenshot_uri(observed),
        "icon": icon_of(declared),
        "graphics": graphics,
        "users": list(access.get("users") or ()),
        "groups": list(access.get("groups") or ()),
        "title": str(spec.get("title") or ""),
        "description": str(spec.get("description") or ""),
        "autostart": observed.autostart,
        **hardware(observed),
        "access": "full",
        "persistent": observed.persistent,
    }
    owners = console_owners(observed.uid, resource.uid if resource is not None else "")
    return _Stable(resource, view, secret, owners, valid_to)


def _stats(busy: MachineStatistics) -> dict[str, float]:
    return {
        "cpu_utilization": busy.cpu_utilization,
        "mem_utilization": busy.mem_utilization,
        "net_throughput": busy.net_throughput,
        "net_throughput_peak": busy.net_throughput_peak,
        "io_throughput": busy.io_throughput,
        "io_throughput_peak": busy.io_throughput_peak,
    }


_IDLE: Final = _stats(IDLE)


def _remaining_s(valid_to: datetime | None) -> int | None:
    return None if valid_to is None else round((valid_to - datetime.now(UTC)).total_seconds())
