"""Looks into storage pools when somebody asks for them, those of whose changes nobody tells: on shared file systems, in
volume groups, on other machines.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Final

from reconciler.bulkhead import contained
from reconciler.loop.agent import Agent
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed
from reconciler.planning.one_off import RefreshPool
from reconciler.serving.revalidation import Revalidation
from specs.reference import STORAGE_POOL, Ref

_TIMEOUT_S: Final = 10.0


class Freshness:
    """One per agent, for any thread."""

    def __init__(self, agent: Agent, refreshes: Revalidation) -> None:
        self._agent = agent
        self._refreshes = refreshes
        self._seen: dict[str, dict[Ref, Observed]] = {}  # by pool, as it was at the last look

    def is_due(self, world: World, pools: Iterable[str]) -> bool:
        """True when any of these would have to be looked into, and who asks may have to wait for that."""
        return any(self._refreshes.is_due(_key(pool)) and self._is_untold(world, pool) for pool in pools)

    def look(self, world: World, pools: Iterable[str]) -> World:
        """The world after these pools were looked into, or the present one when that takes longer than a moment."""
        works: dict[Hashable, Callable[[], object]] = {
            _key(pool): partial(self._look, pool) for pool in pools if self._is_untold(world, pool)
        }
        if not works:
            return world
        self._refreshes.ask(works)
        return self._agent.passes.latest or world

    def _is_untold(self, world: World, pool: str) -> bool:
        ref = Ref(STORAGE_POOL, pool)
        seen, folders = world.snapshot.get(ref), self._agent.folders
        if seen is None or not world.snapshot.connected:
            return False
        active = contained("looking into it", ref, seen.xml, lambda: seen.active)
        return active is True and not (folders is not None and folders.tells(pool))

    def _look(self, pool: str) -> None:
        agent, ref = self._agent, Ref(STORAGE_POOL, pool)
        sequence = agent.queue.sequence
        # A folder that can be seen from here is only listed: libvirt would lock the pool while a server keeps silent.
        if agent.folders is None or not agent.folders.look(pool):
            agent.line.hypervisor.perform(RefreshPool(ref))
            sequence = agent.queue.changed(ref)
            for volume in self._growing(pool):
                sequence = agent.queue.changed(volume)
        sequence = max(sequence, agent.queue.sequence)
        agent.passes.wait(lambda world: world.sequence >= sequence, _TIMEOUT_S)

    def _growing(self, pool: str) -> list[Ref]:
        """The volumes that are new since the last look, or were others then: somebody may still be writing to them."""
        world = self._agent.passes.latest
        objects = world.snapshot.objects if world is not None else {}
        now = {ref: seen for ref, seen in objects.items() if ref.pool == pool}
        before = self._seen.get(pool, now)
        self._seen[pool] = now
        return [ref for ref, seen in now.items() if before.get(ref) is not seen]


def _key(pool: str) -> str:
    return f"the storage pool {pool}"
