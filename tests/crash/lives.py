"""Lives a scripted life again and again, disturbs it in each chapter, and compares it with an undisturbed one."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import libvirt

from tests.crash import world
from tests.crash.fork_server import ENDED, KILLED, ForkServer, Run, Told
from tests.crash.life import CHAPTERS, WRITTEN, Life
from tests.crash.world import World
from tests.hostile.private_libvirtd import PrivateLibvirtd
from tests.lab.repositories import Repository, git

History = Counter[tuple[str, str]]


@dataclass
class Chapter:
    """What an undisturbed life looks like after a chapter."""

    world: World
    ledger: dict[str, set[tuple[object, ...]]]
    history: History  # of this chapter alone
    boundaries: int
    seconds: float


@dataclass
class Lives:
    """One host and one repository. Each life begins with an empty host, in the same folders, so that all are alike."""

    daemon: PrivateLibvirtd
    connect: str
    connection: libvirt.virConnect
    folder: Path  # of the pools
    repository: Repository
    state: Path
    server: ForkServer
    chapters: list[Chapter] = field(default_factory=list)
    kills: int = 0
    chosen: dict[str, tuple[str, str]] = field(default_factory=dict)  # of this life's networks

    @property
    def real_disks(self) -> bool:
        return str(self.connection.getType()) == "QEMU"

    @property
    def boundaries(self) -> list[int]:
        """How many boundaries each chapter of an undisturbed life passes."""
        return [chapter.boundaries for chapter in self.chapters]

    def prepare(self) -> None:
        """Commit the life, and live it once undisturbed."""
        life = Life(self.folder, active=not self.real_disks, grows=self.real_disks)
        assert len(life.chapters()[0]) == 30, "a life of thirty documents"
        life.commit(self.repository)
        self.begin()
        for place, name in enumerate(CHAPTERS):
            before = self.history(place)
            began = time.monotonic()
            told = self.run(name)
            seconds = time.monotonic() - began
            assert told.succeeded, told
            self.write(place)
            history = world.history(self.state) - before
            self.chapters.append(Chapter(self.look(), world.ledger(self.state), history, told.boundaries, seconds))

    def begin(self) -> None:
        """An empty host and no memory."""
        if not self.revive() and not self.connection.isAlive():  # a life before this one ended in the middle
            self.connection = libvirt.open(self.connect)
        world.clear(self.connection, self.folder)
        shutil.rmtree(self.state, ignore_errors=True)
        self.chosen = {}

    def run(self, name: str, **when: Any) -> Told:
        """Start onggi at a chapter. `when` is of `Run`."""
        self.revive()
        git(self.repository.path, "update-ref", "refs/heads/main", f"refs/heads/{name}")
        told = self.server.run(Run(str(self.repository.path), "main", self.connect, str(self.state), **when))
        assert not told.died_of, told.died_of
        self.kills += told.end == KILLED
        return told

    def finish(self, place: int, what: str, **when: Any) -> None:
        """What the next start does: all of the chapter."""
        told = self.run(CHAPTERS[place], **when)
        if self.revive():
            told = self.run(CHAPTERS[place], **when)
        assert told.end == ENDED
        assert told.succeeded, (what, told)
        self.write(place)

    def revive(self) -> bool:
        """What systemd does for a libvirtd that has crashed. True when it had.

        libvirtd 9.0 does so about once in a thousand times that a client dies in the middle of an upload.
        """
        crashed = self.daemon.has_crashed
        if crashed:
            print("libvirtd has crashed, and is started again")
            self.daemon.start()
            self.connection = libvirt.open(self.connect)
        return crashed

    def look(self) -> World:
        self.revive()
        return world.look(self.connection, self.folder)

    def history(self, place: int) -> History:
        """What was told before a chapter begins."""
        return world.history(self.state) if place else Counter()

    def write(self, place: int) -> None:
        """After the first chapter, what guests write."""
        if self.real_disks and place == 0:
            world.write_into(self.written())

    def written(self) -> list[Path]:
        return [self.folder / pool / name for pool, names in WRITTEN.items() for name in names]

    def check(self, place: int, before: History | None, what: str) -> None:
        """The host, the folders, the ledger and the history are as after an undisturbed life's chapter.

        `before` is the history at the chapter's beginning; None when it was lost since, and can't tell.
        """
        expected = self.chapters[place]
        found = world.differences(self.look(), expected.world)
        assert not found, f"{what}:\n" + "\n".join(found)
        chosen = world.chosen(self.connection)
        assert {name: chosen.get(name) for name in self.chosen} == self.chosen, f"{what}: a network was made anew"
        bridges = [bridge for bridge, _ in chosen.values() if bridge]
        assert len(set(bridges)) == len(bridges), f"{what}: {chosen}"
        self.chosen = chosen
        if self.real_disks:
            assert world.unread(self.written()) == [], what
        ledger = world.ledger(self.state)
        assert not ledger["intents"], what
        assert not ledger["begun"], what
        if before is not None:
            assert ledger["owned"] == expected.ledger["owned"], f"{what}: {ledger['owned'] ^ expected.ledger['owned']}"
            self._check_history(world.history(self.state) - before, expected.history, what)

    @staticmethod
    def _check_history(told: History, true: History, what: str) -> None:
        for word in ("created", "deleted"):
            of_it, really = ({name: each[deed, name] for deed, name in each if deed == word} for each in (told, true))
            assert of_it == really, (
                f"{what}: told {word} {of_it.items() - really.items()}, not {really.items() - of_it.items()}"
            )
        told_names, true_names = ({name for _, name in each} for each in (told, true))
        assert not true_names - told_names, f"{what}: nothing is told of {true_names - told_names}"
        assert not told_names - true_names, f"{what}: told of {told_names - true_names}, to which nothing happened"


def spread(boundaries: int, lives: int, life: int) -> int:
    """The boundary at which one of several lives is disturbed: over all of them, from the first to the last."""
    return 1 + round(life * (boundaries - 1) / max(1, lives - 1))


def kill_everywhere(lives: Lives, turns: Iterable[int], number: int, **how: Any) -> None:
    """Kill onggi once in each chapter of `number` lives, at boundaries from the first to the last of the chapter.

    Only those lives of them that are `turns`. Every third start after a kill is killed too, at a boundary of its own.
    """
    killed, began = lives.kills, time.monotonic()
    for life in turns:
        lives.begin()
        for place, name in enumerate(CHAPTERS):
            before = lives.history(place)
            at = spread(lives.boundaries[place], number, life)
            what = f"{name}, killed at boundary {at} of {lives.boundaries[place]}"
            lives.run(name, at=at, **how)
            if (life + place) % 3 == 0:
                again = 1 + (life * 7 + place * 3) % 40
                what += f", and at {again} when it was started again"
                lives.run(name, at=again, **how)
            lives.finish(place, what, **how)
            lives.check(place, before, what)
    seconds = time.monotonic() - began
    print(f"{lives.kills - killed} kills in {seconds:.0f} s, over chapters of {lives.boundaries} boundaries")


def kill_at_random_times(lives: Lives, seed: int, number: int, **how: Any) -> None:
    """Kill onggi at random moments of chapters that take as long as the undisturbed ones."""
    chance = random.Random(seed)
    print(f"the seed is {seed}")
    killed = lives.kills
    while lives.kills - killed < number:
        lives.begin()
        for place, name in enumerate(CHAPTERS):
            before = lives.history(place)
            after_s = chance.uniform(0.0, lives.chapters[place].seconds)
            what = f"{name}, killed after {after_s:.3f} s (seed {seed})"
            lives.run(name, after_s=after_s, **how)
            lives.finish(place, what, **how)
            lives.check(place, before, what)
