"""How long does it take to create machines, and to find nothing to do? onggi beside the peers, all cold."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module

from bench.peers import Peer, UnavailableError
from bench.process import FailedError
from bench.table import Row, seconds
from bench.timing import Times, repeated
from bench.world import World

YARDSTICK = "libvirt-python loop, 4 threads"
OURS = "onggi apply"


@dataclass(slots=True)
class Measured:
    """What came out; `missing` says why a peer isn't there."""

    create: dict[str, Times] = field(default_factory=dict)
    again: dict[str, Times] = field(default_factory=dict)
    measured_with: dict[str, int] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def measure(world: World, wanted: list[str], machines: int, repeat: int) -> list[Row]:
    """The rows of both questions, fastest first."""
    found = Measured()
    for name in ("onggi", *wanted):
        try:
            for peer in import_module(f"bench.peers.{name}").peers(world, machines):
                _one(world, peer, found, peer.repeat or repeat)
        except (UnavailableError, FailedError, RuntimeError) as error:
            if name == "onggi":
                raise
            found.missing[name] = str(error)
        finally:
            world.wipe()
    return [
        *_rows(f"create {machines} machines with a disk each", found.create, found, machines, target=True),
        *_rows(f"{machines} machines, nothing to do", found.again, found, machines, target=False),
    ]


def _one(world: World, peer: Peer, found: Measured, repeat: int) -> None:
    print(f"{peer.name}, {peer.machines} machines, {repeat}× …", file=sys.stderr, flush=True)

    def fresh() -> None:
        world.wipe()
        peer.reset()

    def create() -> None:
        peer.create.run()

    taken: list[float] = []
    for _ in range(repeat):
        taken += repeated(1, create, fresh).seconds
        world.check(peer.machines)
    found.create[peer.name] = Times(tuple(taken))
    found.measured_with[peer.name] = peer.machines
    for name, command in peer.again:
        found.again[name] = repeated(repeat, command.run)
        found.measured_with[name] = peer.machines
    world.check(peer.machines)


def _rows(what: str, times: dict[str, Times], found: Measured, machines: int, *, target: bool) -> Iterator[Row]:
    scaled = {name: taken.median * machines / found.measured_with[name] for name, taken in times.items()}
    base = scaled.get(YARDSTICK)
    for name, value in sorted(scaled.items(), key=lambda item: item[1]):
        measured = found.measured_with[name]
        who = name if measured == machines else f"{name} (measured with {measured}, extrapolated)"
        ratio = f"{value / base:.2f} × the 4-thread loop" if base else ""
        if target and name == OURS and base:
            yield Row(what, who, seconds(value), ratio, "below 1", value < base)
        else:
            yield Row(what, who, seconds(value), ratio)
    for name, why in found.missing.items():
        yield Row(what, name, "not measured", "", why)
