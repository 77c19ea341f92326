"""Makes an endpoint answer requests: reads and checks what came, runs the method, writes the answer.

Reads answer inside the event loop, from memory; what is `blocking` runs in a pool of threads beside it.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar
from urllib.parse import quote

import falcon
import falcon.asgi
import orjson

from api.http.access import Access, Rule, check_declared, machine_in, responder_name, suffix
from api.http.action_names import ActionNames
from api.http.body import read_object
from api.http.endpoint import Answer, Call, Endpoint, Resource, endpoints, marked
from api.http.error_body import failing_as
from api.http.filters import filtered
from api.http.peer import real_peer
from api.http.refusal import Refusal
from api.http.schema import Checked, obj
from reconciler.serving.client import Client

JSON_TYPE: Final = "application/json;charset=utf-8"

# Apart, so that writes which wait for the host keep nobody from reading.
_readers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="onggi-read")
_writers = ThreadPoolExecutor(max_workers=32, thread_name_prefix="onggi-write")

_NONE: Final = ActionNames()

_T = TypeVar("_T")

Responder = Callable[..., Awaitable[None]]


def add_resource(
    app: falcon.asgi.App[Any, Any], resource: Resource, actions: ActionNames = _NONE, access: Access | None = None
) -> None:
    """Let `app` answer at the resource's address, and at those of its actions. `actions` knows those of all, `access`
    gets to know who may use what. Raises NoRoleError.
    """
    check_declared(resource)
    names = {""}
    resource.with_actions = actions.value
    for method_name, endpoint in endpoints(type(resource)).items():
        names.add(endpoint.name)
        if not endpoint.raw:
            setattr(resource, responder_name(endpoint), _responder(resource, method_name, endpoint))
        elif endpoint.failure:
            setattr(resource, method_name, _failing(getattr(resource, method_name), endpoint.failure))
        if access is not None:
            template = _address(resource, endpoint.name)
            rule = Rule(endpoint.role, machine_in(template, type(resource)), endpoint.owners)
            access.declare(template, endpoint.method, rule)
    for name in sorted(names):
        app.add_route(_address(resource, name), resource, suffix=suffix(name) or None)


def _address(resource: Resource, action: str) -> str:
    return f"{resource.address}/{action}" if action else resource.address


def _failing(answer: Responder, failure: str) -> Responder:
    @functools.wraps(answer)
    async def respond(request: falcon.asgi.Request, response: falcon.asgi.Response, **params: str) -> None:
        failing_as(request, failure)
        await answer(request, response, **params)

    return respond


def _responder(resource: Resource, method_name: str, endpoint: Endpoint) -> Responder:
    method = getattr(resource, method_name)
    query = Checked(obj(endpoint.query), "KCHAPI0001E", whole="The address's query")

    async def respond(request: falcon.asgi.Request, response: falcon.asgi.Response, **params: str) -> None:
        body = await read_object(request, endpoint.body) if endpoint.body is not None else {}
        parameters, wanted = _parameters(request, endpoint)
        query.check(parameters)
        call = Call(body, parameters, client_of(request), request)
        failing_as(request, endpoint.failure)
        if endpoint.method == "GET":
            answer = await _run(method, endpoint, call, params)
        else:
            async with as_seen(resource, request, params):
                answer = await _run(method, endpoint, call, params)
        if not isinstance(answer, Answer):
            answer = Answer(answer, endpoint.status)
        schema = endpoint.other.get(answer.status, endpoint.returns)
        answer = replace(answer, value=resource.with_actions(schema, answer.value))
        if endpoint.filters:
            answer = Answer(await filtered(answer.value, wanted, real_peer(request)), answer.status)
        _write(request, response, answer, endpoint)

    return marked(respond, endpoint)


async def _run(method: Callable[..., Any], endpoint: Endpoint, call: Call, params: Mapping[str, str]) -> Any:
    if not endpoint.blocking:
        found = method(call, **params)
        return await found if inspect.isawaitable(found) else found
    if endpoint.method != "GET":
        return await write_beside(lambda: method(call, **params))
    return await read_beside(lambda: method(call, **params))


async def read_beside(work: Callable[[], _T]) -> _T:
    """Beside the event loop, among the reads."""
    return await asyncio.get_running_loop().run_in_executor(_readers, work)


async def write_beside(work: Callable[[], _T]) -> _T:
    """Beside the event loop, among the writes: what may take its time."""
    return await asyncio.get_running_loop().run_in_executor(_writers, work)


def client_of(request: falcon.asgi.Request) -> Client:
    """Who asks; found out at its admission."""
    client: Client = request.context.client
    return client


def _parameters(request: falcon.asgi.Request, endpoint: Endpoint) -> tuple[dict[str, str], dict[str, Sequence[str]]]:
    """The parameters of the query that are the endpoint's own, and those that filter by a field."""
    own: dict[str, str] = {}
    wanted: dict[str, Sequence[str]] = {}
    for name in request.params:
        values: list[str] = request.get_param_as_list(name) or [""]
        if name.startswith("_"):
            if endpoint.query or endpoint.filters:
                own[name] = values[-1]
        elif endpoint.query and not endpoint.filters:
            own[name] = values[-1]
        elif endpoint.filters:
            wanted[name] = values
    return own, wanted


