"""One method of one address, declared: what it takes, what it answers, and how it is documented.

A resource is a class with an `address` and methods that are marked `get`, `post`, `put`, `delete` or `action`. Each
takes a `Call` and gives a value, which becomes the answer's JSON, or an `Answer` for more than that. Each declares who
may use it, the least role or ANYBODY; without that its module can't even be imported. Whatever needs the
host, the repository or the disk is marked `blocking` and runs beside the event loop; writes always do. A read that
waits for what others wait for too is a coroutine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, TypeVar

import falcon.asgi

from api.http.keyed_lock import KeyedLock
from api.http.schema import Checked, Schema, obj
from api.services import Services
from reconciler.identity.role import Role
from reconciler.serving.client import Client
from reconciler.serving.serving import Serving
from specs.plain import Json

SPECIFIED: Final = "1.5"  # the version of the original whose specification this API follows
OURS: Final = "onggi"  # what the original never had

JSON: Final = "application/json"
ANYBODY: Final = None  # the role of what asks nobody who they are
ANYTHING: Schema = {}
EMPTY: Schema = obj({}, closed=False)

WithActions = Callable[[Schema | None, Any], Any]

_F = TypeVar("_F", bound=Callable[..., Any])
_MARK = "_onggi_endpoint"
_UNSAID: Any = object()


class NoRoleError(Exception):
    """Something doesn't declare who may use it, so that it isn't served; the sentence names it."""

    def __init__(self, what: str) -> None:
        roles = ", ".join(f"Role.{role.name}" for role in Role)
        super().__init__(f"{what} doesn't declare who may use it; give it a `role`: {roles} or ANYBODY")


class NotTheirsError(NoRoleError):
    """Users may use something which doesn't say how it keeps to what is theirs, so that it isn't served."""

    def __init__(self, what: str) -> None:
        Exception.__init__(
            self,
            f"{what} is for users and doesn't say what it shows them; have it leave out what "
            "`serving.sight(call.client)` doesn't see, and say so in a sentence as `theirs`",
        )


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was checked. `body` is {} when there is none, `query` has the declared parameters that came."""

    body: Json
    query: Mapping[str, str]
    client: Client
    request: falcon.asgi.Request


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with more than a value. `location` goes with 303, percent-encoded here; `content` is sent as it is."""

    value: Any = None
    status: int = 200
    location: str = ""
    content: bytes | None = None
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The declaration. `volatile` are keys of the answer that change by themselves: If-Match doesn't go by them.

    `body` None: none is read. `query` holds the parameters beginning with `_`; with `filters` every other one filters
    the list by a field. `name` is an action's. `statuses` are the errors that it documents besides those of all. `role`
    is the least one that may use it, ANYBODY for what is public. Who owns the machine that it is about counts as
    an operator; with `owners` they may use it also where that doesn't suffice. What is open to
    users says in a sentence what of all it shows them (`theirs`).
    """

    method: str
    summary: str
    returns: Schema | None
    role: Role | None
    status: int = 200
    name: str = ""
    body: Checked | None = None
    form: Schema | None = None  # a body of multipart/form-data, which a raw one reads by itself
    query: Mapping[str, Schema] = field(default_factory=dict)
    filters: bool = False
    blocking: bool = True
    statuses: tuple[int, ...] = ()
    volatile: frozenset[str] = frozenset()
    content_type: str = JSON
    also: tuple[str, ...] = ()  # further types that a raw one answers with when it is asked for them
    description: str = ""
    raw: bool = False  # a falcon responder of its own, documented here
    failure: str = ""  # Kimchi's code for what it couldn't do: `Unable to start virtual machine`
    if_match: bool = False  # a raw write that goes by it too, with `as_seen`
    since: str = ""  # the version of the original that had it first, or OURS; empty: as the whole resource
    owners: bool = False
    theirs: str = ""
    other: Mapping[int, Schema | None] = field(default_factory=dict)  # further good answers: 303 after a rename, ...

    @property
    def tells_version(self) -> bool:
        """Whether its answer says which version of a resource somebody has seen: a page for people doesn't."""
        return self.method == "GET" and not self.name and not self.raw and self.content_type == JSON

    @property
    def least(self) -> str:
        """Who may use it, in a word."""
        return "anybody" if self.role is ANYBODY else str(self.role)


