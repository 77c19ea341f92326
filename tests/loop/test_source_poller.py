"""When the source is asked: at once when somebody says so, once for many, and never so often that it hurts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import Transient
from reconciler.loop.source_poller import SourcePoller
from reconciler.source.tree import Revision, SourceTree
from tests.lab.waiting import until


class Asked:
    """A source that counts how often it was asked, and has news when it is told to."""

    key = "asked"
    problem = ""

    def __init__(self, *, is_remote: bool) -> None:
        self.is_remote = is_remote
        self.times = 0
        self.away = False

    def read(self) -> SourceTree:
        return SourceTree(Revision("main", "sha1", "0" * 40), ())

    def fetch(self) -> bool:
        self.times += 1
        if self.away:
            raise Transient("the remote is away; check the network")
        return self.is_remote

    def watch_paths(self) -> tuple[Path, ...]:
        return ()

    def close(self) -> None:
        pass


@contextmanager
def fetching(source: Asked, woken: list[None], **options: float) -> Iterator[SourcePoller]:
    made = SourcePoller(source, lambda: woken.append(None), **({"interval_s": 3600.0} | options))
    stop = threading.Event()
    thread = threading.Thread(target=made.run, args=(stop,))
    thread.start()
    try:
        yield made
    finally:
        stop.set()
        made.now()
        thread.join(60)
        assert not thread.is_alive()


def test_who_says_that_there_is_news_has_the_source_asked_at_once() -> None:
    source, woken = Asked(is_remote=True), list[None]()
    with fetching(source, woken) as it:
        it.now()
        until(lambda: woken, 60, "the loop is woken")
    assert source.times == 1


def test_thousands_who_say_so_cost_one_question_and_the_last_is_heard() -> None:
    source, woken = Asked(is_remote=True), list[None]()
    with fetching(source, woken, gap_s=0.2) as it:
        began = time.monotonic()
        for _ in range(5000):
            it.now()
            time.sleep(0)
        took_s = time.monotonic() - began
        before = source.times
        it.now()
        until(lambda: source.times > before, 60, "the last one is heard")
    assert source.times <= 3 + took_s / 0.2


def test_a_local_source_is_read_again_when_somebody_says_so_and_never_polled() -> None:
    source, woken = Asked(is_remote=False), list[None]()
    with fetching(source, woken, interval_s=1.0, gap_s=0.01) as it:
        it.now()
        until(lambda: woken, 60, "the loop is woken")
    assert len(woken) == 1


def test_a_remote_that_is_away_is_asked_again() -> None:
    source, woken = Asked(is_remote=True), list[None]()
    source.away = True
    with fetching(source, woken, interval_s=0.02, gap_s=0.01):
        until(lambda: source.times >= 2, 60, "it is asked again")
        source.away = False
        until(lambda: woken, 60, "the loop is woken")
