"""The API: how many lists and single machines a second, what a list costs libvirt, and how long a write takes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import libvirt

from api.app import create_app
from api.server import Server
from api.services import Services
from bench import names
from bench.agent import Agent
from bench.http import Connection, load
from bench.measure.calls import counted_calls
from bench.repository import Repository
from bench.table import Row, seconds
from bench.timing import Times, repeated, timed
from bench.world import URI
from reconciler.loop.agent import Agent as InProcess
from reconciler.serving.host import open_host
from reconciler.serving.opening import Opening
from reconciler.settings.settings import Settings

_SECONDS = 4.0
_CLIENTS = 4
_LISTS_PER_S, _LIST_P99_S, _SINGLES_PER_S, _POST_S = 50, 0.1, 1500, 0.06
_WRITES = 40
_TEST_DRIVER = "test:///default"


def measure(repository: Path, state: Path, folder: Path, machines: int, repeat: int) -> Iterator[Row]:
    """Expects the machines to be as the repository says."""
    what = f"{machines} machines, API"
    bare = repeated(repeat, _read_all).median
    with Agent(repository, state, folder / "api.log", "--listen", "127.0.0.1:0") as agent:
        lists = load(agent.url, ["/vms"], _CLIENTS, _SECONDS)
        singles = load(agent.url, [f"/vms/{names.machine(n)}" for n in range(machines)], _CLIENTS, _SECONDS)
    yield Row(what, "reading every definition from libvirt, 1 thread", seconds(bare), "1.00 × the bare reading")
    yield Row(
        what,
        f"GET /vms, {_CLIENTS} clients, {lists.size / 1000:.0f} kB",
        f"{lists.per_s:.0f} /s, p50 {seconds(lists.times.median)}, p99 {seconds(lists.times.p(0.99))}",
        f"{1 / lists.per_s / bare:.3f} × the bare reading",
        f"{_LISTS_PER_S} /s, p99 {seconds(_LIST_P99_S)}",
        lists.per_s >= _LISTS_PER_S and lists.times.p(0.99) <= _LIST_P99_S,
    )
    yield Row(
        what,
        f"GET /vms/:name, {_CLIENTS} clients",
        f"{singles.per_s:.0f} /s, p99 {seconds(singles.times.p(0.99))}",
        f"{singles.per_s / _SINGLES_PER_S:.2f} × the target",
        f"{_SINGLES_PER_S} /s",
        singles.per_s >= _SINGLES_PER_S,
    )
    calls = _calls_of_lists(repository, state)
    yield Row(what, "calls to libvirt for 100 × GET /vms", f"{calls}", "", "0", calls == 0)
    written = _writes(folder)
    yield Row(
        "test driver, API",
        "POST of one document: commit, apply, answer",
        f"p50 {seconds(written.median)}, p95 {seconds(written.p95)} of {_WRITES}",
        f"{written.median / _POST_S:.2f} × the target",
        f"p50 {seconds(_POST_S)}",
        written.median <= _POST_S,
    )


def _read_all() -> None:
    connection = libvirt.open(URI)
    for domain in connection.listAllDomains():
        domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    connection.close()


def _calls_of_lists(repository: Path, state: Path) -> int:
    """In this process, where calls can be counted. What runs in the background is counted without requests, first."""
    with _Serving(Settings(repository=str(repository), connect=URI, state=state)) as url:
        connection = Connection(url)
        connection.request("GET", "/vms")
        with counted_calls() as calls:
            for _ in range(100):
                connection.request("GET", "/vms")
        connection.close()
        return sum(count for name, count in calls.items() if "AllDomainStats" not in name)


def _writes(folder: Path) -> Times:
    repository = Repository(folder / "few", 0)
    with _Serving(Settings(repository=str(repository.path), connect=_TEST_DRIVER, state=folder / "few-state")) as url:
        connection = Connection(url)
        taken = []
        for number in range(_WRITES):
            body = json.dumps({"name": f"{names.PREFIX}{number}", "connection": "isolated"}).encode()

            def post(body: bytes = body) -> None:
                status, answer = connection.request("POST", "/networks", body)
                if status != 201:
                    raise RuntimeError(answer.decode())

            taken.append(timed(post))
        connection.close()
    return Times(tuple(taken))


class _Serving:
    """An agent and its API in this process. A context manager that gives the address."""

    def __init__(self, settings: Settings) -> None:
        self._agent = InProcess(settings)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._agent.run, args=(self._stop,))
        self._opening = Opening(self._agent, open_host(settings))
        services = Services(self._agent.ready.is_set, self._thread.is_alive, dict, serve=self._opening)
        self._server = Server(create_app(services), "127.0.0.1:0")

    def __enter__(self) -> str:
        self._server.start()
        self._thread.start()
        if not self._agent.ready.wait(120):
            raise TimeoutError("the agent's first pass took longer than 120 s")
        return self._server.url

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._opening.close()
        self._stop.set()
        self._agent.interrupt()
        self._thread.join()
