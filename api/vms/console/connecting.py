"""What `connect` gives: a ticket by which one machine's console can be opened, once and soon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

import falcon.asgi

from api.http.authentication import session_of
from api.http.endpoint import Call
from api.http.refusal import Refusal, bad
from api.http.responder import client_of
from api.http.schema import Schema, boolean, obj, or_null, text
from api.services import Services
from api.vms.view import MACHINE
from reconciler.clock import rfc3339
from reconciler.identity.role import Role
from reconciler.observed.consoles import console_of, has_serial_line
from reconciler.observed.snapshot import Observed
from reconciler.serving.consoles import TICKET_S, Claim, ConsoleKind, Holder
from specs.plain import Json, NewJson

_KINDS: Final = [str(each) for each in ConsoleKind]

CONNECT: Final = obj(
    {
        "kind": text("What is wanted; without it the screen if it is VNC, else the serial line.", enum=_KINDS),
        "take_over": boolean("Whether a serial line is taken from who has it."),
    },
    closed=False,
)
CONSOLE: Final[Schema] = or_null(
    obj(
        {
            "kind": text("What it shows.", enum=_KINDS),
            "url": text("Where a WebSocket is opened, once: the path and the ticket, on this server."),
            "expires": text("Until when."),
            "read_only": boolean("Whether what is typed and clicked goes nowhere."),
            "password": or_null(text("What the screen asks for, if it does.")),
        },
        required=("kind", "url", "expires", "read_only", "password"),
    )
)
CONNECTED: Final[Schema] = {
    **MACHINE,
    "title": "ConnectedVirtualMachine",
    "properties": {**MACHINE["properties"], "console": CONSOLE},
    "required": [*MACHINE["required"], "console"],
}


def connected(services: Services, call: Call, observed: Observed, view: Json) -> NewJson | None:
    """The console that a call asks for, in the answer's words; None where none was named and there is none now.

    Raises Refusal 400 for one that isn't there, and 409 for a serial line that somebody has.
    """
    serving = services.serving
    wanted = call.body.get("kind")
    kind = _kind(observed, wanted)
    if kind is None or not observed.active:
        if wanted is None:
            return None
        name = observed.ref.name
        if not observed.active:
            raise bad("KCHVM0083E", f"{name} doesn't run, so it has no console now; start it first.")
        raise bad("KCHVM0083E", f"{name} has no {wanted} console; its document says which it has.")
    take_over, client = bool(call.body.get("take_over")), call.client
    line = serving.consoles.line(observed.uid) if kind is ConsoleKind.SERIAL else None
    read_only = serving.sight(client).role_on(observed.ref) < Role.OPERATOR
    if read_only and take_over:
        raise Refusal(403, "Who only looks sends nobody away from a serial line; ask an operator.")
    if line is not None and not take_over:
        raise held_by(observed.ref.name, line.user)
    password = None
    if kind is ConsoleKind.VNC and not serving.hypervisor.hands_over_displays:
        password = view["graphics"]["passwd"]
        if read_only and password is not None:
            raise Refusal(403, "That screen asks for its password, which is told to operators alone; ask one.")
    claim = Claim(observed.uid, kind, holder_of(services, call.request), client, read_only, take_over)
    ticket = serving.consoles.ticket(claim)
    path = f"{call.request.root_path}/vms/{quote(observed.ref.name, safe='')}/console?ticket={ticket}"
    expires = rfc3339(datetime.now(UTC) + timedelta(seconds=TICKET_S))
    return {"kind": str(kind), "url": path, "expires": expires, "read_only": read_only, "password": password}


def holder_of(services: Services, request: falcon.asgi.Request) -> Holder:
    """Who asks, and in which session."""
    user = client_of(request).user
    if services.logins is None:
        return Holder(user)
    return Holder(user, session_of(request))


def held_by(name: str, user: str) -> Refusal:
    """409: a serial line has one reader."""
    return Refusal(409, f"{user} is at the serial line of {name}; take it over (`take_over`), or ask them to leave.")


def _kind(observed: Observed, wanted: str | None) -> ConsoleKind | None:
    console = console_of(observed)
    there = {
        ConsoleKind.VNC: console is not None and console.type == "vnc",
        ConsoleKind.SERIAL: has_serial_line(observed),
    }
    return next((kind for kind, is_there in there.items() if is_there and wanted in (None, str(kind))), None)
