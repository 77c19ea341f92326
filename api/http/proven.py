"""Who makes a request, by whatever proves it: the one list of ways, for its admission and for what goes on after it."""

from __future__ import annotations

import falcon.asgi

from api.http.authentication import authenticated
from api.http.bearer import token_of, whose_token
from api.services import Services
from reconciler.identity.sessions import LoggedIn


async def proven(services: Services, request: falcon.asgi.Request, response: falcon.asgi.Response) -> LoggedIn | None:
    """None for who needn't say it: nobody has to log in. Raises Refusal 401, 403 and 429, Transient, and StateError."""
    if (token := token_of(request)) is not None:
        return await whose_token(services.tokens, token, request, response)
    if services.logins is not None:
        return await authenticated(services.logins, request, response)
    return None
