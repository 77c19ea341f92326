"""`onggi run`: the agent as a process. It ends on SIGTERM and SIGINT, within five seconds, with exit code 0."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from reconciler.cli.account_options import ACCOUNTS, LOGIN
from reconciler.cli.console_options import CONSOLES
from reconciler.cli.headings import under
from reconciler.cli.network_options import allowed_networks
from reconciler.cli.oidc_options import OIDC
from reconciler.cli.options import (
    FORGE,
    SIGNED,
    UNSIGNED,
    api_writes,
    connect,
    federation,
    interval,
    listen,
    log_format,
    resync_interval,
    socket,
    socket_group,
    state,
    sync_windows,
    trash_retention,
    verb,
    webhook_secret_file,
)
from reconciler.cli.reach_options import REACH
from reconciler.cli.signals import ignore, on_signals, to_end
from reconciler.cli.stack_dump import ASKED_BY, dump_at_a_crash, dump_stacks
from reconciler.cli.wire_options import PROXY, WIRE
from reconciler.errors import OnggiError
from reconciler.settings.reachable import is_loopback
from reconciler.settings.settings import Settings

if TYPE_CHECKING:
    from api.server import Server
    from reconciler.loop.agent import Agent
    from reconciler.serving.opening import Opening

log = logging.getLogger("onggi.run")

_LONGEST_END_S = 2.5  # of the five seconds, so that what comes after has time too
_LAST_S = 4.5  # likewise, for everything together


@verb(
    "run",
    under("The repository", *UNSIGNED, interval),
    under("Signed commits", *SIGNED),
    under("The host", connect, state, resync_interval, trash_retention, sync_windows),
    under("What documents may name", *REACH, allowed_networks),
    under("Serving the API", listen, socket, socket_group, *WIRE, *CONSOLES, api_writes, federation),
    under("Logging in", *LOGIN),
    under("A proxy in front", *PROXY),
    under("An OpenID provider", *OIDC),
    under("An LDAP server", *ACCOUNTS),
    under("Webhooks and the forge", webhook_secret_file, *FORGE),
    click.option("--once", is_flag=True, help="One pass instead of a loop; the exit code tells if all is well."),
    log_format,
    logs_at="INFO",
)
def command(settings: Settings) -> int:
    """Keep the host as the repository says: the agent.

    Logs to stderr. With --listen or --socket, GET /healthz and /readyz answer 200 once the first pass is
    through, 503 before and while passes fail. SIGTERM ends it; SIGUSR1 has it write what each of its threads
    does to stderr, and so does SIGABRT, of which it dies, should it answer to nothing any more.
    """
    dump_at_a_crash()
    ignore(ASKED_BY)
    return _once(settings) if settings.once else _forever(settings)


def _once(settings: Settings) -> int:
    from reconciler.clock import utc_now
    from reconciler.line.line import Line
    from reconciler.settings.windows import state_at

    stop = threading.Event()
    with Line.open(settings, exclusive=True) as line, on_signals(to_end(stop.set) | {ASKED_BY: dump_stacks}):
        closed = state_at(settings.sync_windows, utc_now()).reason
        done = line.converge(stop=stop, passes=0) if closed else line.converge(stop=stop)
    if closed:
        log.warning("nothing is applied: %s", closed)
    for problem in done.problems:
        log.error("%s", problem)
    for item in done.remaining.blocked:
        log.error("%s is blocked: %s: %s", item.ref, item.reason, item.message)
    for outcome in done.outcomes:
        level = logging.ERROR if outcome.result == "failed" else logging.INFO
        log.log(level, "%s %s: %s %s", outcome.step.action, outcome.step.ref, outcome.result, outcome.message)
    log.info("%d steps done, %d left, at %s", len(done.outcomes), len(done.remaining.steps), done.remaining.revision)
    return 0 if done.succeeded else 1


def _forever(settings: Settings) -> int:
    import reconciler.confined.process  # noqa: F401  # the way out needs it, when there is no time left to load it
    from reconciler.loop.agent import Agent

    bell = threading.Event()
    thread = _AgentThread(Agent(settings), bell)
    served = _served(settings, thread)  # before the agent begins: a port that is in use must show at once
    with on_signals(to_end(bell.set) | {ASKED_BY: dump_stacks}):
        thread.start()
        if served is not None:
            served.begin()
        bell.wait()
        _leave_after(_LAST_S, thread)
        if thread.error is None:
            log.info("ending")
        if served is not None:
            served.end()  # while the agent still runs: a request in flight may wait for what it does
        thread.end(_LONGEST_END_S)
    if thread.error is not None:
        raise thread.error
    return 0


class _AgentThread(threading.Thread):
    """The agent's loop beside the main thread, which is there for signals. Rings when it ends by itself."""

    def __init__(self, agent: Agent, bell: threading.Event) -> None:
        super().__init__(name="onggi-agent")
        self.agent = agent
        self.error: BaseException | None = None
        self._bell = bell
        self._stop_wanted = threading.Event()

    def run(self) -> None:
        """The loop, until `end`; what it raises is kept for the main thread."""
        try:
            self.agent.run(self._stop_wanted)
        except OnggiError as error:
            self.error = error
        except BaseException as error:
            log.critical("the agent failed", exc_info=True)
            self.error = error
        finally:
            self._bell.set()

    def end(self, timeout_s: float) -> None:
        """Let the loop end. One that hangs in a call to the host is left behind with the process."""
        self._stop_wanted.set()
        self.agent.interrupt()
        deadline = time.monotonic() + timeout_s
        self.join(timeout_s)
        if self.is_alive() or time.monotonic() > deadline:
            log.warning("something is still under way; it is taken up at the next start")
            from reconciler.confined.process import kill_all

            logging.shutdown()
            # A step that waits for the host can't be interrupted. Every step is written down before it begins, and safe
            # to be done again.
            kill_all()
            os._exit(0)


