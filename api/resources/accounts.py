"""/users and /groups: whom the host knows, so that a machine can be given to one of them."""

from __future__ import annotations

from typing import Final

from api.http.endpoint import Call, Resource, get
from api.http.refusal import not_found
from api.http.schema import arr, text

_NAMES: Final = arr(text())
_LONGEST: Final = 256


class Users(Resource):
    """Who may log in."""

    address = "/users"
    tag = "Accounts"

    @get(
        "The users who may log in, by name. With _user_id: that one, or 404.", _NAMES, blocking=True, statuses=(404,),
        query={"_user_id": text("A user to look for, also one that isn't listed.", maxLength=_LONGEST)},
    )  # fmt: skip
    def read(self, call: Call) -> list[str]:
        """As the system tells them, or the directory that logins are checked with."""
        accounts = self.serving.host.accounts
        wanted = call.query.get("_user_id")
        if wanted is None:
            return list(accounts.users().names)
        if not accounts.exists(wanted):
            raise not_found("KCHAUTH0004E", f"The user {wanted}")
        return [wanted]


class Groups(Resource):
    """The groups of those."""

    address = "/groups"
    tag = "Accounts"

    @get("The groups, by name; none where users come from a directory.", _NAMES, blocking=True)
    def read(self, _call: Call) -> list[str]:
        """As the system tells them."""
        return list(self.serving.host.accounts.groups().names)
