"""Runs onggi in children that die where a test wants it: `python -m tests.crash.fork_server`.

A parent with everything imported, one thread and no connection forks a child for each request, which costs
milliseconds where a new interpreter costs most of a second. One request and one answer a line, both JSON.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.hostile.commands import ENVIRONMENT

if TYPE_CHECKING:
    from tests.crash.clients import Requests

KILLED = "killed"
ENDED = "ended"
BALLAST = "ballast"


@dataclass(frozen=True)
class Run:
    """What a child is to do, and when something happens to it: at the boundary `at`, counted from 1, at the first one
    called `at_name`, or `after_s` seconds.

    What happens: it dies, or the process `victim` does, or the folder `fill` runs full.
    """

    repository: str
    branch: str
    connect: str
    state: str
    at: int | None = None
    at_name: str = ""
    after_s: float | None = None
    victim: int | None = None
    fill: str = ""
    agent: bool = False  # the loop of `onggi run`, until it rests; otherwise what `onggi apply` does


@dataclass(frozen=True)
class Told:
    """How a child ended, and what it told if it could."""

    end: str
    boundaries: int = 0
    happened: bool = False
    succeeded: bool = False
    failed: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    died_of: str = ""


class ForkServer:
    """The test's side of the parent."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.fork_server"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=Path(__file__).parents[2],
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def run(self, run: Run) -> Told:
        """Let a child do this."""
        return self._tell({"run": asdict(run)})

    def ask(self, requests: Requests) -> Told:
        """Let a child be an agent that is asked this."""
        return self._tell({"requests": asdict(requests)})

    def _tell(self, told: dict[str, Any]) -> Told:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Told(**{key: tuple(value) if isinstance(value, list) else value for key, value in answer.items()})


# The parent's and the child's side


def serve() -> None:
    import reconciler.line.line
    import reconciler.loop.agent
    import specs.virtualmachine.guest.seed
    from specs.registry import kinds

    for kind in kinds().values():
        assert kind.name
    assert reconciler.loop.agent
    assert reconciler.line.line
    assert specs.virtualmachine.guest.seed
    logging.getLogger("onggi").addHandler(logging.NullHandler())
    logging.getLogger("onggi").propagate = False
    for line in sys.stdin:
        told = json.loads(line)
        if "run" in told:
            run = Run(**told["run"])
            answer = _child(partial(_live, run), run.after_s)
        else:
            answer = _child(_asked(told["requests"]))
        print(json.dumps(answer), flush=True)


def _asked(requests: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    from tests.crash import clients  # with all of the API, the first time that a child is to have it

    return lambda: {"end": ENDED, "answers": clients.live(clients.read(requests))}


def _child(live: Callable[[], dict[str, Any]], after_s: float | None = None) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            told = live()
        except BaseException:
            told = {"end": ENDED, "died_of": traceback.format_exc()}
        os.write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    if after_s is not None:
        select.select([reading], [], [], after_s)
        os.kill(child, signal.SIGKILL)
    parts = []
    while part := os.read(reading, 65536):
        parts.append(part)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if parts:
        return dict(json.loads(b"".join(parts)))
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return {"end": KILLED}
    return {"end": ENDED, "died_of": f"it ended with the status {status}"}


def _live(run: Run) -> dict[str, Any]:
    from reconciler import faults
    from reconciler.errors import OnggiError
    from reconciler.settings.settings import Settings

    passed, happened, lock = 0, False, threading.Lock()

    def hook(name: str) -> None:
        nonlocal passed, happened
        with lock:
            passed += 1
            if not happened and (passed == run.at or name == run.at_name):
                happened = True
                if run.fill:
                    fill(Path(run.fill))
                else:
                    os.kill(run.victim or os.getpid(), signal.SIGKILL)

    faults.install(hook)
    settings = Settings(
        repository=run.repository, branch=run.branch, connect=run.connect, state=Path(run.state), trash_retention_s=0
    )
    try:
        told = _as_agent(settings) if run.agent else _as_apply(settings)
    except OnggiError as error:
        told = {"failed": [str(error)]}
    return {"end": ENDED, "boundaries": passed, "happened": happened, **told}


def fill(folder: Path) -> None:
    """Leave not a byte free."""
    with (folder / BALLAST).open("wb", buffering=0) as file:
        for size in (65536, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue


def _as_apply(settings: Any) -> dict[str, Any]:
    from reconciler.line.line import Line

    with Line.open(settings, exclusive=True) as line:
        result = line.converge()
        if asked := {blocked.digest for blocked in result.remaining.blocked if blocked.digest}:
            for digest in asked:  # a disk leaves its machine when a person has said so
                line.ledger.decisions.approve(digest)
            result = line.converge()
        return {
            "succeeded": result.succeeded,
            "failed": [f"{outcome.step.ref}: {outcome.message}" for outcome in result.outcomes if outcome.message],
            "remaining": [f"{step.action} {step.ref}: {step.why} {step.changes}" for step in result.remaining.steps]
            + [blocked.message for blocked in result.remaining.blocked]
            + [str(problem) for problem in result.problems],
        }


def _as_agent(settings: Any) -> dict[str, Any]:
    from reconciler.loop.agent import Agent
    from tests.lab.waiting import until

    agent, stop = Agent(settings), threading.Event()
    failures: list[str] = []

    def run() -> None:
        try:
            agent.run(stop)
        except BaseException:
            failures.append(traceback.format_exc())

    thread = threading.Thread(target=run, name="agent")
    thread.start()

    approved: set[str] = set()

    def rests() -> bool:
        plan = agent.plan
        # A disk leaves its machine when a person has said so; who asks sees first what is done without that, as
        # between two calls of apply, and all devices get the same places.
        asks = plan is not None and agent.ready.is_set() and plan.empty
        asked = {blocked.digest for blocked in plan.blocked if blocked.digest} if plan is not None and asks else set()
        for digest in asked - approved:
            approved.add(digest)
            agent.line.ledger.decisions.approve(digest)
            agent.queue.source_changed()
        at_rest = agent.ready.is_set() and agent.plan is not None and agent.plan.empty and not agent.plan.blocked
        return at_rest or bool(failures)

    try:
        until(rests, 60, "the agent rests", every_s=0.01)
    except AssertionError as late:
        raise AssertionError(f"{late}\n{_what_it_does(agent)}") from late
    stop.set()
    agent.interrupt()
    thread.join(60)
    return {"succeeded": not failures and not thread.is_alive(), "failed": failures}


def _what_it_does(agent: Any) -> str:
    """Why an agent doesn't rest: what is left of its plan, what failed last, and where each of its threads is."""
    plan = agent.plan
    left = ["no plan"] if plan is None else [str(plan.steps), str([blocked.message for blocked in plan.blocked])]
    failed = [outcome.message for outcome in agent.passes.latest.failing.values()] if agent.passes.latest else []
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    stacks = [
        f"{names.get(ident, '?')}:\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()
    ]
    return "\n".join([f"ready: {agent.ready.is_set()}", *left, *failed, *stacks])


if __name__ == "__main__":
    serve()
