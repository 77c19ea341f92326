"""/login: a session for who proves who they are, and the page where people do."""

from __future__ import annotations

from urllib.parse import quote

import falcon

from api.assets.shell import shell
from api.http.authentication import know, password_proven
from api.http.endpoint import ANYBODY, OURS, Answer, Call, Resource, get, post
from api.http.refusal import Refusal
from api.http.schema import arr, obj, text
from api.http.session_cookie import cookies_of, csrf_token, session_token

_TABS = ("guests", "host", "network", "storage", "templates")  # of Kimchi's page, each of which asks for a role
_ROLES = obj({tab: text() for tab in _TABS})
_WHO = obj(
    {
        "username": text(),
        "groups": arr(text()),
        "roles": _ROLES,
        "role": text("user, viewer, operator or admin."),
        "csrf_token": text("What a page sends as X-CSRF-Token with each request that changes something."),
    }
)
_PASSWORD = obj(
    {
        "username": text(x_code="KCHAUTH0003E", x_message="Specify username to log in.", minLength=1, maxLength=256),
        "password": text(x_code="KCHAUTH0003E", x_message="Specify password to log in.", minLength=1, maxLength=4096),
    },
    required=("username", "password"),
    x_code="KCHAUTH0003E",
    x_message="Specify username and password to log in.",
)


class Login(Resource):
    """Where sessions begin."""

    address = "/login"
    tag = "Service"
    since = OURS

    @get(
        "The page to log in on, for browsers.", text(), content_type="text/html", role=ANYBODY, statuses=(405,),
        other={303: None},
        description="For who wants anything but HTML there is nothing to read: 405.",
    )  # fmt: skip
    def page(self, call: Call) -> Answer:
        """It leads to where its `next` says, if that is here; where people log in at a provider, there."""
        if "text/html" not in (call.request.get_header("Accept") or ""):
            raise falcon.HTTPMethodNotAllowed(["POST"])
        if self.services.oidc is not None:
            then = quote(call.request.get_param("next") or "/", safe="")
            return Answer(
                status=303, content=b"", content_type="text/html", headers={"Location": f"/login/oidc?next={then}"}
            )
        return shell("login")

    @post(
        "Log in: the answer sets a cookie that stands for the session.", _WHO, _PASSWORD, status=200, blocking=False,
        statuses=(401, 403, 404, 429),
        description="A session ends by `/logout`, after 30 minutes without a request, after 12 hours, and when the"
        " account is removed or gets another role. Where nobody has to log in, or not by a password, the answer is"
        " 404.", role=ANYBODY,
    )  # fmt: skip
    async def log_in(self, call: Call) -> Answer:
        """A new session, whatever session the request came with: that one ends."""
        logins = self.services.logins
        if logins is None:
            raise Refusal(404, "Nobody logs in here: the agent's setting auth is none.")
        if logins.hint:
            raise Refusal(404, f"Nobody logs in by a password here. {logins.hint}")
        who = await password_proven(logins, call.request, call.body["username"], call.body["password"])
        know(call.request, who)
        if (before := session_token(call.request)) is not None:
            logins.sessions.close(before)
        role = str(who.role)
        shown = {
            "username": who.identity.name,
            "groups": sorted(who.identity.groups),
            "roles": dict.fromkeys(_TABS, role),
            "role": role,
        }
        session = logins.sessions.open(who)
        return Answer(shown | {"csrf_token": csrf_token(session)}, cookies=tuple(cookies_of(session)))
