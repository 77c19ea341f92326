"""What the ledger remembers of a token, apart from how one is made and shown: whoever opens a ledger loads it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is known of a token. Times are RFC 3339; `expires` is empty for one without an end, `used` for one that
    never was, `revoked` for one that counts.
    """

    number: int
    name: str
    role: str
    maker: str
    made: str
    expires: str
    used: str = ""
    revoked: str = ""
    digest: bytes = field(default=b"", repr=False)
