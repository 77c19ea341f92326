"""What it costs to know who asks: the same requests with a session, a password or a token as without, side by side.

What counts is processor time, all of this process but the client's, which no other work on the machine makes longer.
Nothing but memory is asked for an account, as of PAM and directories for a minute after a login.
"""

from __future__ import annotations

import base64
import random
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import libvirt

from api.app import create_app
from api.http.session_cookie import COOKIE
from api.server import Server
from api.services import Services
from bench import names
from bench.http import Connection
from bench.repository import Repository
from bench.table import Row, seconds
from reconciler.identity.identity import Identity
from reconciler.identity.logins import Logins
from reconciler.identity.role import Role
from reconciler.identity.tokens import Tokens, digest_of, new_token
from reconciler.ledger.ledger import Ledger
from reconciler.loop.agent import Agent
from reconciler.serving.host import open_host
from reconciler.serving.opening import Opening
from reconciler.settings.settings import Settings

_MACHINES: Final = 200
_MOST: Final = 1.1  # a request with a session against one without
_ROUNDS: Final = 41
_TEST_DRIVER: Final = "test:///default"
_NAME: Final = "ada"
_PASSWORD: Final = "decides"  # of nobody
_MACHINE: Final = (
    "<domain type='test'><name>{name}</name><memory unit='MiB'>64</memory><os><type>hvm</type></os>"
    "<devices><graphics type='vnc'/></devices></domain>"
)


class _Ada:
    """`Accounts` of one, who is asked for once."""

    def __init__(self) -> None:
        self.asked = 0

    def proven(self, name: str, password: str) -> Identity | None:
        """Whose password that is."""
        self.asked += 1
        return Identity(name, frozenset({"deciders"})) if (name, password) == (_NAME, _PASSWORD) else None

    def current(self, name: str) -> Identity | None:
        """They stay as they are."""
        return Identity(name, frozenset({"deciders"}))

    def close(self) -> None:
        """Nothing is held."""


def measure(folder: Path) -> Iterator[Row]:
    """An agent of its own, with machines that the test driver has."""
    with _agent(folder) as (plain, ways):
        for what, path, requests, conditional in (
            (f"GET /vms, {_MACHINES} machines", "/vms", 40, False),
            ("GET /vms/:name", f"/vms/{names.machine(7)}", 400, False),
            ("GET /vms, not modified", "/vms", 40, True),
            ("GET /vms/:name, not modified", f"/vms/{names.machine(7)}", 400, True),
        ):
            for way, (server, head) in ways.items():
                yield from _compared(what, path, requests, plain, way, server, head, conditional=conditional)


def _compared(
    what: str, path: str, requests: int, plain: Server, way: str, known: Server, head: str, *, conditional: bool
) -> Iterator[Row]:
    clients = {
        "nobody logs in": _Client(plain, path, "", conditional=conditional),
        way: _Client(known, path, head, conditional=conditional),
    }
    taken: dict[str, list[float]] = {way: [] for way in clients}
    turns = list(clients.items())
    for _ in range(_ROUNDS):  # everybody's turn in each, so that what the machine does else is everybody's
        random.shuffle(turns)  # nobody always follows the same one
        for who, client in turns:
            taken[who].append(client.cost_s(requests))
    without, own = taken["nobody logs in"], taken[way]
    ratio = statistics.median(mine / other for mine, other in zip(own, without, strict=True))
    told = f"{seconds(statistics.median(own))} of the processor; {seconds(statistics.median(without))} without"
    if way == "session":
        yield Row(what, way, told, f"{ratio:.2f}", f"{_MOST}", ratio <= _MOST)
    else:
        yield Row(what, way, told, f"{ratio:.2f}")


class _Client:
    def __init__(self, server: Server, path: str, head: str, *, conditional: bool) -> None:
        self._url = server.url
        self._path, self._head = path, head
        self._wanted = 200
        if conditional:
            connection = Connection(self._url)
            self._ask(connection)
            connection.close()
            self._head += f"If-None-Match: {connection.tag}\r\n"
            self._wanted = 304

    def cost_s(self, requests: int) -> float:
        """The processor time that the server takes for each of so many requests."""
        connection = Connection(self._url)
        self._ask(connection)
        begun, own = time.process_time(), time.thread_time()
        for _ in range(requests):
            self._ask(connection)
        taken = time.process_time() - begun - (time.thread_time() - own)
        connection.close()
        return taken / requests

    def _ask(self, connection: Connection) -> None:
        status, body = connection.request("GET", self._path, head=self._head)
        if status != self._wanted:
            raise RuntimeError(f"{status} for {self._path}: {body[:200]!r}")


@contextmanager
def _agent(folder: Path) -> Iterator[tuple[Server, Mapping[str, tuple[Server, str]]]]:
    """A server where nobody logs in, and for each way to prove who one is a server of its own and what proves it there:
    what one way leaves behind in caches is no cost of another.
    """
    hand = libvirt.open(_TEST_DRIVER)
    for number in range(_MACHINES):
        hand.defineXML(_MACHINE.format(name=names.machine(number)))
    repository, state = Repository(folder / "sessions", 0), folder / "sessions-state"
    settings = Settings(repository=str(repository.path), connect=_TEST_DRIVER, state=state)
    agent, stop, accounts = Agent(settings), threading.Event(), _Ada()
    thread = threading.Thread(target=agent.run, args=(stop,))
    opening = Opening(agent, open_host(settings))
    logins = Logins(accounts, {Role.ADMIN: ["deciders"]})
    ready, alive = agent.ready.is_set, thread.is_alive
    tokens = Tokens(Ledger.open(settings.state, readonly=True).tokens)
    plain = Server(create_app(Services(ready, alive, dict, serve=opening)), "127.0.0.1:0")
    with_login = Services(ready, alive, dict, serve=opening, logins=logins, tokens=tokens)
    known = [Server(create_app(with_login), "127.0.0.1:0") for _ in range(3)]
    for each in (plain, *known, thread):
        each.start()
    try:
        if not agent.ready.wait(120):
            raise TimeoutError("the agent's first pass took longer than 120 s")
        proofs = _ways(logins, settings.state)
        yield plain, {way: (server, head) for server, (way, head) in zip(known, proofs.items(), strict=True)}
        if accounts.asked > 8:  # each is looked at again after a minute
            raise RuntimeError(
                f"accounts were asked {accounts.asked} times, for one session and one password in minutes"
            )
    finally:
        for server in (plain, *known):
            server.stop()
        opening.close()
        stop.set()
        agent.interrupt()
        thread.join()
        hand.close()


def _ways(logins: Logins, state: Path) -> Mapping[str, str]:
    who = logins.by_password(_NAME, _PASSWORD, "")
    assert who is not None  # it is that password
    basic = base64.b64encode(f"{_NAME}:{_PASSWORD}".encode()).decode()
    token = new_token()
    digest = digest_of(token)
    assert digest is not None  # it is one
    with Ledger.open(state) as ledger:
        ledger.tokens.make("bench", "admin", maker=_NAME, lasts=None, digest=digest)
    return {
        "session": f"Cookie: {COOKIE}={logins.sessions.open(who)}\r\n",
        "password, remembered": f"Authorization: Basic {basic}\r\n",
        "token": f"Authorization: Bearer {token}\r\n",
    }
