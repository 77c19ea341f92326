"""A running agent for a test: the real one, in a thread, on a repository of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.clock import Clock, utc_now
from reconciler.loop.agent import Agent
from reconciler.settings.settings import Settings


@contextmanager
def running_agent(
    repository: Path | str, uri: str, state: Path, *, now: Clock = utc_now, **options: object
) -> Iterator[Agent]:
    """Starts an agent, waits for its first pass, and ends it as SIGTERM would. `now` is the clock of sync windows."""
    agent = Agent(Settings(repository=str(repository), connect=uri, state=state, **options), now)  # type: ignore[arg-type]
    stop = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            agent.run(stop)
        except BaseException as error:
            failures.append(error)
            agent.ready.set()

    thread = threading.Thread(target=run, name="agent")
    thread.start()
    try:
        assert agent.ready.wait(120), "the agent's first pass took longer than two minutes"
        if failures:
            raise failures[0]
        yield agent
    finally:
        stop.set()
        agent.interrupt()
        thread.join(60)
        assert not thread.is_alive(), "the agent didn't end within a minute"
