"""Starts and stops one machine on a person's word, in the way that holds.

A declared machine's power is its document's business: an agent puts back what was done behind its back. So where an
agent runs and serves its API, it is asked, which commits `runStrategy`; where it can't be asked, what it would undo is
refused with the remedy. Without an agent it is done, and said what the document wants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from reconciler.errors import NotFound, OnggiError, Refused, Transient
from reconciler.hypervisor import Hypervisor
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.lock import StateFolder
from reconciler.planning.one_off import PowerOff
from reconciler.planning.operations import Resume, Start, Stop
from reconciler.planning.ownership import Fact
from reconciler.planning.virtualmachine.power import DEFAULT_STRATEGY
from reconciler.settings.settings import Settings
from specs.reference import Ref

_AGENT_TIMEOUT_S: Final = 150.0
_ON, _PAUSED = ("running", "blocked", "shutdown"), ("paused", "pmsuspended")


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: `by` is agent or host; `note` is what else there is to know."""

    sentence: str
    by: str
    note: str = ""


class Control:
    """One machine. `url` is where the agent's API is, empty when none can be asked; `socket` the Unix socket that it is
    reached by, empty for a port.
    """

    def __init__(self, settings: Settings, hypervisor: Hypervisor, ref: Ref) -> None:
        self.ref = ref
        self._host = hypervisor
        ledger = Ledger.open(settings.state, readonly=True)
        owned = ledger.ownership.all().get(ref)
        self.declared = owned is not None or ledger.status.of(ref) is not None
        self.strategy = owned.facts.get(Fact.RUN_STRATEGY, DEFAULT_STRATEGY) if owned is not None else ""
        self.path = owned.path if owned is not None else ""
        self.agent_runs = StateFolder.holder(settings.state) is not None
        info = ledger.heartbeat.told() if self.agent_runs and self.declared else {}
        self.socket = info.get("socket", "")
        place = "localhost" if self.socket else info.get("listen", "")
        self.url = f"http://{place}" if place else ""

    def start(self) -> Done:
        """Have it run. Raises OnggiError."""
        state = self._host.machine_state(self.ref)
        if state in _ON:
            return Done(f"{self.ref} runs already.", "host")
        if self.url:
            self._ask("start")
            return Done(f"{self.ref} runs; its document asks for that now.", "agent")
        self._mind("start", undone="stop it again", by=("Halted",), instead="RerunOnFailure")
        self._host.perform(Resume(self.ref) if state in _PAUSED else Start(self.ref))
        return Done(f"{self.ref} runs.", "host", self._left("Halted", "stops it again", "RerunOnFailure"))

    def stop(self, timeout_s: float, *, now: bool) -> Done:
        """Have it off: its guest is asked to shut down, or with `now` its power is cut. Raises OnggiError."""
        if self._host.machine_state(self.ref) in ("shutoff", "crashed"):
            return Done(f"{self.ref} is off already.", "host", self._left("Always", "starts it", "Halted"))
        if self.url:
            self._ask("poweroff" if now else "shutdown")
            told = "is off" if now else "was asked to shut down"
            return Done(f"{self.ref} {told}; its document says `runStrategy: Halted` now.", "agent")
        self._mind("stop", undone="start it again", by=("Always",), instead="Halted")
        self._off(timeout_s, now=now)
        return Done(f"{self.ref} is off.", "host", self._left("Always", "starts it again", "Halted"))

    def restart(self, timeout_s: float, *, now: bool) -> Done:
        """Stop it and start it, so that what waits for a restart comes true. Its document isn't concerned."""
        if self._host.machine_state(self.ref) in ("shutoff", "crashed"):
            raise Refused(f"{self.ref} is off; start it: onggi start {self.ref.name}", reason="MachineNotRunning")
        self._mind("restart", undone="stop it again", by=("Halted",), instead="RerunOnFailure")
        self._off(timeout_s, now=now)
        self._host.perform(Start(self.ref))
        return Done(f"{self.ref} was restarted.", "host")

    def _off(self, timeout_s: float, *, now: bool) -> None:
        if now:
            self._host.perform(PowerOff(self.ref))
            return
        try:
            self._host.perform(Stop(self.ref, timeout_s))
        except Transient as error:
            raise Transient(
                f"{self.ref} was asked to shut down and isn't off ({str(error).partition(';')[0]}); "
                "give it more time with --timeout, or cut its power with --now"
            ) from None

    def _mind(self, what: str, *, undone: str, by: tuple[str, ...], instead: str) -> None:
        """Raises Refused for what the running agent would undo, and can't be asked for."""
        if self.agent_runs and self.declared and self.strategy in by:
            raise Refused(
                f"{self.ref}: its document says `runStrategy: {self.strategy}`, so the agent would {undone}; write "
                f"`{instead}` in {self.path or 'its document'} and commit it, or run the agent with --socket, and "
                f"`onggi {what}` does that",
                reason="AgainstItsDocument",
            )

    def _left(self, strategy: str, what: str, instead: str) -> str:
        """What the document wants in spite of what was done just now; nothing where it agrees, or leaves it open."""
        if not self.declared or self.strategy != strategy:
            return ""
        return (
            f"its document says `runStrategy: {strategy}`: the next apply {what}; write `{instead}` in "
            f"{self.path or 'it'} to keep it so"
        )

    def _ask(self, action: str) -> None:
        """Ask the agent. Raises OnggiError with what it answers."""
        import httpx

        try:
            with httpx.Client(
                transport=httpx.HTTPTransport(uds=self.socket or None), timeout=_AGENT_TIMEOUT_S, trust_env=False
            ) as client:
                answer = client.post(f"{self.url}/vms/{quote(self.ref.name, safe='')}/{action}", json={})
        except httpx.HTTPError as error:
            where, what = self.socket or self.url, type(error).__name__
            raise Transient(f"The agent runs and can't be asked at {where} ({what}); look at its log") from None
        if answer.is_success:
            return
        reason = _reason(answer)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotFound(f"The agent says: {reason}")
        raise OnggiError(f"The agent says: {reason}")


def _reason(answer: Any) -> str:
    try:
        told = str(answer.json()["reason"])
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"
    code, separator, sentence = told.partition(": ")
    return sentence if separator and code.startswith("KCH") else told
