"""Who asks, and by which request: what commits, events and tasks are signed with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.identity.role import Role
from reconciler.ledger.records import Origin


def _ignored(_revision: str) -> None:
    """For what nobody writes down."""


@dataclass(frozen=True, slots=True)
class Client:
    """`user` is who logged in; `request_id` names the request in commits and logs. Whoever makes one checks both.
    `groups` are the user's, and `role` is what they may do. `peer` is who is at the other end of the connection, an
    address or a user of this machine, on a trusted proxy's word whom it stands for. `read_only`: they came by what
    only lets them look (a token), also where a machine is theirs. `maker` is who made the token that `user` is then.
    """

    user: str
    request_id: str = ""
    role: Role = Role.ADMIN
    groups: frozenset[str] = frozenset()
    peer: str = ""
    read_only: bool = False
    maker: str = ""
    committed: Callable[[str], None] = field(default=_ignored, compare=False, repr=False)  # told each commit of theirs

    def known_as(
        self, user: str, role: Role, groups: frozenset[str], *, read_only: bool = False, maker: str = ""
    ) -> Client:
        """The same request, once it is found out who makes it: `dataclasses.replace` takes several times as long."""
        return Client(user, self.request_id, role, groups, self.peer, read_only, maker, self.committed)

    @property
    def owner(self) -> str:
        """Whose that is which they begin; empty: administrators' alone, also when this one is none any more."""
        return self.user if self.role < Role.ADMIN else ""

    def owns(self, owner: str) -> bool:
        """Whether they may see, go on with and end what `owner` has begun."""
        return self.role >= Role.ADMIN or owner == self.user != ""

    @property
    def origin(self) -> Origin:
        """The same with all that is known of where it came from."""
        return Origin(self.source, self.peer, self.request_id)

    @property
    def source(self) -> str:
        """Who it was, in the list of events."""
        return f"api:{self.user}"
