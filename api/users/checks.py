"""What several resources ask about users and groups, in Kimchi's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from api.http.refusal import Refusal, bad
from reconciler.errors import Terminal
from reconciler.host.accounts import Accounts
from specs.plain import Json

_SHOWN: Final = 64


@contextmanager
def refused_as_unavailable() -> Iterator[None]:
    """503 for what a directory refuses the agent: who asks the API can't help it."""
    try:
        yield
    except Terminal as error:
        raise Refusal(503, str(error)) from None


def check_accounts(accounts: Accounts, body: Json) -> None:
    """Refuses `users` and `groups` of a request that there aren't."""
    with refused_as_unavailable():
        user = accounts.missing_user(body.get("users", ()))
        group = accounts.missing_group(body.get("groups", ()))
    if user is not None:
        raise bad("KCHVM0027E", f"The user {user[:_SHOWN]} doesn't exist.")
    if group is not None:
        raise bad("KCHVM0028E", f"The group {group[:_SHOWN]} doesn't exist.")
