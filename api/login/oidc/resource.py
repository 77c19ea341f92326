"""/login/oidc: to the provider, and /login/oidc/callback: back from it, with a session.

A browser that another site sends here shows no cookie that is kept to this one (SameSite=Strict), also not to what an
answer leads it on to. So the login itself has a cookie of its own, which comes along and is worth nothing elsewhere,
and what begins the session is a page of this server: where that leads to is asked for by this site.
"""

from __future__ import annotations

import html
import re
from typing import Final

import falcon.asgi

from api.http.audited import note_tried
from api.http.authentication import beside, know, no_role
from api.http.endpoint import ANYBODY, OURS, Resource, raw
from api.http.peer import real_peer
from api.http.refusal import Refusal
from api.http.response_headers import RETURN
from api.http.schema import text
from api.http.session_cookie import cookies_of, only_cookie, session_token
from reconciler.identity.logins import Logins
from reconciler.identity.oidc.flows import KEPT_S
from reconciler.identity.oidc.login import NotProvenError, OidcLogin, Returned

_COOKIE: Final = "__Host-onggi-login"
_OF_ONE_LOGIN: Final = "Path=/; Secure; HttpOnly; SameSite=Lax"
_HERE: Final = re.compile(
    r"/(?![/\\])[!-\[\]-~]{0,1000}"
)  # an address of this server, and no way to read it as another's
_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={then}">'
    '<title>onggi</title><p>You are logged in. <a href="{then}">Go on</a></p></html>'
)


class _Family(Resource):
    tag = "Service"
    since = OURS

    def of(self) -> tuple[Logins, OidcLogin]:
        """How one logs in here. Raises Refusal 404 when it is otherwise."""
        logins, oidc = self.services.logins, self.services.oidc
        if logins is None or oidc is None:
            raise Refusal(404, "Nobody logs in at a provider here: the agent's setting auth isn't oidc.")
        return logins, oidc


class Begin(_Family):
    """Where a login begins."""

    address = "/login/oidc"

    @raw(
        "GET", "Log in at the provider: leads the browser there.", None, status=303, statuses=(400, 404, 503),
        query={"next": text("The address of this server to go on to.", default="/", examples=["/docs"])},
        description="With `--auth oidc`. The browser comes back to `/login/oidc/callback`, which begins a session.",
        role=ANYBODY,
    )  # fmt: skip
    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """A new login, bound to this browser."""
        _, oidc = self.of()
        wanted = request.get_param_as_list("next") or ["/"]
        if len(wanted) > 1 or not _HERE.fullmatch(wanted[0]):
            raise Refusal(400, "next isn't an address of this server; give one that begins with a single `/`.")
        back, peer = f"{request.scheme}://{request.netloc}{RETURN}", real_peer(request)
        begun = await beside(lambda: oidc.begin(back, wanted[0], peer))
        response.append_header("Set-Cookie", f"{_COOKIE}={begun.browser}; {_OF_ONE_LOGIN}; Max-Age={KEPT_S:.0f}")
        response.set_header("Location", begun.url)
        response.status = 303


class End(_Family):
    """Where the provider sends the browser back to."""

    address = RETURN

    @raw(
        "GET", "The end of a login at the provider: a session, and a page that goes on.", None,
        content_type="text/html",
        query={
            "state": text("Which login it is."),
            "code": text("What stands for the proof."),
            "error": text("Why there is none."),
            "iss": text("Which provider it is."),
        },
        statuses=(401, 403, 404, 503), role=ANYBODY,
    )  # fmt: skip
    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """A session, if the provider vouches for somebody who has a role here."""
        logins, oidc = self.of()
        response.append_header("Set-Cookie", f"{_COOKIE}=; {_OF_ONE_LOGIN}; Max-Age=0")
        returned = Returned(
            only_cookie(request, _COOKIE) or "",
            _only(request, "state"),
            _only(request, "code"),
            _only(request, "error"),
            _only(request, "iss"),
        )
        note_tried(request, "somebody of the provider's")
        try:
            identity, then = await beside(lambda: oidc.finish(returned))
        except NotProvenError as error:
            raise Refusal(401, str(error), "KCHAUTH0001E") from None
        note_tried(request, identity.name)
        who = logins.by_word(identity)
        if who is None:
            raise no_role()
        know(request, who)
        if (before := session_token(request)) is not None:
            logins.sessions.close(before)
        for cookie in cookies_of(logins.sessions.open(who, oidc.lasting_s, known_once=True)):
            response.append_header("Set-Cookie", cookie)
        response.content_type = "text/html; charset=utf-8"
        response.text = _PAGE.format(then=html.escape(then))


def _only(request: falcon.asgi.Request, name: str) -> str:
    """A parameter. One that is there twice is refused: two readers could mean another one."""
    values = request.get_param_as_list(name) or [""]
    if len(values) > 1:
        raise Refusal(400, f"{name} is there more than once; begin the login again.")
    return values[0]
