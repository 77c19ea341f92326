"""/groups: the groups of those whom the host knows."""

from __future__ import annotations

from api.http.endpoint import Answer, Call, Resource, get
from api.users.view import NAMES, SOME, listed
from reconciler.identity.role import Role


class Groups(Resource):
    """The groups of those."""

    address = "/groups"
    tag = "Accounts"

    @get(
        "The groups, by name; none where users come from a directory.",
        NAMES,
        description=SOME,
        blocking=True,
        role=Role.ADMIN,
    )
    def read(self, _call: Call) -> Answer:
        """As the system tells them."""
        return listed(self.serving.host.accounts.groups())
