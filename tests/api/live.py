"""An agent that keeps libvirt's test driver as a repository says, and its API on a real port."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import libvirt
import pytest

from api.app import create_app
from api.http.certificate import Certificate
from api.http.forwarding import UserHeaders
from api.server import Server
from api.services import Services, Webhooks
from reconciler.confined.unix_socket import UnixSocket
from reconciler.identity.logins import Logins
from reconciler.identity.tokens import Tokens
from reconciler.ledger.ledger import Ledger
from reconciler.loop.agent import Agent
from reconciler.serving.audit_log import AuditLog
from reconciler.serving.host import HostServices
from reconciler.serving.opening import Opening
from reconciler.serving.serving import Serving
from reconciler.settings.settings import Settings
from tests.api.host import harmless_host
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until
from tests.stories.hosts import SHARED


@dataclass
class LiveApi:
    """`client` speaks to the API; `repository` is what it writes to; `url` is where it listens, `app` what answers."""

    client: httpx.Client
    repository: Repository
    agent: Agent
    serving: Serving
    url: str
    app: Any
    logins: Logins | None

    def log(self) -> list[str]:
        """The subjects of all commits after the first, newest first."""
        return git(self.repository.path, "log", "--format=%s").splitlines()[:-1]

    def text(self, path: str) -> str:
        """A committed file."""
        return git(self.repository.path, "show", f"HEAD:{path}")

    def task(self, answer: httpx.Response, timeout_s: float = 60.0) -> dict[str, Any]:
        """The end of the task that a 202 answer tells of."""
        assert answer.status_code == 202, answer.text
        number = answer.json()["id"]

        def ended() -> bool:
            return self.client.get(f"/tasks/{number}").json()["status"] != "running"

        until(ended, timeout_s, f"the task {number} ends")
        found: dict[str, Any] = self.client.get(f"/tasks/{number}").json()
        return found


@contextmanager
def live_api(
    repository: Repository,
    state: Path,
    connect: str = SHARED,
    *,
    source: str = "",
    host: HostServices | None = None,
    unix: UnixSocket | None = None,
    logins: Logins | None = None,
    audit_log: AuditLog | None = None,
    certificate: tuple[Path, Path] | None = None,
    proxies: Sequence[str] = (),
    user_headers: UserHeaders | None = None,
    **settings: Any,
) -> Iterator[LiveApi]:
    """Runs an agent with its API until the block ends. `source` is what it follows unless that is `repository`; `host`
    is the machine that clients are shown; `unix` is where it answers too; `logins` is how they log
    in; `audit_log` says what they did; `certificate` and its key are files, for TLS; `proxies` are believed, and who
    asks by `user_headers`.
    """
    settings.setdefault("allowed_networks", ("127.0.0.0/8",))  # where the tests' own servers are
    agent = Agent(Settings(repository=source or str(repository.path), connect=connect, state=state, **settings))
    stop = threading.Event()
    thread = threading.Thread(target=agent.run, args=(stop,), name="agent under test")
    opening = Opening(agent, host or harmless_host(state.parent / "machine"))
    services = Services(
        ready=agent.ready.is_set,
        alive=thread.is_alive,
        info=dict,
        serve=opening,
        logins=logins,
        audit_log=audit_log,
        tokens=Tokens(Ledger.open(state, readonly=True).tokens),
        webhooks=Webhooks(agent.fetch_now),
        problem=lambda: agent.passes.problem,
    )
    shown = Certificate(*certificate) if certificate is not None else None
    app = create_app(services)
    server = Server(app, "127.0.0.1:0", proxies, unix=unix, certificate=shown, user_headers=user_headers)
    server.start()
    opening.host.start(server.url)
    thread.start()
    try:
        assert agent.ready.wait(120)
        with httpx.Client(base_url=server.url, timeout=120) as client:
            yield LiveApi(client, repository, agent, opening(), server.url, app, logins)
    finally:
        server.stop()
        opening.close()
        stop.set()
        agent.interrupt()
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> Iterator[LiveApi]:
    """On the test driver's shared host; `hand` is somebody at virsh."""
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state") as running:
        yield running


@contextmanager
def whole_api(folder: Path) -> Iterator[LiveApi]:
    """For a whole module: an empty repository, the test driver's host, and a machine with APT's folders."""
    repository = Repository(folder / "repository")
    repository.commit({}, "Begin")
    (folder / "machine/etc/apt/sources.list.d").mkdir(parents=True)
    with live_api(repository, folder / "state", host=harmless_host(folder / "machine")) as running:
        yield running