class Resource:
    """One address, and its actions below it. A new one is made for the application, not for each request."""

    address: ClassVar[str] = ""  # a URI template; empty: an abstract class
    tag: ClassVar[str] = ""  # the family that it is documented with
    machine_variable: ClassVar[str] = ""  # that names the machine it is about; below /vms/{name} that goes unsaid
    since: ClassVar[str] = SPECIFIED  # of which version of the original its endpoints are that say nothing themselves
    with_actions: WithActions  # names the actions in an answer; set where it is added to an application

    def __init__(self, services: Services) -> None:
        self.services = services
        self.locks = KeyedLock()  # of writes that go by what was seen

    @property
    def serving(self) -> Serving:
        """The agent. Raises Transient while there is none."""
        return self.services.serving


def get(summary: str, returns: Schema, *, role: Role | None = _UNSAID, **more: Any) -> Callable[[_F], _F]:
    """A read. Not `blocking` unless it says so: it answers from what is in memory."""
    return _marked(Endpoint("GET", summary, returns, role, **{"blocking": False, **more}))


def post(
    summary: str,
    returns: Schema | None,
    body: Schema,
    *,
    role: Role | None = _UNSAID,
    fallback: str = "",
    **more: Any,
) -> Callable[[_F], _F]:
    """Makes a member of a collection: 201, or `status`. `fallback` is Kimchi's code for a bad body."""
    checked = Checked(body, *([fallback] if fallback else []))
    return _marked(Endpoint("POST", summary, returns, role, **{"status": 201, **more}, body=checked))


def put(
    summary: str, returns: Schema, body: Schema, *, role: Role | None = _UNSAID, fallback: str = "", **more: Any
) -> Callable[[_F], _F]:
    """Changes a resource."""
    checked = Checked(body, *([fallback] if fallback else []))
    return _marked(Endpoint("PUT", summary, returns, role, **more, body=checked))


def delete(summary: str, *, role: Role | None = _UNSAID, **more: Any) -> Callable[[_F], _F]:
    """Removes a resource: 204, no body."""
    return _marked(Endpoint("DELETE", summary, None, role, **{"status": 204, **more}))


def action(
    name: str,
    summary: str,
    returns: Schema | None,
    *,
    body: Schema | None = None,
    role: Role | None = _UNSAID,
    **more: Any,
) -> Callable[[_F], _F]:
    """POST to the resource's address and `/name`. Without a `body` schema none is ever read."""
    checked = Checked(body) if body is not None else None
    return _marked(Endpoint("POST", summary, returns, role, name=name, body=checked, **more))


def raw(
    method: str, summary: str, returns: Schema | None, *, role: Role | None = _UNSAID, **more: Any
) -> Callable[[_F], _F]:
    """Declares a falcon responder (`async def on_get(self, request, response, ...)`) that answers by itself."""
    return _marked(Endpoint(method, summary, returns, role, raw=True, **more))


def endpoints(resource: type) -> Mapping[str, Endpoint]:
    """A class's declared endpoints by the name of the method that answers."""
    found = {}
    for name in dir(resource):
        if (endpoint := endpoint_of(getattr(resource, name, None))) is not None:
            found[name] = endpoint
    return found


def endpoint_of(function: Any) -> Endpoint | None:
    """What a method declares, or what makes it answer; None for what declares nothing."""
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Endpoint) else None


def marked(function: _F, endpoint: Endpoint) -> _F:
    """The function, as one that does what the declaration says."""
    setattr(function, _MARK, endpoint)
    return function


def _marked(endpoint: Endpoint) -> Callable[[_F], _F]:
    def mark(function: _F) -> _F:
        if not is_role(endpoint.role):
            raise NoRoleError(f"{function.__module__}.{function.__qualname__}")
        if endpoint.role is Role.USER and not endpoint.theirs:
            raise NotTheirsError(f"{function.__module__}.{function.__qualname__}")
        return marked(function, endpoint)

    return mark


def is_role(value: object) -> bool:
    """Whether that says who may use something."""
    return value is ANYBODY or isinstance(value, Role)
