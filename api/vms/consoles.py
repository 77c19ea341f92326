"""`graphics` as clients send it for a new machine or a template → as documents say it. Null is a console's absence."""

from __future__ import annotations

import ipaddress
from typing import Final

from api.http.refusal import bad
from api.http.schema import obj, or_null, text
from specs.plain import Json, NewJson

CONSOLE: Final = ("type", "listen")  # the keys that the API knows
NO_CONSOLE: Final = "none"  # a document's word for it
_TYPES: Final = ("vnc", "spice")

GRAPHICS_FIELDS: Final = {
    "type": or_null(text("The console's protocol; null for none.", x_code="KCHVM0014E")) | {"enum": [*_TYPES, None]},
    "listen": or_null(text("The IP address on the host that it listens on.", x_code="KCHVM0015E")),
}


def graphics_schema(description: str) -> NewJson:
    """What a client may say of a console."""
    return obj(GRAPHICS_FIELDS, closed=False, description=description)


def check_graphics(graphics: Json) -> None:
    """Raises Refusal 400 for a console that listens nowhere."""
    if graphics.get("listen") is None:
        return
    try:
        ipaddress.ip_address(graphics["listen"])
    except ValueError:
        raise bad("KCHVM0015E", "`graphics/listen` has to be an IPv4 or IPv6 address, such as 127.0.0.1.") from None


def console_words(graphics: Json) -> dict[str, str]:
    """The same in a document's words: what isn't said, or only says where no console would listen, isn't there."""
    if "type" in graphics and graphics["type"] is None:
        return {"type": NO_CONSOLE}
    return {key: str(graphics[key]) for key in CONSOLE if graphics.get(key) is not None}
