"""/users: whom the host knows, so that a machine can be given to one of them."""

from __future__ import annotations

from typing import Any, Final

from api.http.endpoint import Call, Resource, get
from api.http.refusal import not_found
from api.http.responder import read_beside
from api.http.schema import obj, text
from api.users.checks import refused_as_unavailable
from api.users.view import NAMES, SOME, listed
from reconciler.identity.role import Role

_ENTRY: Final = obj(
    {}, closed=False, additionalProperties=NAMES, description="What a directory tells of a user, by attribute."
)
_LONGEST: Final = 256
_LONGEST_S: Final = 60.0  # that a request waits for a list


class Users(Resource):
    """Who may log in."""

    address = "/users"
    tag = "Accounts"

    @get(
        "The users who may log in, by name.", {"anyOf": [NAMES, _ENTRY]}, statuses=(404, 501),
        description=f"{SOME} With `_user_id`: that one, or 404; from a directory what it tells of them.",
        query={"_user_id": text("A user to look for, also one that isn't listed.", maxLength=_LONGEST)},
        role=Role.ADMIN,
    )  # fmt: skip
    async def read(self, call: Call) -> Any:
        """As the system tells them, or the directory that they come from."""
        host, wanted = self.serving.host, call.query.get("_user_id")
        with refused_as_unavailable():
            if wanted is None:
                return listed(await host.users(_LONGEST_S))
            entry = await read_beside(lambda: host.accounts.entry(wanted))
        if entry is None:
            raise not_found("KCHAUTH0004E", f"The user {wanted}")
        return entry or [wanted]
