"""What every answer that is no success says: `{"code": "404 Not Found", "reason": "CODE: sentence"}`, whoever gives it.

Clients choose by the code what they show. A part that knows Kimchi's code for what went wrong gives it; else it is the
one for what the endpoint was doing (`Endpoint.failure`), else the one for the status. Kimchi has none for some; those
are called ONGGI with the status.
"""

from __future__ import annotations

import re
from typing import Any, Final

import falcon

_CODED: Final = re.compile(r"[A-Z]{4,12}[0-9]{4}E: ")
_BY_STATUS: Final = {"400": "KCHAPI0008E", "403": "KCHAPI0009E", "404": "KCHOBJST0001E", "415": "KCHAPI0007E"}
_BY_METHOD: Final = {"DELETE": "KCHAPI0002E", "PUT": "KCHAPI0003E", "PATCH": "KCHAPI0003E", "POST": "KCHAPI0005E"}
_OF_THE_WORK: Final = frozenset({"400", "409", "500", "501", "503"})  # what an endpoint's own work can end with
_FAILURE: Final = "onggi_failure"


def error_body(status: str, reason: str, *, method: str = "", failure: str = "") -> dict[str, str]:
    """The body. `status` is the status line's text; `reason` a sentence, behind its code where it has one already."""
    if _CODED.match(reason) is None:
        number = status[:3]
        code = failure if failure and number in _OF_THE_WORK else _code(number, method)
        reason = f"{code}: {reason}"
    return {"code": status, "reason": reason}


def error_body_of(request: falcon.Request, status: str, reason: str) -> dict[str, str]:
    """The same for a request: what an endpoint couldn't do has the code that the endpoint declares."""
    return error_body(status, reason, method=request.method, failure=getattr(request.context, _FAILURE, ""))


def failing_as(request: Any, failure: str) -> None:
    """From here on the endpoint itself is at work: what fails without a code of its own is `failure`."""
    setattr(request.context, _FAILURE, failure)


def _code(status: str, method: str) -> str:
    if status == "405" and method in _BY_METHOD:
        return _BY_METHOD[method]
    return _BY_STATUS.get(status) or f"ONGGI0{status}E"
