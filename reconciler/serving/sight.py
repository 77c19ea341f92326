"""What one client sees of machines, and what they may do with each: the one place where a document's `access` counts.

Who looks at the host (a viewer, and who may more) sees every machine. A user sees those that their documents give them
or a group of theirs to, and nothing that tells of another. Whoever has a machine so, its owner, works with it as an
operator does, whatever their role. It goes by the documents in force: a machine that somebody has put under a name on
the host isn't that document's, and one whose document is gone or can't be read is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from reconciler.identity.role import Role
from reconciler.loop.passes import World
from reconciler.serving.client import Client
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.virtualmachine import KIND as MACHINES

NOT_TOLD: Final = "An administrator can see why."

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Sight:
    """One client's. `find` gives the world; it is asked when it matters, and may raise Transient then."""

    client: Client
    find: Callable[[], World]

    @property
    def is_whole(self) -> bool:
        """Whether they see all there is: nothing has to be left out."""
        return self.client.role >= Role.VIEWER

    def owns(self, machine: Ref) -> bool:
        """Whether a machine's document names them, or a group of theirs, as who may use it."""
        world = self.find()
        resource = world.desired.resources.get(machine)
        if resource is None or machine.kind != VIRTUAL_MACHINE or not _is_documents(world, machine):
            return False
        access = MACHINES.declared(resource.spec).get("access") or {}
        return self.client.user in (access.get("users") or ()) or not self.client.groups.isdisjoint(
            access.get("groups") or ()
        )

    def role_on(self, ref: Ref) -> Role:
        """What they may do with one object: their role, and with a machine of theirs at least an operator's."""
        role = self.client.role
        least = Role.VIEWER if self.client.read_only else Role.OPERATOR
        return least if role < least and ref.kind == VIRTUAL_MACHINE and self.owns(ref) else role

    def sees(self, ref: Ref) -> bool:
        """Whether they may know of an object: of a machine that is theirs, and of the volumes that came with it."""
        if self.is_whole:
            return True
        if ref.kind == VIRTUAL_MACHINE:
            return self.owns(ref)
        parent = _machine_of(ref, self.find())
        return parent is not None and self.owns(parent)

    def of(self, items: Iterable[_T], ref_of: Callable[[_T], Ref]) -> list[_T]:
        """Those that they may know of. What lists machines begins with this: filters and counts come after it."""
        return list(items) if self.is_whole else [item for item in items if self.sees(ref_of(item))]

    def machines(self, names: Iterable[str]) -> list[str]:
        """The same of machines' names."""
        return self.of(names, lambda name: Ref(VIRTUAL_MACHINE, name))

    def told(self, text: str, said: str = "", gone: Iterable[Ref] = ()) -> str:
        """A sentence for people as they may read it: what names a machine that they may not know of, or a volume that
        came with it, isn't told. `gone` are machines that were there when it was written.

        What they said themselves (`said`) is no news: a sentence that only repeats it must not tell that there is one.
        """
        return self.told_all([text], said, gone)[text]

    def told_all(self, texts: Iterable[str], said: str = "", gone: Iterable[Ref] = ()) -> dict[str, str]:
        """The same of many."""
        if self.is_whole:
            return {text: text for text in texts}
        world = self.find()
        known = {*world.desired.resources, *world.desired.held, *world.snapshot.objects, *world.owned, *gone}
        of_machines = [ref for ref in known if ref.kind == VIRTUAL_MACHINE or _machine_of(ref, world) is not None]
        hidden = {ref.short_name for ref in of_machines if ref.short_name not in said and not self.sees(ref)}
        return {
            text: NOT_TOLD if any(name in text and _is_named(name, text) for name in hidden) else text for text in texts
        }


def _machine_of(volume: Ref, world: World) -> Ref | None:
    """Which machine a volume came with, if any."""
    resource, entry = world.desired.resources.get(volume), world.owned.get(volume)
    return resource.parent if resource is not None else entry.parent if entry is not None else None


def _is_documents(world: World, machine: Ref) -> bool:
    """Whether what the host has under a machine's name, if anything, is what its document is about."""
    observed = world.snapshot.get(machine)
    if observed is None or observed.uid == world.desired.resources[machine].uid:
        return True
    entry, mark = world.owned.get(machine), observed.mark
    if entry is not None and entry.uid == observed.uid:
        return True
    return mark is not None and (mark.repository_id, mark.name) == (world.desired.repository_id, machine.name)


def _is_named(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text) is not None
