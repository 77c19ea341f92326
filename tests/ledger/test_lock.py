"""One agent for one state folder, and a clear sentence whenever the folder can't be used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import StateError
from reconciler.ledger.lock import StateFolder
from tests.lab.small_disk import SmallDisk

_AGENT = """
import sys
from reconciler.ledger.lock import StateFolder
folder = StateFolder.open(sys.argv[1], exclusive=True)
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_agent(folder: Path) -> Iterator[subprocess.Popen[str]]:
    program = [sys.executable, "-c", _AGENT, str(folder)]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    with StateFolder.open(tmp_path / "a" / "state", exclusive=True) as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_second_agent_is_told_who_has_the_folder_and_what_to_do(tmp_path: Path) -> None:
    with another_agent(tmp_path) as first:
        with pytest.raises(StateError) as refused:
            StateFolder.open(tmp_path, exclusive=True)
        assert f"process {first.pid}" in str(refused.value)
        assert "--state" in str(refused.value)


def test_an_agent_that_was_killed_leaves_no_lock(tmp_path: Path) -> None:
    with another_agent(tmp_path) as first:
        first.kill()
        first.wait()
        StateFolder.open(tmp_path, exclusive=True).close()


def test_a_closed_folder_can_be_opened_again(tmp_path: Path) -> None:
    for _ in range(3):
        StateFolder.open(tmp_path, exclusive=True).close()


def test_readers_need_no_lock(tmp_path: Path) -> None:
    with another_agent(tmp_path), StateFolder.open(tmp_path, exclusive=False) as folder:
        assert folder.path == tmp_path


def test_readers_learn_which_process_has_the_folder(tmp_path: Path) -> None:
    assert StateFolder.holder(tmp_path) is None
    with another_agent(tmp_path) as agent:
        assert StateFolder.holder(tmp_path) == agent.pid
    assert StateFolder.holder(tmp_path) is None
    assert StateFolder.holder(tmp_path / "missing") is None


def test_looking_for_the_holder_keeps_no_agent_from_starting(tmp_path: Path) -> None:
    looking = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from reconciler.ledger.lock import StateFolder\n"
            "print('ready', flush=True)\nwhile True: StateFolder.holder(sys.argv[1])",
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
    )
    try:
        StateFolder.open(tmp_path, exclusive=True).close()  # makes the lock file
        assert looking.stdout is not None
        looking.stdout.readline()
        for _ in range(50):
            StateFolder.open(tmp_path, exclusive=True).close()
    finally:
        looking.kill()
        looking.communicate()


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_in_the_way_is_named(tmp_path: Path, exclusive: bool, below: str) -> None:
    (tmp_path / "state").write_text("a letter")
    with pytest.raises(StateError, match="a file is in its way; remove it or choose another"):
        StateFolder.open(tmp_path / "state" / below, exclusive=exclusive)
    assert (tmp_path / "state").read_text() == "a letter"


def test_a_read_only_folder_is_refused_to_an_agent_and_open_to_readers(small_disk: SmallDisk) -> None:
    small_disk.make_read_only()
    with pytest.raises(StateError, match=r"can't be written \(Read-only file system\); make it writable"):
        StateFolder.open(small_disk.path, exclusive=True)
    StateFolder.open(small_disk.path, exclusive=False).close()
    with pytest.raises(StateError, match="Read-only file system"):
        StateFolder.open(small_disk.path / "new", exclusive=False)


def test_a_full_disk_is_called_full(small_disk: SmallDisk) -> None:
    small_disk.fill()
    with pytest.raises(StateError, match="is full; free some space"):
        StateFolder.open(small_disk.path, exclusive=True)
    small_disk.empty()
    StateFolder.open(small_disk.path, exclusive=True).close()
