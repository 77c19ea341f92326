"""What others have put where a pool's files lie: links, second names, FIFOs. Nobody opens them, and nobody waits."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.host import pool_files
from reconciler.host.pool_files import TrapError, open_file, open_plain, trap
from tests.lab.opened import canary

NOBODY = 65534
SECRET = b"secret"


@pytest.fixture(params=["in one call", "step by step"], autouse=True)
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that opens a path without links by itself, and one that is too old for that."""
    if request.param == "step by step":
        monkeypatch.setattr(pool_files, "open_without_links", lambda _path, _flags: None)


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """A folder that nobody can write to, beside a secret."""
    (tmp_path / "secret").write_bytes(SECRET)
    folder = tmp_path / "pool"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    return folder


def linked(link: Path, target: Path | str, uid: int = NOBODY) -> Path:
    link.symlink_to(target)
    os.lchown(link, uid, uid)
    return link


def content(path: Path) -> bytes:
    with os.fdopen(open_file(str(path)), "rb") as file:
        return file.read()


def fifo(pool: Path) -> Path:
    os.mkfifo(pool / "x.qcow2")
    return pool / "x.qcow2"


def listening(pool: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(pool / "s"))
    return pool / "s"


def second_name(pool: Path) -> Path:
    os.link(pool.parent / "secret", pool / "x")
    return pool / "x"


def below_a_link(pool: Path) -> Path:
    return linked(pool / "folder", "..") / "secret"


def behind_roots_link(pool: Path) -> Path:
    """What root's link leads to is others'."""
    linked(pool / "theirs", "../secret")
    return linked(pool / "x", "theirs", 0)


TRAPS: dict[str, Callable[[Path], Path]] = {
    "a link": lambda pool: linked(pool / "x", "../secret"),
    "an absolute link": lambda pool: linked(pool / "x", pool.parent / "secret"),
    "a link to nothing yet": lambda pool: linked(pool / "x", "../evil"),
    "a link on the way": below_a_link,
    "a link behind root's": behind_roots_link,
    "a second name": second_name,
    "a FIFO": fifo,
    "a FIFO behind root's link": lambda pool: linked(pool / "x", fifo(pool), 0),
    "a socket": listening,
    "a device": lambda pool: linked(pool / "x", "/dev/null", 0),
}


@pytest.mark.parametrize("put", TRAPS.values(), ids=[name.replace(" ", "-") for name in TRAPS])
def test_nothing_that_another_user_has_put_there_is_opened(pool: Path, put: Callable[[Path], Path]) -> None:
    path = put(pool)
    assert trap(str(path)).endswith("."), "and the sentence has a remedy"
    with pytest.raises(TrapError):
        open_file(str(path))


def test_looking_opens_nothing(tmp_path: Path) -> None:
    with canary(tmp_path / "file") as watched:
        assert trap(str(watched.path)) == ""
        assert not watched.was_opened()
        os.close(open_file(str(watched.path)))
        assert watched.was_opened()


def test_what_root_has_made_is_meant(tmp_path: Path, pool: Path) -> None:
    assert content(linked(pool / "link", "../secret", 0)) == SECRET
    (tmp_path / "roots").mkdir(mode=0o755)
    os.link(tmp_path / "secret", tmp_path / "roots/name")
    assert content(tmp_path / "roots/name") == SECRET, "only root can write there"
    (tmp_path / "roots").chmod(0o1777)
    assert trap(str(tmp_path / "roots/name"))
    (pool / "own").write_bytes(b"image")
    os.chown(pool / "own", NOBODY, NOBODY)
    assert content(pool / "own") == b"image", "a file is what it is, whoever has it"


def test_a_circle_ends(pool: Path) -> None:
    linked(pool / "a", "b", 0)
    assert trap(str(linked(pool / "b", "a", 0))) == ""
    with pytest.raises(OSError, match="Too many levels"):
        open_file(str(pool / "a"))


@pytest.mark.parametrize("path", ["/nowhere/x", "x\0y", "/dev/null/x", "/" + "x" * 5000])
def test_what_isnt_there_is_told_by_whoever_opens_it(path: str) -> None:
    assert trap(path) == ""
    with pytest.raises((OSError, ValueError)):
        open_file(path)


def test_a_plain_file_is_one_itself(pool: Path) -> None:
    assert open_plain(fifo(pool)) is None
    assert open_plain(linked(pool / "link", "../secret", 0)) is None
    descriptor = open_plain(pool.parent / "secret")
    assert descriptor is not None
    os.close(descriptor)


def test_who_exchanges_files_faster_than_one_looks_wins_nothing(pool: Path) -> None:
    path, done = pool / "x", threading.Event()
    path.write_bytes(b"image")

    def exchange() -> None:
        while not done.is_set():
            linked(pool / "link", "../secret").rename(path)
            (pool / "file").write_bytes(b"image")
            (pool / "file").rename(path)

    thread = threading.Thread(target=exchange)
    thread.start()
    read = set()
    try:
        for _ in range(500):
            try:
                read.add(content(path))
            except TrapError:
                continue
    finally:
        done.set()
        thread.join()
    assert read <= {b"image"}
