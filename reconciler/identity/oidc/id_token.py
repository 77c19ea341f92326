"""What an ID token proves: that the provider says it, to this client, for the login that was begun, and just now.

The signature is verified by joserfc, with the provider's keys alone: whatever the token names itself (a URL of keys, a
key of its own) isn't looked at. Only algorithms with a public key are taken, so that nobody can sign with what
everybody may read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from specs.plain import Json, NewJson

LEEWAY_S: Final = 60.0  # by which the provider's clock may be another
OLDEST_S: Final = 600.0
MOST_BYTES: Final = 64 * 1024
_LEAST_RSA: Final = 2048  # bits
_KINDS: Final[dict[str, tuple[Any, tuple[str, ...]]]] = {
    "RSA": (RSAKey, ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
    "EC": (ECKey, ("ES256", "ES384", "ES512")),
    "OKP": (OKPKey, ("EdDSA",)),
}
_ALGORITHMS: Final = tuple(name for _, names in _KINDS.values() for name in names)
# What joserfc raises, and Python's own for what is no JSON or no key.
_BAD: Final = (JoseError, ValueError, TypeError, KeyError, RecursionError, AttributeError)


class BadTokenError(Exception):
    """It proves nothing; the text says why, for the log."""


class UnknownKeyError(BadTokenError):
    """It is signed by a key that the provider didn't have when it was asked last."""


class Keys:
    """The provider's public keys, of those that it shows what is of use here."""

    def __init__(self, shown: Iterable[Any]) -> None:
        self._keys: list[tuple[str, str, Any]] = []  # kind, kid, key
        for each in shown:
            if isinstance(each, dict) and (key := _imported(each)) is not None:
                self._keys.append((str(each["kty"]), str(each.get("kid", "")), key))

    def fitting(self, algorithm: str, kid: str) -> list[Any]:
        """Those that may have signed something. Without a `kid` any that could have."""
        return [
            key for kind, its, key in self._keys if algorithm in _KINDS[kind][1] and (not kid or not its or its == kid)
        ]


def verified(text: str, keys: Keys) -> NewJson:
    """The claims. Raises UnknownKeyError, BadTokenError."""
    if len(text) > MOST_BYTES or not text.isascii():
        raise BadTokenError("it is no token")
    try:
        header = jws.extract_compact(text.encode()).headers()
        algorithm, kid = header.get("alg"), header.get("kid", "")
    except _BAD as error:
        raise BadTokenError(f"it can't be read ({type(error).__name__})") from None
    if algorithm not in _ALGORITHMS or not isinstance(kid, str):
        raise BadTokenError("its algorithm isn't taken")
    fitting = keys.fitting(algorithm, kid)
    if not fitting:
        raise UnknownKeyError("it is signed by an unknown key")
    for key in fitting:
        try:
            return jwt.decode(text, key, algorithms=[algorithm]).claims
        except _BAD:
            continue
    raise BadTokenError("its signature is another's")


def check_claims(claims: Json, *, issuer: str, client_id: str, nonce: str, now: float) -> None:
    """Raises BadTokenError for a token that isn't for this client, this login, or this moment."""
    if claims.get("iss") != issuer:
        raise BadTokenError("it is of another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp")
    if client_id not in audiences or (len(audiences) > 1 and party is None) or party not in (None, client_id):
        raise BadTokenError("it is for another client")
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise BadTokenError("it is of another login")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise BadTokenError("it says nobody")
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    if expires <= now - LEEWAY_S:
        raise BadTokenError("it has expired")
    if not now - OLDEST_S <= issued <= now + LEEWAY_S:
        raise BadTokenError("it wasn't made just now")
    if "nbf" in claims and _moment(claims, "nbf") > now + LEEWAY_S:
        raise BadTokenError("it doesn't hold yet")


def check_access_token(claims: Json, algorithm: str, access_token: str) -> None:
    """Raises BadTokenError when the access token beside an ID token is that of another."""
    said = claims.get("at_hash")
    if said is None or algorithm == "EdDSA":
        return
    whole = hashlib.new(f"sha{algorithm[2:]}", access_token.encode()).digest()
    wanted = base64.urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), wanted):
        raise BadTokenError("another access token comes with it")


def algorithm_of(text: str) -> str:
    """By which a token that was verified is signed."""
    return str(jws.extract_compact(text.encode()).headers()["alg"])


def texts(value: object) -> Sequence[str]:
    """The texts of a claim that has one or more."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def _moment(claims: Json, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadTokenError(f"it has no {name}")
    return float(value)


def _imported(shown: dict[str, Any]) -> Any:
    kind, use = shown.get("kty"), shown.get("use", "sig")
    if not isinstance(kind, str) or kind not in _KINDS or use != "sig":
        return None
    try:
        key = _KINDS[kind][0].import_key(shown)
        public = key.public_key
    except _BAD:
        return None
    return key if kind != "RSA" or public.key_size >= _LEAST_RSA else None
