"""onggi itself, as its command line: cold, from a git repository."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.peers import Peer
from bench.process import Command
from bench.repository import Repository
from bench.world import URI, World

PROGRAM = str(Path(sys.executable).with_name("onggi"))


def command(verb: str, repository: Path, state: Path, *more: str) -> Command:
    """`onggi VERB REPO` on the benchmark's host."""
    return Command((PROGRAM, verb, str(repository), "--connect", URI, "--state", str(state), *more))


def peers(world: World, machines: int) -> Iterator[Peer]:
    """`apply` to create; `apply` and `plan` with nothing to do."""
    folder = world.folder / "onggi"
    repository, state = Repository(folder / "repository", machines).path, folder / "state"
    apply = command("apply", repository, state, "--yes")
    plan = command("plan", repository, state)
    yield Peer(
        "onggi apply",
        machines,
        apply,
        (("onggi apply", apply), ("onggi plan", plan)),
        reset=lambda: shutil.rmtree(state, ignore_errors=True),
    )
