"""/logout: the end of a session."""

from __future__ import annotations

from api.http.authentication import know
from api.http.endpoint import ANYBODY, EMPTY, OURS, Answer, Call, Resource, post
from api.http.session_cookie import cookies_of_none, session_token


class Logout(Resource):
    """Where sessions end."""

    address = "/logout"
    tag = "Service"
    since = OURS

    @post("Log out: the session is over at once.", EMPTY, EMPTY, status=200, blocking=False, role=ANYBODY)
    async def log_out(self, call: Call) -> Answer:
        """The same for who isn't logged in."""
        if (logins := self.services.logins) is not None and (token := session_token(call.request)) is not None:
            if (session := logins.sessions.find(token)) is not None:
                know(call.request, session.who)
            logins.sessions.close(token)
        return Answer({}, cookies=tuple(cookies_of_none()))
