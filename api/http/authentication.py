"""Finds out who asks where somebody has to log in: a user of the Unix socket, a password with the request, a session.

Nothing of a request but its head is looked at before it is known whose it is. What doesn't fit is refused in the same
words after the same time.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import grp
import os
import pwd
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import falcon.asgi

from api.http.audited import note_known, note_tried
from api.http.lately import proven_otherwise
from api.http.peer import real_peer, user_of_request
from api.http.proxied import is_of_proxy, vouched_for
from api.http.refusal import Refusal
from api.http.safe_methods import SAFE
from api.http.session_cookie import CSRF_COOKIE, CSRF_HEADER, fits, session_token
from reconciler.identity.identity import Identity
from reconciler.identity.logins import LEAST_S, Logins, NoRoleError, TooManyError
from reconciler.identity.role import Role
from reconciler.identity.sessions import LoggedIn, key_of
from reconciler.identity.twins import Twins
from reconciler.serving.client import Client

_LONGEST: Final = 4096  # of a password
_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="onggi-login")  # apart from all that works
_twins = Twins()

_T = TypeVar("_T")


async def authenticated(logins: Logins, request: falcon.asgi.Request, response: falcon.asgi.Response) -> LoggedIn:
    """Who asks. Raises Refusal 401 for nobody, 403 for who has no role, 429 after many wrong passwords, and Transient
    when accounts can't be asked.
    """
    if is_of_proxy(request):
        return _of_the_proxy(logins, request, response)
    if (user := user_of_request(request)) is not None:
        return await _of_the_socket(logins, user)
    if request.get_header("Authorization") is not None:
        name, password = _basic(logins, request, response)
        return logins.remembered(name, password) or await password_proven(
            logins, request, name, password, keep=True, response=response
        )
    token = session_token(request)
    who = None
    if token is not None:
        who = logins.seen_lately(token)
        if who is None and logins.needs_a_look(token):
            who = await beside(lambda: logins.by_session(token))
    if who is None:
        raise _nobody(logins, request, response)
    if request.method not in SAFE:
        _check_not_forged(request, token)
    return who


async def password_proven(
    logins: Logins,
    request: falcon.asgi.Request,
    name: str,
    password: str,
    *,
    keep: bool = False,
    response: falcon.asgi.Response | None = None,
) -> LoggedIn:
    """Who has this password. With `keep` it is remembered for a while. Raises as `authenticated` does."""
    note_tried(request, name)
    begun = time.monotonic()
    peer = real_peer(request)
    ask = logins.for_a_request if keep else logins.by_password
    try:
        who = await beside(lambda: ask(name, password, peer)) if len(password) <= _LONGEST else None
    except TooManyError as error:
        wait_s = max(1, round(error.wait_s + 0.5))
        raise Refusal(429, f"There were too many wrong passwords; try again in {wait_s} s.") from None
    except NoRoleError:
        raise no_role() from None
    if who is None:
        await asyncio.sleep(max(0.0, begun + LEAST_S - time.monotonic()))
        if response is not None:
            _ask_for_password(logins, request, response)
        raise Refusal(401, "The user name or the password is wrong.", "KCHAUTH0001E")
    return who


def know(request: falcon.asgi.Request, who: LoggedIn) -> Client:
    """From now on it is theirs, in what is committed and written down."""
    known: Client = request.context.client
    identity = who.identity
    _twins.note(identity.name)
    note_known(request)
    client = known.known_as(
        identity.name, who.role, identity.groups,
        read_only=bool(identity.maker) and who.role <= Role.VIEWER, maker=identity.maker,
    )  # fmt: skip
    request.context.client = client
    return client


def session_alone(request: falcon.asgi.Request) -> str | None:
    """The session that says who makes a request; None where something else does."""
    return None if proven_otherwise(request) else session_token(request)


async def still_in_session(logins: Logins, token: str) -> LoggedIn | None:
    """Whose session that is, when it is still one. It doesn't count as used."""
    if logins.needs_a_look(token, counts=False):
        return await beside(lambda: logins.by_session(token, counts=False))
    return logins.by_session(token, counts=False)


def session_of(request: falcon.asgi.Request) -> bytes:
    """What the session is known by that says who makes a request; empty where something else does."""
    token = session_alone(request)
    return b"" if token is None else key_of(token)


async def _of_the_socket(logins: Logins, user: int) -> LoggedIn:
    if user == 0:
        return LoggedIn(Identity("root"), Role.ADMIN)
    identity = await beside(lambda: _account(user))
    who = logins.by_name(identity) if identity is not None else None
    if who is None:
        raise no_role()
    return who


def _of_the_proxy(logins: Logins, request: falcon.asgi.Request, response: falcon.asgi.Response) -> LoggedIn:
    """Never the proxy itself, though it may be a user of the socket."""
    identity = vouched_for(request)
    if identity is None:
        raise _nobody(logins, request, response)
    who = logins.by_word(identity)
    if who is None:
        raise no_role()
    return who


def no_role() -> Refusal:
    """Of somebody who is known, and may do nothing."""
    return Refusal(403, "The account has no role here; an administrator can give one to a group of it.")


def _account(user: int) -> Identity | None:
    try:
        found = pwd.getpwuid(user)
    except KeyError:
        return None
    groups = set()
    for number in os.getgrouplist(found.pw_name, found.pw_gid):
        try:
            groups.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return Identity(found.pw_name, frozenset(groups))


def _basic(logins: Logins, request: falcon.asgi.Request, response: falcon.asgi.Response) -> tuple[str, str]:
    scheme, _, value = (request.get_header("Authorization") or "").partition(" ")
    if scheme.lower() == "basic" and not logins.hint:
        try:
            name, separator, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeError):
            separator = ""
        if separator:
            return name, password
    raise _nobody(logins, request, response)


def _nobody(logins: Logins, request: falcon.asgi.Request, response: falcon.asgi.Response) -> Refusal:
    _ask_for_password(logins, request, response)
    return Refusal(401, f"You have to log in first. {logins.hint}".rstrip(), "KCHAUTH0002E")


def _ask_for_password(logins: Logins, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
    """So that a browser asks its user; not where a page does that by itself."""
    if not logins.hint and request.get_header("X-Requested-With") != "XMLHttpRequest":
        response.set_header("WWW-Authenticate", 'Basic realm="onggi", charset="UTF-8"')


def _check_not_forged(request: falcon.asgi.Request, session: str | None) -> None:
    """That a page of this server makes the request, and none that a browser lends its cookies to. Raises Refusal 403.

    The session's token proves it, and what a browser says of the page, which was looked at when the request was
    admitted. A form of another site can't send the header that the original's clients do.
    """
    token = request.get_header(CSRF_HEADER)
    if token is not None:
        if session is None or not fits(session, token):
            raise Refusal(403, f"The header {CSRF_HEADER} has another session's token; read the cookie {CSRF_COOKIE}.")
    elif not any(request.get_header(name) is not None for name in ("Origin", "Sec-Fetch-Site", "X-Requested-With")):
        raise Refusal(
            403, f"A session's request has to show which page makes it; send {CSRF_HEADER} or X-Requested-With."
        )


async def beside(ask: Callable[[], _T]) -> _T:
    """What may take seconds, beside the event loop and apart from all that works."""
    return await asyncio.get_running_loop().run_in_executor(_threads, ask)
