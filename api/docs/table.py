"""Every address and method of the API, who may use it, and since when it has been there: from the declarations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from operator import itemgetter

from api.http.access import machine_in, owner_may
from api.http.endpoint import OURS, Endpoint, Resource, endpoints

_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
_METHODS = ("GET", "POST", "PUT", "DELETE")

_INTRODUCTION = """\
# Every address

What answers, from which role on, since which version of the original API it has been there, and what it is for. What
a role may do, the next one may too: user, viewer, operator, admin; who has which is in [access.md](access.md#roles).
Where it says *its owner*, whoever a machine's document names as who may use it may, whatever their role; for another
user it isn't there. A list for users shows what is theirs alone. For operators and owners what a change leaves is
judged too, not the address alone. 1.5 is the specification that this API follows to the letter; what is of a later
version has its names there; *onggi* is ours alone. Each may be called with `/plugins/kimchi` before it, as later
versions have it. Types, fields and errors are in `/openapi.json`, and for reading at `/docs`; where we differ on
purpose is in [api.md](api.md#where-we-differ-and-why).

| address | method | role | since | |
|---|---|---|---|---|
"""


def api_table(classes: Iterable[type[Resource]]) -> str:
    """The page."""
    rows = []
    for resource in classes:
        for endpoint in endpoints(resource).values():
            path = _PARAMETER.sub(r"{\1}", f"{resource.address}/{endpoint.name}" if endpoint.name else resource.address)
            rows.append((path, _METHODS.index(endpoint.method), _row(path, endpoint, resource)))
    return _INTRODUCTION + "\n".join(row for *_, row in sorted(rows, key=itemgetter(0, 1))) + "\n"


def since(resource: type[Resource], endpoint: Endpoint) -> str:
    """The version of the original in which a method of an address came, as one of the two declares it."""
    return endpoint.since or resource.since


def _row(path: str, endpoint: Endpoint, resource: type[Resource]) -> str:
    version = since(resource, endpoint)
    who = f"{endpoint.least}, its owner" if machine_in(path, resource) and owner_may(endpoint) else endpoint.least
    told = f"*{version}*" if version == OURS else version
    summary = " ".join(f"{endpoint.summary} {endpoint.theirs}".split()).replace("|", "\\|")
    return f"| `{path}` | {endpoint.method} | {who} | {told} | {summary} |"
