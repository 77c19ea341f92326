"""The state is deleted, cut in half or scribbled over: it costs history, never an object or a disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash import world
from tests.crash.fork_server import KILLED
from tests.crash.life import CHAPTERS
from tests.crash.lives import Lives, spread


def deleted(state: Path) -> None:
    shutil.rmtree(state)


def without_database(state: Path) -> None:
    for file in state.glob("onggi.db*"):
        file.unlink()


def half_written(state: Path) -> None:
    for file in state.glob("onggi.db*"):
        os.truncate(file, file.stat().st_size // 2)


def scribbled_over(state: Path) -> None:
    for file in state.glob("onggi.db*"):
        with file.open("r+b") as stream:
            stream.write(b"SQLite format 3\0" + bytes(range(256)) * 16)


LOSSES = pytest.mark.parametrize("lose", [deleted, without_database, half_written, scribbled_over])


@LOSSES
def test_a_state_that_is_lost_at_rest_changes_nothing_on_the_host(
    qemu_lives: Lives, lose: Callable[[Path], None]
) -> None:
    for place, name in enumerate(CHAPTERS):
        lives, what = qemu_lives, f"{name}, and then the state is {lose.__name__}"
        lives.finish(place, what)
        intact = shutil.copytree(lives.state, lives.state.with_name("intact"))
        lose(lives.state)
        told = lives.run(name)
        assert told.succeeded, (what, told)
        lives.check(place, None, what)
        assert not [deed for deed in world.history(lives.state) if deed[0] in ("created", "deleted")], what
        # The next chapter of this story is the one that deletes volumes, which only a ledger remembers to be allowed.
        shutil.rmtree(lives.state)
        intact.rename(lives.state)


def test_without_its_memory_onggi_deletes_no_volume(qemu_lives: Lives) -> None:
    lives = qemu_lives
    for place in (0, 1):
        lives.finish(place, CHAPTERS[place])
    before = lives.look()
    deleted(lives.state)
    assert lives.run("remove").succeeded
    gone = {name.split()[0] for name in before.keys() - lives.look().keys()}
    assert gone == {"VirtualMachine"}
    assert world.unread(lives.written()) == []


@LOSSES
def test_a_state_that_is_lost_with_a_kill_leaves_no_half_made_volume_in_use(
    qemu_lives: Lives, lose: Callable[[Path], None]
) -> None:
    """Whose a finished disk is that no machine has yet, nobody can know then: a clear conflict, and no other step."""
    lives, told_of = qemu_lives, 0
    for life in range(8):
        lives.begin()
        at = spread(lives.boundaries[0] * 4 // 5, 8, life)  # not every life passes all of them
        what = f"killed at boundary {at}, and the state is {lose.__name__}"
        assert lives.run("create", at=at).end == KILLED
        lose(lives.state)
        told = lives.run("create")
        assert not told.failed, (what, told)
        conflicts = {_volume(message) for message in told.remaining if message.startswith("StorageVolume/")}
        assert all("onggi didn't make it" in message for message in told.remaining), (what, told)
        told_of += len(conflicts)
        for ref in conflicts:  # what its message advises
            pool, _, volume = ref.partition("/")
            lives.connection.storagePoolLookupByName(pool).storageVolLookupByName(volume).delete()
        lives.finish(0, what)
        lives.check(0, None, what)
    assert told_of


def _volume(message: str) -> str:
    return message.split()[0].removeprefix("StorageVolume/")
