"""`python -m bench`: takes the measurements that are asked for and prints them as one table."""

from __future__ import annotations

import argparse
import fcntl
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.agent import Agent
from bench.measure import api, consoles, drift, latency, peers, resync, scale, sessions
from bench.peers import onggi
from bench.peers.installed import CACHE
from bench.repository import Repository
from bench.table import Row, seconds, table
from bench.timing import timed
from bench.world import World

_PEERS = ("loop", "virsh", "kcli", "ansible")
_MEASUREMENTS = ("scale", "peers", "resync", "drift", "latency", "api", "sessions", "consoles")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every target was met."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    asked.measure = asked.measure or list(_MEASUREMENTS)
    if unknown := set(asked.measure) - set(_MEASUREMENTS):
        parser.error(f"{', '.join(sorted(unknown))} can't be measured; {', '.join(_MEASUREMENTS)} can")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: with everything removed
    rows: list[Row] = []
    with _alone(), World() as world:
        try:
            if "scale" in asked.measure:
                print(f"planning {scale.MANY} new machines …", file=sys.stderr, flush=True)
                rows += scale.measure()
            if "sessions" in asked.measure:
                print("who asks, by each way …", file=sys.stderr, flush=True)
                rows += sessions.measure(world.folder)
            if "peers" in asked.measure:
                rows += peers.measure(world, asked.peers, asked.machines, asked.repeat)
            if "consoles" in asked.measure:
                print("many consoles at once …", file=sys.stderr, flush=True)
                rows += consoles.measure(world.folder / "consoles")
            if {"resync", "drift", "latency", "api"} & set(asked.measure):
                for row in _at_scale(world, asked):  # one by one: what is measured is shown when the next fails
                    rows.append(row)
        finally:
            if rows:
                print(table(rows))
    return 0 if all(row.met is not False for row in rows) else 1


def _at_scale(world: World, asked: argparse.Namespace) -> Iterator[Row]:
    machines = asked.defined
    folder = world.folder / "scale"
    repository, state = Repository(folder / "repository", machines), folder / "state"
    print(f"defining {machines} machines …", file=sys.stderr, flush=True)
    created = timed(onggi.command("apply", repository.path, state, "--yes").run)
    world.check(machines)
    yield Row(f"create {machines} machines with a disk each", "onggi apply", seconds(created))
    if "resync" in asked.measure:
        print("full resync …", file=sys.stderr, flush=True)
        yield from resync.measure(repository.path, state, machines, asked.repeat)
    if "drift" in asked.measure:
        print("drift by hand …", file=sys.stderr, flush=True)
        yield from drift.measure(world, repository.path, state, machines, asked.repeat)
    if "latency" in asked.measure:
        print("commits and changes by hand beside onggi run …", file=sys.stderr, flush=True)
        with Agent(repository.path, state, folder / "agent.log") as agent:
            yield from latency.measure(world, repository, agent, machines)
    if "api" in asked.measure:
        print("the API beside onggi run …", file=sys.stderr, flush=True)
        yield from api.measure(repository.path, state, folder, machines, asked.repeat)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m bench",
        description="Measures onggi beside its peers on qemu:///system. Machines are defined, never started; what was "
        "made is removed at the end. Exits with 1 when a target is missed.",
    )
    chosen = "|".join(_MEASUREMENTS)
    parser.add_argument("measure", nargs="*", metavar=chosen, help="what to measure (default: all)")
    parser.add_argument("--machines", type=int, default=200, help="how many each peer creates (%(default)s)")
    parser.add_argument("--defined", type=int, default=1000, help="how many there are for the rest (%(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="the median of so many counts (%(default)s)")
    parser.add_argument("--peers", nargs="*", choices=_PEERS, default=list(_PEERS), help="default: all")
    return parser


@contextmanager
def _alone() -> Iterator[None]:
    """Two benchmarks at once would measure, and remove, each other."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit("Another benchmark is running; wait for its end.")
        yield


if __name__ == "__main__":
    sys.exit(main())
