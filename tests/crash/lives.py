"""Lives a scripted life again and again, kills onggi in each chapter, and compares the end with an undisturbed life."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import libvirt

from tests.crash import world
from tests.crash.fork_server import ENDED, KILLED, ForkServer, Run, Told
from tests.crash.life import CHAPTERS, WRITTEN, Life
from tests.crash.world import World
from tests.lab.repositories import Repository


@dataclass
class Chapter:
    """What an undisturbed life looks like after a chapter."""

    world: World
    ledger: dict[str, set[tuple[object, ...]]]
    history: Counter[tuple[str, str]]  # of this chapter alone
    boundaries: int
    seconds: float


@dataclass
class Lives:
    """One host and one repository. Each life begins with an empty host, in the same folders, so that all are alike."""

    connect: str
    connection: libvirt.virConnect
    folder: Path  # of the pools
    repository: Repository
    state: Path
    server: ForkServer
    real_disks: bool
    chapters: list[Chapter] = field(default_factory=list)
    kills: int = 0
    macs: dict[str, str] = field(default_factory=dict)  # of this life's networks

    def prepare(self) -> None:
        """Commit the life, and live it once undisturbed."""
        life = Life(self.folder, active=not self.real_disks, grows=self.real_disks)
        assert len(life.chapters()[0]) == 30, "a life of thirty documents"
        life.commit(self.repository)
        self.begin()
        for place, name in enumerate(CHAPTERS):
            before = world.history(self.state) if place else Counter[tuple[str, str]]()
            began = time.monotonic()
            told = self.run(name)
            seconds = time.monotonic() - began
            assert told.succeeded, told
            self.write(place)
            history = world.history(self.state) - before
            self.chapters.append(
                Chapter(self.look(), world.ledger(self.state), history, told.boundaries, seconds)
            )

    @property
    def boundaries(self) -> list[int]:
        """How many boundaries each chapter of an undisturbed life passes."""
        return [chapter.boundaries for chapter in self.chapters]

    def begin(self) -> None:
        """An empty host and no memory."""
        world.clear(self.connection, self.folder)
        shutil.rmtree(self.state, ignore_errors=True)
        self.macs = {}

    def look(self) -> World:
        return world.look(self.connection, self.folder)

    def write(self, place: int) -> None:
        """After the first chapter, what guests write."""
        if self.real_disks and place == 0:
            world.write_into(self.written())

    def written(self) -> list[Path]:
        return [self.folder / pool / name for pool, names in WRITTEN.items() for name in names]

    def run(
        self, name: str, *, at: int | None = None, after_s: float | None = None, agent: bool = False
    ) -> Told:
        run = Run(str(self.repository.path), name, self.connect, str(self.state), at, after_s, agent)
        told = self.server.run(run)
        assert not told.died_of, told.died_of
        self.kills += told.end == KILLED
        return told

    def check(self, place: int, before: Counter[tuple[str, str]] | None, what: str) -> None:
        """The host, the folders, the ledger and the history are as after an undisturbed life's chapter.

        `before` is the history at the chapter's beginning; None when it was lost since, and can't tell.
        """
        expected = self.chapters[place]
        found = world.differences(self.look(), expected.world)
        assert not found, f"{what}:\n" + "\n".join(found)
        macs = world.macs(self.connection)
        assert {name: macs.get(name) for name in self.macs} == self.macs, f"{what}: a network was made anew"
        self.macs = macs
        ledger = world.ledger(self.state)
        assert not ledger["intents"], what
        assert not ledger["begun"], what
        if self.real_disks:
            assert world.unread(self.written()) == [], what
        if before is None:
            return
        assert ledger["owned"] == expected.ledger["owned"], f"{what}: {ledger['owned'] ^ expected.ledger['owned']}"
        history = world.history(self.state) - before
        for word in ("created", "deleted"):
            told = {name: count for (result, name), count in history.items() if result == word}
            true = {name: count for (result, name), count in expected.history.items() if result == word}
            assert told == true, f"{what}: {word} {told.items() ^ true.items()}"
        told_names, true_names = ({name for _, name in each} for each in (history, expected.history))
        assert told_names >= true_names, f"{what}: nothing is told of {true_names - told_names}"
        assert told_names == true_names, f"{what}: told of {told_names - true_names}, to which nothing happened"

    def finish(self, name: str, place: int, what: str) -> None:
        """What the next start does."""
        told = self.run(name)
        assert told.end == ENDED
        assert told.succeeded, (what, told)
        self.write(place)


def kill_everywhere(lives: Lives, number: int, *, agent: bool = False) -> None:
    """Kill onggi once in each chapter of `number` lives, at boundaries from the first to the last of the chapter.

    Every third start after that is killed too, at one of its own boundaries.
    """
    killed = lives.kills
    for life in range(number):
        lives.begin()
        for place, name in enumerate(CHAPTERS):
            before = world.history(lives.state) if place else Counter[tuple[str, str]]()
            at = spread(lives.boundaries[place], number, life)
            what = f"{name}, killed at boundary {at} of {lives.boundaries[place]}"
            lives.run(name, at=at, agent=agent)
            if (life + place) % 3 == 0:
                again = 1 + (life * 7 + place * 3) % 40
                what += f", and at {again} when it was started again"
                lives.run(name, at=again, agent=agent)
            lives.finish(name, place, what)
            lives.check(place, before, what)
    print(f"{lives.kills - killed} kills, over chapters of {lives.boundaries} boundaries")


def kill_at_random_times(lives: Lives, seed: int, number: int, *, agent: bool = False) -> None:
    """Kill onggi at random moments of chapters that take as long as the undisturbed ones."""
    chance = random.Random(seed)
    print(f"the seed is {seed}")
    killed = lives.kills
    while lives.kills - killed < number:
        lives.begin()
        for place, name in enumerate(CHAPTERS):
            before = world.history(lives.state) if place else Counter[tuple[str, str]]()
            after_s = chance.uniform(0.0, lives.chapters[place].seconds)
            what = f"{name}, killed after {after_s:.3f} s (seed {seed})"
            lives.run(name, after_s=after_s, agent=agent)
            lives.finish(name, place, what)
            lives.check(place, before, what)


def spread(boundaries: int, lives: int, life: int) -> int:
    """The boundary to die at in one of several lives: over all of them, from the first to the last."""
    return 1 + round(life * (boundaries - 1) / max(1, lives - 1))
