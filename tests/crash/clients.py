"""An agent with its API in a process of its own, and a client's requests to it, for `fork_server`.

It dies at a boundary that one of the requests passes; see `Requests`.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler import faults
from tests.api.live import live_api
from tests.lab.repositories import Repository


@dataclass(frozen=True)
class Request:
    """`form` holds texts and, as `chunk`, what is sent as a file."""

    method: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Requests:
    """What is asked of a new agent, once it is ready, and the boundary at whose passing for the `time`th time it dies.

    Before the first request none counts; without requests those of the start do.
    """

    source: str
    connect: str
    state: str
    requests: tuple[Request, ...]
    boundary: str
    time: int = 1


def read(given: Mapping[str, Any]) -> Requests:
    """From its fields as JSON has them."""
    return Requests(**{**given, "requests": tuple(Request(**each) for each in given["requests"])})


def live(told: Requests) -> tuple[str, ...]:
    """What was answered, by who was to die meanwhile."""
    passed, answers, lock = 0, [], threading.Lock()

    def hook(name: str) -> None:
        nonlocal passed
        with lock:
            passed += name == told.boundary
            if passed == told.time:
                os.kill(os.getpid(), signal.SIGKILL)

    repository = Repository.__new__(Repository)
    repository.path = Path(told.source)
    if not told.requests:
        faults.install(hook)
    with live_api(repository, Path(told.state), told.connect, source=told.source) as api:
        faults.install(hook)
        for request in told.requests:
            texts = {name: text for name, text in request.form.items() if name != "chunk"}
            chunk = {"chunk": ("chunk", request.form["chunk"])} if request.form else None
            answer = api.client.request(
                request.method, request.path, json=request.body or None, data=texts or None, files=chunk
            )
            answers.append(answer.text)
            if answer.status_code == 202 and request is told.requests[-1]:
                answers.append(str(api.task(answer)))
    return tuple(answers)
