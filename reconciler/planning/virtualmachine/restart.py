"""Decides whether a running VM is restarted for the changes that wait for its next boot: `restartPolicy`.

Never and WhenStopped leave the guest alone; they differ in what a reboot from inside the guest means, for such a reboot
keeps the old definition. Graceful asks the guest to shut down, within its limit of time. No policy cuts the power: that
takes `forceStop: true`. The same changes are the cause of one restart only: whatever a restart doesn't bring, another
one won't.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import Operation, Start
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.virtualmachine.power import STARTED, shutdown, strategy
from specs.effect import Change, Effect
from specs.virtualmachine import KIND as MACHINES

DEFAULT_POLICY = "Never"

_LATE_REACTION_S = 600.0  # for so long after its limit of time a shutdown still counts as the answer to our request

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Restart:
    """What a VM's waiting changes lead to: the operations of a restart, or none, and what the changes wait for."""

    operations: tuple[Operation, ...] = ()
    why: str = ""
    waits_for: str = ""  # completes "waits for ..."
    fingerprint: str = ""  # of the changes, for `Fact.RESTARTING` and `Fact.RESTARTED`

    def held_up(self) -> Restart:
        """The same for a machine that lacks something: off, it couldn't be started again."""
        return Restart(waits_for="what it lacks, for without that it wouldn't start again") if self.operations else self


def restart(
    resource: Resource, observed: Observed, entry: Owned | None, waiting: Iterable[Change], *, rebooted: bool
) -> Restart:
    """For a running VM. `rebooted`: its guest has rebooted itself since the last pass."""
    changes = [change for change in waiting if change.effect is Effect.NEXT_BOOT]
    if not changes:
        return Restart()
    declared = MACHINES.declared(resource.spec)
    policy = declared.get("restartPolicy", DEFAULT_POLICY)
    if policy == "Never":
        return Restart(waits_for="its next boot, for which it has to be off: a reboot inside the guest isn't enough")
    if strategy(resource) not in STARTED:
        return Restart(waits_for=f"its next boot: runStrategy: {strategy(resource)} leaves that to people")
    if resource.policy.drift != "enforce":
        return Restart(waits_for=f"its next boot: driftPolicy: {resource.policy.drift} keeps it from being restarted")
    if not observed.persistent:
        return Restart(waits_for="its next boot: a transient machine would be gone with its shutdown")
    if observed.state != "running":
        return Restart(waits_for=f"its restart, once it runs: it is {observed.state} and can't shut itself down")
    fingerprint = _fingerprint(changes)
    if entry is not None and entry.facts.get(Fact.RESTARTED) == fingerprint:
        return Restart(waits_for="a person to look: it was restarted for this, and came back as before")
    if policy == "WhenStopped" and not rebooted:
        return Restart(waits_for="the moment when it is off, or when its guest reboots")
    cause = "its guest rebooted, and " if policy == "WhenStopped" else ""
    fields = ", ".join(change.pointer for change in changes)
    return Restart(
        operations=(shutdown(resource), Start(resource.ref, paused=declared.get("paused", False))),
        why=f"{cause}restartPolicy: {policy} restarts it for {fields}",
        waits_for=f"the restart that restartPolicy: {policy} asks its guest for",
        fingerprint=fingerprint,
    )


def restart_facts(found: Restart, resource: Resource, observed: Observed, entry: Owned | None, now: float) -> Facts:
    """What the ledger is to remember of restarts, written down before the step begins.

    A guest may follow the request to shut down when nobody waits for it any more, or when the agent is gone: whoever
    finds it off then has to know that it was meant to come back.
    """
    known = entry.facts if entry is not None else {}
    facts: dict[str, str] = {}
    since = known.get(Fact.RESTARTING, "")
    if found.operations:
        facts[Fact.RESTARTING.value] = since or str(int(now))
    elif not since or strategy(resource) not in STARTED:
        pass  # nobody is to be started again
    elif not observed.active or (found.waits_for and now - float(since) < _reaction_s(resource)):
        facts[Fact.RESTARTING.value] = since
    if found.waits_for and (done := known.get(Fact.RESTARTED)):
        facts[Fact.RESTARTED.value] = done
    return facts


def _reaction_s(resource: Resource) -> float:
    return shutdown(resource).timeout_s + _LATE_REACTION_S


def _fingerprint(changes: Iterable[Change]) -> str:
    text = json.dumps([(change.pointer, change.old, change.new) for change in changes], default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