# The answer


def _write(request: falcon.asgi.Request, response: falcon.asgi.Response, answer: Answer, endpoint: Endpoint) -> None:
    response.status = answer.status
    for name, value in answer.headers.items():
        response.set_header(name, value)
    for cookie in answer.cookies:
        response.append_header("Set-Cookie", cookie)
    if answer.location:
        response.set_header("Location", request.prefix + quote(answer.location))
    if answer.content is not None:
        response.content_type = answer.content_type
        response.data = answer.content
        return
    if answer.status == falcon.http_status_to_code(falcon.HTTP_204):
        return
    content = to_json(answer.value)
    response.content_type = JSON_TYPE
    response.set_header("Cache-Control", "no-cache")
    if endpoint.method == "GET":
        tag = entity_tag(answer.value, content, endpoint.volatile)
        response.set_header("ETag", tag)
        if _names(request.get_header("If-None-Match") or "", tag):
            response.status = 304
            return
    response.data = content


def to_json(value: Any) -> bytes:
    """The value as JSON, indented as people read it."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


# Versions of a resource


@asynccontextmanager
async def as_seen(resource: Resource, request: falcon.asgi.Request, params: Mapping[str, str]) -> AsyncIterator[None]:
    """For a write: of two who saw the same, the second has to see the first's. `params` are those of the address.

    Raises Refusal 412 when the request has an If-Match, and the resource is another by now.
    """
    expected = request.get_header("If-Match")
    read = _read_of(resource) if expected else None
    if not expected or read is None:
        yield
        return
    async with resource.locks.hold(tuple(params.items())):
        await _check_unchanged(resource, read, expected, request, params)
        yield


def entity_tag(value: Any, content: bytes, volatile: frozenset[str]) -> str:
    """`"kept.whole"`: what If-Match goes by, and what If-None-Match does. The first leaves out what moves by itself."""
    whole = _digest(content)
    if volatile and isinstance(value, Mapping):
        return f'"{_digest(to_json({key: each for key, each in value.items() if key not in volatile}))}.{whole}"'
    return f'"{whole}.{whole}"'


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=10).hexdigest()


def _names(header: str, tag: str) -> bool:
    given = [each.strip().removeprefix("W/") for each in header.split(",")]
    return "*" in given or tag in given


def _read_of(resource: Resource) -> tuple[Callable[..., Any], Endpoint] | None:
    for name, endpoint in endpoints(type(resource)).items():
        if endpoint.tells_version:
            return getattr(resource, name), endpoint
    return None


async def _check_unchanged(
    resource: Resource,
    read: tuple[Callable[..., Any], Endpoint],
    expected: str,
    request: falcon.asgi.Request,
    params: Mapping[str, str],
) -> None:
    """Raises Refusal 412 unless the resource is as the client saw it."""
    method, endpoint = read
    found = await _run(method, endpoint, Call({}, {}, client_of(request), request), params)
    value = resource.with_actions(endpoint.returns, found)
    now = entity_tag(value, to_json(value), endpoint.volatile).strip('"').partition(".")[0]
    given = [each.strip().removeprefix("W/").strip('"') for each in expected.split(",")]
    if "*" not in given and now not in (each.partition(".")[0] for each in given):
        raise Refusal(412, "It has changed since you read it; read it again and decide anew.")
