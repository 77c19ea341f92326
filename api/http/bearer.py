"""A token that comes with a request says who asks, whatever else would: `Authorization: Bearer onggi_…`.

Also where nobody has to log in, and on the Unix socket: who shows a token that only looks wants no more than that.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import falcon.asgi

from api.http.audited import note_tried
from api.http.peer import real_peer
from api.http.refusal import Refusal
from reconciler.identity.logins import TooManyError
from reconciler.identity.sessions import LoggedIn
from reconciler.identity.tokens import PREFIX, Tokens

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="onggi-token")


def token_of(request: falcon.asgi.Request) -> str | None:
    """What is shown as a token of ours; None for none. Others', such as an identity provider's, aren't our business."""
    scheme, _, value = (request.get_header("Authorization") or "").partition(" ")
    token = value.strip()
    return token if scheme.lower() == "bearer" and token.startswith(PREFIX) else None


async def whose_token(
    tokens: Tokens | None, token: str, request: falcon.asgi.Request, response: falcon.asgi.Response
) -> LoggedIn:
    """Who shows it. Raises Refusal 401 and 429, and StateError."""
    note_tried(request, "a token")
    peer = real_peer(request)
    try:
        who = None
        if tokens is not None:
            who = await asyncio.get_running_loop().run_in_executor(_threads, tokens.who, token, peer)
    except TooManyError as error:
        wait_s = max(1, round(error.wait_s + 0.5))
        raise Refusal(429, f"There were too many wrong tokens; try again in {wait_s} s.") from None
    if who is None:
        response.set_header("WWW-Authenticate", 'Bearer realm="onggi", error="invalid_token"')
        raise Refusal(401, "The token is wrong, was revoked, or has ended; `onggi token list` shows which there are.")
    return who
