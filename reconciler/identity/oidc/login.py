"""A login at the provider, from its beginning to who it was."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from reconciler.identity.elsewhere import BadNameError, vouched
from reconciler.identity.identity import Identity
from reconciler.identity.oidc.flows import Flow, Flows
from reconciler.identity.oidc.provider import Provider, RefusedError
from reconciler.identity.oidc.registration import Registration
from specs.plain import Json, NewJson

log = logging.getLogger("onggi.oidc")

SESSION_S: Final = 3600.0


class NotProvenError(Exception):
    """It doesn't say who somebody is; the sentence may be shown to them."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it has to show when it comes back."""

    url: str
    browser: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What the browser comes back with. Empty texts: it doesn't."""

    browser: str
    state: str
    code: str = ""
    error: str = ""
    issuer: str = ""


class OidcLogin:
    """For any thread; both ends of a login may take seconds. `lasting_s` is how long a session is."""

    def __init__(
        self,
        registration: Registration,
        lasting_s: float = SESSION_S,
        *,
        now: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lasting_s = lasting_s
        self._own = registration
        self._clock = clock
        self._flows = Flows(now)
        self._provider = Provider(registration, now)

    def begin(self, back: str, then: str, peer: str) -> Begun:
        """A new login, that comes `back` here and goes on to `then`. Raises Transient."""
        described = self._provider.described()
        flow, state, browser = self._flows.begin(back, then, peer)
        query = urlencode({
            "response_type": "code",
            "client_id": self._own.client_id,
            "redirect_uri": back,
            "scope": " ".join(self._own.scopes),
            "state": state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        })  # fmt: skip
        separator = "&" if urlsplit(described.authorization).query else "?"
        return Begun(f"{described.authorization}{separator}{query}", browser)

    def finish(self, returned: Returned) -> tuple[Identity, str]:
        """Who it is, and where they wanted to go. Raises NotProvenError, Transient."""
        flow = self._flows.take(returned.state, returned.browser)
        if flow is None:
            raise NotProvenError("This login wasn't begun here by this browser, or it is over; begin again.")
        issuer_fits = returned.issuer == self._own.issuer
        if not issuer_fits and (returned.issuer or self._provider.described().names_itself):
            raise self._refused("another provider sent the browser back")
        if returned.error or not returned.code:
            raise NotProvenError("The login provider didn't let you in; ask whoever administers it.")
        return self._who(self._claims(flow, returned.code)), flow.then

    def _claims(self, flow: Flow, code: str) -> NewJson:
        from reconciler.identity.oidc.id_token import BadTokenError

        try:
            tokens = self._provider.tokens(code, flow.verifier, flow.back)
            return self._proven(flow, tokens)
        except RefusedError as error:
            raise self._refused(f"the provider refuses the code ({error})") from None
        except BadTokenError as error:
            raise self._refused(f"an ID token proves nothing: {error}") from None

    def _proven(self, flow: Flow, tokens: Json) -> NewJson:
        from reconciler.identity.oidc import id_token as token

        text, access = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(text, str):
            raise token.BadTokenError("there is none")
        try:
            claims = token.verified(text, token.Keys(self._provider.keys()))
        except token.UnknownKeyError:  # it may have a new one
            claims = token.verified(text, token.Keys(self._provider.keys(anew=True)))
        token.check_claims(
            claims, issuer=self._own.issuer, client_id=self._own.client_id, nonce=flow.nonce, now=self._clock()
        )
        if isinstance(access, str):
            token.check_access_token(claims, token.algorithm_of(text), access)
            if not {self._own.user_claim, self._own.groups_claim} <= claims.keys():
                more = self._provider.userinfo(access)
                if more.get("sub") == claims["sub"]:
                    claims = {**more, **claims}
        return claims

    def _who(self, claims: Json) -> Identity:
        from reconciler.identity.oidc.id_token import texts

        name = claims.get(self._own.user_claim)
        if not isinstance(name, str):
            raise NotProvenError(
                f"The login provider doesn't say {self._own.user_claim}; have it do so, or choose --oidc-user-claim."
            )
        if self._own.user_claim == "email" and claims.get("email_verified") is not True:
            raise NotProvenError("The login provider hasn't verified your address; have it do so.")
        try:
            return vouched(name, texts(claims.get(self._own.groups_claim)))
        except BadNameError as error:
            raise NotProvenError(str(error)) from None

    def _refused(self, why: str) -> NotProvenError:
        log.warning("a login was refused: %s", why)
        return NotProvenError("That doesn't prove who you are; begin again.")
