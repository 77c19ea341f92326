"""Memory as clients say it: a number of MiB, or as later ones do an object with what it is and what it may become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.http.refusal import bad
from api.http.schema import Schema, integer
from specs.plain import Json

_MOST_MIB: Final = 1 << 24
_CODE: Final = "KCHTMPL0013E"
_NAMES: Final = {"current": "memory", "maxmemory": "max_memory"}  # theirs, and ours


def memory_schema(description: str, least: int) -> Schema:
    """Both forms."""
    return {
        "type": ["integer", "object"],
        "description": f"{description} Or an object: `current`, and `maxmemory` that it could have while it runs.",
        "minimum": least,
        "maximum": _MOST_MIB,
        "properties": {
            "current": integer("MiB.", minimum=least, maximum=_MOST_MIB, x_code=_CODE),
            "maxmemory": integer("MiB at most.", minimum=least, maximum=_MOST_MIB, x_code=_CODE),
        },
        "x-code": _CODE,
    }


def with_plain_memory(body: Json) -> Json:
    """The request with `memory` and `max_memory` as numbers, whichever way it says them. Raises Refusal 400."""
    given = body.get("memory")
    if not isinstance(given, Mapping):
        return body
    if not given or given.keys() - _NAMES.keys():
        raise bad("KCHTMPL0030E", "`memory` is a number of MiB, or an object of `current`, `maxmemory` or both.")
    plain = {key: value for key, value in body.items() if key != "memory"}
    for theirs, ours in _NAMES.items():
        if theirs in given:
            if plain.get(ours, given[theirs]) != given[theirs]:
                raise bad("KCHTMPL0031E", f"`{ours}` and `memory/{theirs}` are one number; give it once.")
            plain[ours] = int(given[theirs])
    return plain
