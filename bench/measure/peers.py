"""How long does it take to create machines, and to find nothing to do? onggi beside the peers, all cold."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from statistics import median

from bench.peers import Peer, UnavailableError
from bench.process import FailedError
from bench.table import Row, seconds
from bench.timing import timed
from bench.world import World

YARDSTICK = "libvirt-python loop, 4 threads"
OURS = "onggi apply"


@dataclass(slots=True)
class Measured:
    """What came out: seconds by name, how many machines they are for, and why a peer isn't there."""

    create: dict[str, list[float]] = field(default_factory=dict)
    again: dict[str, list[float]] = field(default_factory=dict)
    machines: dict[str, int] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def measure(world: World, wanted: list[str], machines: int, repeat: int) -> list[Row]:
    """The rows of both questions, fastest first. Everybody's turn comes once in each round: a busy minute hits all."""
    found = Measured()
    ready = [peer for name in ("onggi", *wanted) for peer in _prepared(world, name, machines, found)]
    for number in range(1, repeat + 1):
        for peer in ready:
            if peer.repeat and number > peer.repeat:
                continue
            print(f"round {number}: {peer.name}, {peer.machines} machines …", file=sys.stderr, flush=True)
            try:
                _once(world, peer, found)
            except (FailedError, RuntimeError) as error:
                if peer.name == OURS:
                    raise
                print(f"{peer.name}: {error}", file=sys.stderr, flush=True)
                found.missing[peer.name] = str(error)
    world.wipe()
    return [
        *_rows(f"create {machines} machines with a disk each", found.create, found, machines, target=True),
        *_rows(f"{machines} machines, nothing to do", found.again, found, machines, target=False),
    ]


def _prepared(world: World, name: str, machines: int, found: Measured) -> list[Peer]:
    try:
        return list(import_module(f"bench.peers.{name}").peers(world, machines))
    except UnavailableError as error:
        found.missing[name] = str(error)
        return []


def _once(world: World, peer: Peer, found: Measured) -> None:
    world.wipe()
    peer.reset()
    created = timed(peer.create.run)
    world.check(peer.machines)
    again = [(name, timed(command.run)) for name, command in peer.again]
    world.check(peer.machines)
    found.create.setdefault(peer.name, []).append(created)
    found.machines[peer.name] = peer.machines
    for name, taken in again:
        found.again.setdefault(name, []).append(taken)
        found.machines[name] = peer.machines
    found.missing.pop(peer.name, None)


def _rows(what: str, times: dict[str, list[float]], found: Measured, machines: int, *, target: bool) -> Iterator[Row]:
    scaled = {name: median(taken) * machines / found.machines[name] for name, taken in times.items()}
    base = scaled.get(YARDSTICK)
    for name, value in sorted(scaled.items(), key=lambda item: item[1]):
        measured = found.machines[name]
        who = name if measured == machines else f"{name} (measured with {measured}, extrapolated)"
        ratio = f"{value / base:.2f} × the 4-thread loop" if base else ""
        if target and name == OURS and base:
            yield Row(what, who, seconds(value), ratio, "below 1", value < base)
        else:
            yield Row(what, who, seconds(value), ratio)
    for name, why in found.missing.items():
        if name not in times:
            yield Row(what, name, "not measured", "", why)
