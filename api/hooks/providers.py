"""How each forge proves that a webhook is its own, and which of its events may mean a new commit.

Proofs are made over the raw bytes, and nothing in a body is ever read: a genuine webhook says that something happened,
and what is true is asked of the repository itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Header = Callable[[str], str | None]  # a header's value by its name, in any case
Secrets = tuple[bytes, ...]

MAX_AGE_S: Final = 300.0
_HEX_DIGEST: Final = hashlib.sha256().digest_size * 2


class NotGenuineError(Exception):
    """Nothing proves that the forge sent this. The text tells who set the webhook up why, and no secret."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One forge's habits.

    `proof(header, body, secrets, now)` raises NotGenuineError. `delivery` are the headers that name one delivery,
    `event` the one that says what happened; `wakes` are the events that may mean a new commit, and `greeting` the one
    that a forge tries the address with. `proves_id`: the proof covers the delivery's id.
    """

    name: str
    proof: Callable[[Header, bytes, Secrets, float], None]
    delivery: tuple[str, ...] = ()
    event: str = ""
    wakes: frozenset[str] = frozenset()
    greeting: str = ""
    proves_id: bool = False

    def delivered(self, header: Header, body: bytes) -> tuple[str, ...]:
        """What this delivery is remembered by: its id where it has one, and what was signed.

        An id alone isn't enough where the proof doesn't cover it: whoever repeats a body can choose another.
        """
        identity = next((value for name in self.delivery if (value := header(name))), "")
        by_id = f"{self.name} id {hashlib.sha256(_wire(identity)).hexdigest()}"
        by_body = f"{self.name} body {hashlib.sha256(body).hexdigest()}"
        if not identity:
            return (by_body,)
        return (by_id,) if self.proves_id else (by_id, by_body)

    def matters(self, header: Header) -> bool:
        """True when the event may mean a new commit, or isn't told."""
        event = header(self.event) if self.event else None
        return event is None or event.casefold() in self.wakes

    def greets(self, header: Header) -> bool:
        """True for a forge's question whether anybody is here."""
        return bool(self.greeting) and header(self.event) == self.greeting


def _signed(name: str, prefix: str) -> Callable[[Header, bytes, Secrets, float], None]:
    """A proof by the header `name`: `prefix` and the HMAC-SHA256 of the body, in hex."""

    def proof(header: Header, body: bytes, secrets: Secrets, _now: float) -> None:
        given = header(name)
        if given is None:
            raise NotGenuineError(f"The header {name} is missing; give the webhook the agent's secret.")
        if not given.startswith(prefix) or len(given) != len(prefix) + _HEX_DIGEST:
            raise NotGenuineError(f"The header {name} isn't {prefix or ''}<HMAC-SHA256 in hex>; check who sends it.")
        digest = _wire(given.removeprefix(prefix).lower())
        _demand(digest, [hmac.new(secret, body, hashlib.sha256).hexdigest().encode() for secret in secrets], name)

    return proof


def _gitlab(header: Header, body: bytes, secrets: Secrets, now: float) -> None:
    """A signature in the manner of Standard Webhooks where there is one, else the plain token."""
    if header("webhook-signature") is not None:
        _standard(header, body, secrets, now)
        return
    token = header("X-Gitlab-Token")
    if token is None:
        raise NotGenuineError("The header X-Gitlab-Token is missing; give the webhook the agent's secret.")
    # Digests are compared, so that not even the length of the secret shows.
    given = hashlib.sha256(_wire(token)).digest()
    _demand(given, [hashlib.sha256(secret).digest() for secret in secrets], "X-Gitlab-Token")


def _standard(header: Header, body: bytes, secrets: Secrets, now: float) -> None:
    identity, stamp = header("webhook-id") or "", header("webhook-timestamp") or ""
    if not identity or not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        raise NotGenuineError("The headers webhook-id and webhook-timestamp belong to a webhook-signature; send them.")
    if abs(now - int(stamp)) > MAX_AGE_S:
        raise NotGenuineError(
            f"The webhook-timestamp is more than {MAX_AGE_S:g} s away; check the clocks, or have it sent anew."
        )
    content = b".".join((_wire(identity), _wire(stamp), body))
    wanted = [base64.b64encode(hmac.new(_key(secret), content, hashlib.sha256).digest()) for secret in secrets]
    signatures = (header("webhook-signature") or "").split(" ")
    given = [_wire(each.removeprefix("v1,")) for each in signatures if each.startswith("v1,")][:8]
    if not sum(hmac.compare_digest(one, other) for one in given for other in wanted):
        raise NotGenuineError("The webhook-signature fits no secret of webhook-secret-file; give both the same.")


def _key(secret: bytes) -> bytes:
    """Standard Webhooks' secrets are written as `whsec_` and base64; others are taken as they are."""
    if secret.startswith(b"whsec_"):
        try:
            return base64.b64decode(secret.removeprefix(b"whsec_"), validate=True)
        except binascii.Error:
            return secret
    return secret


def _demand(given: bytes, wanted: list[bytes], name: str) -> None:
    """Every comparison is made, and each takes as long whether it fits or not."""
    if not sum(hmac.compare_digest(given, each) for each in wanted):
        raise NotGenuineError(f"The header {name} fits no secret of webhook-secret-file; give both the same.")


def _wire(text: str) -> bytes:
    """A header's bytes as they came: servers hand them out as Latin-1."""
    return text.encode("latin-1", "replace")


_PUSHES: Final = frozenset({"push", "create", "delete", "pull_request", "pull_request_sync"})
_DELIVERY_OF_GITEA: Final = ("X-Gitea-Delivery", "X-Forgejo-Delivery")

PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider(
            "github",
            _signed("X-Hub-Signature-256", "sha256="),
            delivery=("X-GitHub-Delivery",), event="X-GitHub-Event", wakes=_PUSHES, greeting="ping",
        ),
        Provider(
            "gitea", _signed("X-Gitea-Signature", ""),
            delivery=_DELIVERY_OF_GITEA, event="X-Gitea-Event", wakes=_PUSHES,
        ),
        Provider(
            "forgejo", _signed("X-Forgejo-Signature", ""),
            delivery=_DELIVERY_OF_GITEA[::-1], event="X-Forgejo-Event", wakes=_PUSHES,
        ),
        Provider(
            "gitlab", _gitlab,
            delivery=("webhook-id", "X-Gitlab-Event-UUID"), event="X-Gitlab-Event",
            wakes=frozenset({"push hook", "tag push hook", "merge request hook", "system hook"}),
            proves_id=True,  # the signature covers it; and who knows the plain token can say anything at all
        ),
        Provider("generic", _signed("X-Signature", "sha256=")),
    )
}  # fmt: skip