def _leave_after(seconds: float, thread: _AgentThread) -> None:
    """Whatever still runs then: a client's request or task may be in a call to the host that can't be interrupted, and
    Python would wait for its thread.
    """

    from reconciler.confined.process import kill_all

    def leave() -> None:
        log.warning("something is still under way; it is given up, and tidied up at the next start")
        logging.shutdown()
        kill_all()
        os._exit(1 if thread.error is not None else 0)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()


@dataclass(frozen=True, slots=True)
class _Served:
    """The API beside the loop."""

    server: Server
    opening: Opening

    def begin(self) -> None:
        """What goes on in the background."""
        self.opening.start()
        self.opening.host.start(self.server.url)

    def end(self) -> None:
        """Answer nobody any more, and end what goes on in the background."""
        self.server.stop()
        self.opening.close()


def _served(settings: Settings, thread: _AgentThread) -> _Served | None:
    """The API on --listen and --socket. None without both, and nothing of it is loaded then: it is half of what there
    is. Raises SettingsError when one can't be had.
    """
    if not settings.listen and settings.socket is None:
        return None
    from api.app import create_app
    from api.http.certificate import Certificate
    from api.http.forwarding import UserHeaders
    from api.http.server_names import server_names
    from api.server import Server
    from api.services import ServedPlugins, Services, Webhooks
    from reconciler.confined.unix_socket import UnixSocket
    from reconciler.host.plugins import plugins_in_use
    from reconciler.identity.tokens import Tokens
    from reconciler.ledger.ledger import Ledger
    from reconciler.secret_file import SecretFile
    from reconciler.serving.audit_log import AuditLog
    from reconciler.serving.host import open_host
    from reconciler.serving.opening import Opening

    opening = Opening(thread.agent, open_host(settings))
    logins = settings.logins
    secret = settings.webhook_secret_file
    services = Services(
        ready=thread.agent.ready.is_set,
        alive=thread.is_alive,
        info=lambda: {"revision": str(thread.agent.desired.revision) if thread.agent.desired is not None else ""},
        problem=lambda: thread.agent.passes.problem,
        serve=opening,
        hosts=server_names(settings.address[0] if settings.listen else "", settings.public_names),
        logins=logins,
        audit_log=AuditLog(settings.audit_log) if settings.audit_log is not None else None,
        tokens=Tokens(Ledger.open(settings.state, readonly=True).tokens),
        oidc=settings.oidc,
        webhooks=Webhooks(
            thread.agent.fetch_now,
            SecretFile(secret, "webhook-secret-file").secrets if secret is not None else tuple,
        ),
        plugins=ServedPlugins(plugins_in_use(frozenset(settings.disabled_plugins))),
    )
    unix = UnixSocket(settings.socket, settings.socket_group) if settings.socket is not None else None
    certificate, key = settings.tls_cert, settings.tls_key
    server = Server(
        create_app(services), settings.listen, settings.trusted_proxies, unix,
        Certificate(certificate, key) if certificate is not None and key is not None else None,
        has_login=logins is not None,
        waived=settings.expose_without,
        user_headers=UserHeaders(settings.proxy_user_header.lower(), settings.proxy_groups_header.lower())
        if settings.auth == "proxy" else None,
    )  # fmt: skip
    server.start()
    for place in filter(None, (server.url, settings.socket)):
        log.info("serving on %s", place)
    if settings.listen and not is_loopback(settings.address[0]):
        if logins is None:
            log.warning("whoever reaches %s is an administrator: nobody has to log in (--expose-without)", server.url)
        if certificate is None:
            log.warning(
                "whoever is on the way to %s reads and changes all: there is no TLS (--expose-without)", server.url
            )
    return _Served(server, opening)
