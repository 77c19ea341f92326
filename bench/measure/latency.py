"""How soon is a commit in libvirt, how soon is a change by hand undone, and how much memory does the agent take?"""

from __future__ import annotations

from collections.abc import Iterator

from bench import names
from bench.agent import Agent
from bench.repository import Repository
from bench.table import Row, seconds
from bench.timing import Times, seconds_until
from bench.world import World

_CHANGED_MIB = 96
_LIMIT_S = 30
_COMMIT_S, _DRIFT_S, _RSS_MB = 0.1, 1.0, 150
_TRIALS = 10


def measure(world: World, repository: Repository, agent: Agent, machines: int) -> Iterator[Row]:
    """Each trial takes another machine; in the end all are as declared."""
    every = range(0, machines, max(machines // (2 * _TRIALS), 1))
    committed, changed = every[0::2][:_TRIALS], every[1::2][:_TRIALS]
    begun = agent.rss_mb()
    yield _row(machines, "one file committed → in libvirt", _commits(world, repository, committed), _COMMIT_S)
    yield _row(machines, "memory changed by hand → put back", _drifts(world, changed), _DRIFT_S)
    worked = agent.rss_mb()
    yield Row(
        f"{machines} machines, onggi run",
        f"resident memory, after start {begun:.0f} MB",
        f"{worked:.0f} MB",
        f"{worked / _RSS_MB:.2f} × the target",
        f"under {_RSS_MB} MB",
        max(begun, worked) < _RSS_MB,
    )


def _commits(world: World, repository: Repository, every: range) -> Times:
    taken = []
    for number in every:
        repository.write(number, _CHANGED_MIB)
        repository.commit()
        taken.append(_until(world, number, _CHANGED_MIB))
    return Times(tuple(taken))


def _drifts(world: World, every: range) -> Times:
    taken = []
    for number in every:
        domain = world.connection.lookupByName(names.machine(number))
        xml = domain.XMLDesc()
        declared = f"{names.MEMORY_MIB << 10}"
        world.connection.defineXML(xml.replace(f">{declared}<", f">{_CHANGED_MIB << 10}<"))
        taken.append(_until(world, number, names.MEMORY_MIB))
    return Times(tuple(taken))


def _until(world: World, number: int, memory_mib: int) -> float:
    name = names.machine(number)
    return seconds_until(
        lambda: world.memory_mib(name) == memory_mib, f"{name} has {memory_mib} MiB", timeout_s=_LIMIT_S
    )


def _row(machines: int, who: str, taken: Times, target_s: float) -> Row:
    return Row(
        f"{machines} machines, onggi run",
        who,
        f"p50 {seconds(taken.median)}, p95 {seconds(taken.p95)} of {len(taken.seconds)}",
        f"{taken.median / target_s:.2f} × the target",
        f"within {seconds(target_s)}",
        taken.p95 <= target_s,
    )
