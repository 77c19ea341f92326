"""The provider, asked over the network in bounds: what it is, which keys it signs with, what a code stands for.

Whatever it answers late, wrongly or not at all is Transient: nobody logs in then.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

import orjson

from reconciler.errors import Terminal, Transient
from reconciler.identity.oidc.registration import Registration, is_loopback, is_safe
from reconciler.network.addresses import Networks
from reconciler.network.exchange import KIB, Exchange, Patience
from reconciler.network.limits import Limit
from reconciler.version import VERSION
from specs.plain import Json, NewJson

log = logging.getLogger("onggi.oidc")

_PATIENCE: Final = Patience(overall_s=15.0, begin_s=10.0, connect_s=5.0, window_s=5.0, least_bytes_per_s=KIB)
_MOST_BYTES: Final = 512 * KIB
_KEPT_S: Final = 3600.0  # of what it says of itself, and of its keys
_AGAIN_S: Final = 30.0  # between two questions for a key that it doesn't have
_AT_ONCE: Final = Limit(4)
_OK: Final = 200
_REFUSED: Final = range(400, 500)


class RefusedError(Exception):
    """The provider says no: the code isn't one of its own, or was used before."""


@dataclass(frozen=True, slots=True)
class Described:
    """What the provider says of itself."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    by_basic: bool  # it takes the client's secret as a password
    names_itself: bool  # it says who it is when it sends a browser back


class Provider:
    """For any thread; each question may take seconds."""

    def __init__(self, registration: Registration, now: Callable[[], float] = time.monotonic) -> None:
        self._own = registration
        self._now = now
        self._lock = threading.Lock()
        self._described: tuple[Described, float] | None = None
        self._shown: tuple[list[Any], float] | None = None

    def described(self) -> Described:
        """As it was an hour ago at most. Raises Transient."""
        with self._lock:
            kept = self._described
        if kept is not None and self._now() - kept[1] <= _KEPT_S:
            return kept[0]
        found = self._describe()
        with self._lock:
            self._described = found, self._now()
        return found

    def keys(self, *, anew: bool = False) -> list[Any]:
        """Its keys as it shows them. With `anew` they are asked for again, though not all the time."""
        with self._lock:
            kept = self._shown
        age_s = self._now() - kept[1] if kept is not None else float("inf")
        if kept is not None and age_s <= (_AGAIN_S if anew else _KEPT_S):
            return kept[0]
        shown = self._ask("GET", self.described().keys).get("keys")
        if not isinstance(shown, list):
            raise self._wrong("it shows no keys")
        with self._lock:
            self._shown = shown, self._now()
        return shown

    def tokens(self, code: str, verifier: str, back: str) -> NewJson:
        """What a code stands for. Raises RefusedError, Transient."""
        described = self.described()
        try:
            secret = self._own.secret()
        except Terminal as error:
            raise self._wrong(str(error)) from None
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        auth = None
        if secret and described.by_basic:
            auth = quote_plus(self._own.client_id), quote_plus(secret)  # as RFC 6749 wants it (2.3.1)
        else:
            form["client_id"] = self._own.client_id
            if secret:
                form["client_secret"] = secret
        return self._ask("POST", described.token, form=form, auth=auth)

    def userinfo(self, access_token: str) -> NewJson:
        """What else it says of somebody; nothing where it has no place for that. Raises Transient."""
        place = self.described().userinfo
        try:
            return self._ask("GET", place, headers={"Authorization": f"Bearer {access_token}"}) if place else {}
        except RefusedError:
            return {}

    def _describe(self) -> Described:
        said = self._ask("GET", f"{self._own.issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != self._own.issuer:
            raise self._wrong("it calls itself otherwise; give --oidc-issuer exactly as it does")
        within = is_loopback(urlsplit(self._own.issuer).hostname or "")
        places = {}
        for key in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
            place = said.get(key, "" if key.startswith("userinfo") else None)
            if not isinstance(place, str) or (place and not is_safe(place, from_loopback=within)):
                raise self._wrong(f"its {key} is none that is safe")
            places[key] = place
        methods = said.get("token_endpoint_auth_methods_supported")
        return Described(
            places["authorization_endpoint"],
            places["token_endpoint"],
            places["jwks_uri"],
            places["userinfo_endpoint"],
            by_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        )

    def _ask(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> NewJson:
        # Takes a while to load, and only agents with a provider need it.
        from reconciler.network.http import BROKEN, client

        sent = {"User-Agent": f"onggi/{VERSION}", "Accept": "application/json", "Accept-Encoding": "identity"}
        content = bytearray()
        try:
            with (
                _AT_ONCE.turn("The login provider is"),
                Exchange(_PATIENCE) as exchange,
                client(exchange, Networks.anywhere(), headers={**sent, **(headers or {})}) as asking,
                asking.stream(method, url, data=form, auth=auth) as answer,
            ):
                exchange.flows()
                for piece in answer.iter_raw():
                    content += piece
                    if len(content) > _MOST_BYTES:
                        raise self._wrong("it answers with too much")
                status = answer.status_code
        except BROKEN as error:
            raise self._wrong(f"it can't be reached ({type(error).__name__})") from None
        if status in _REFUSED and status not in (408, 425, 429):
            raise RefusedError(_error_of(bytes(content)))
        if status != _OK:
            raise self._wrong(f"it answers {status}")
        found = _object(bytes(content))
        if found is None:
            raise self._wrong("it doesn't answer in JSON")
        return found

    def _wrong(self, what: str) -> Transient:
        log.warning("the login provider %s: %s", self._own.issuer, what)
        return Transient("The login provider can't be asked, so nobody can log in now; the agent's log says why.", 5.0)


def _object(content: bytes) -> NewJson | None:
    try:
        found = orjson.loads(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _error_of(content: bytes) -> str:
    """The provider's word for it, which may stand in a log."""
    said: Json = _object(content) or {}
    word = said.get("error")
    return word if isinstance(word, str) and word.isascii() and word.isprintable() and len(word) <= 64 else "refused"
