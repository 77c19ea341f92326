"""The prefix that later versions of the original put before every address: `/plugins/kimchi/vms` is `/vms`.

It is taken off in front of everything else, so that whatever guards an address guards it under both names; what an
answer redirects to has it again.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from specs.plain import NewJson

PREFIX: Final = "/plugins/kimchi"


def without_prefix(scope: NewJson) -> NewJson:
    """The same request for the address behind the prefix; one without it, or for something else, as it is."""
    path = str(scope["path"])
    if not is_below(path):
        return scope
    raw = bytes(scope.get("raw_path") or b"")
    start = PREFIX.encode()
    return {
        **scope,
        "path": path.removeprefix(PREFIX),
        "raw_path": raw.removeprefix(start) if raw.startswith(start) else quote(path.removeprefix(PREFIX)).encode(),
        "root_path": str(scope.get("root_path") or "") + PREFIX,
    }


def is_below(address: str) -> bool:
    """Whether an address has the prefix. By itself it is the address of a plugin of that name."""
    return address.startswith(f"{PREFIX}/")


def plain(address: str) -> str:
    """An address that a request's body names, without it."""
    return address.removeprefix(PREFIX) if is_below(address) else address


def below(collection: str, member: str) -> str:
    """The pattern of the address of a collection's member, under either name."""
    return f"^(?:{PREFIX})?/{collection}/{member}$"
