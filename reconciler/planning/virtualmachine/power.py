"""Decides about a virtual machine's power: what its run strategy asks for, given how its last run ended.

How changes of its XML come true is in `machine`, and when it is restarted for them in `restart`.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import Operation, Pause, Resume, Start, Stop
from reconciler.planning.ownership import Fact, Owned
from specs.effect import Change, Effect
from specs.virtualmachine import KIND as MACHINES

DEFAULT_STRATEGY = "RerunOnFailure"
DEFAULT_SHUTDOWN_TIMEOUT_S = 60

STARTED = frozenset({"Always", "RerunOnFailure"})  # the strategies that start machines

RUNNING = "running"
_NEVER = "never"  # nobody has seen it run
_HOST_RESTART = "host-restart"  # it ran when it was last seen, and libvirt knows nothing of how that ended
MIGRATED_AWAY = "migrated"

# What libvirt says of a machine that was never started, and of every machine that was off when libvirtd began.
_UNTOLD = frozenset({"", "unknown"})

# How a run ended, in libvirt's words and the three above. `host-signal` is a shutdown that a signal to QEMU asked for.
_ENDS: Mapping[str, str] = {
    _NEVER: "it was never started",
    _HOST_RESTART: "the host restarted",
    "shutdown": "the guest shut itself down",
    "host-signal": "a signal of the host ended it",
    "destroyed": "it was destroyed by hand",
    "crashed": "it crashed",
    "failed": "it failed",
    "daemon": "libvirtd ended it",
    "saved": "it was saved by hand",
    "from-snapshot": "a snapshot was restored by hand",
    MIGRATED_AWAY: "it was migrated to another host",
}

# Ends that nobody inside or at the host's console asked for: after these, RerunOnFailure starts the machine again.
_FAILURES = frozenset({_NEVER, _HOST_RESTART, "host-signal", "crashed", "failed", "daemon"})

# Ends that a machine comes to by itself. When they follow a start again and again, the starts back off.
_OF_ITSELF = frozenset({"shutdown", "crashed", "failed", "daemon"})


def strategy(resource: Resource) -> str:
    """The run strategy in force."""
    return str(MACHINES.declared(resource.spec).get("runStrategy", DEFAULT_STRATEGY))


def shutdown(resource: Resource) -> Stop:
    """How this machine is stopped: by ACPI within its limit of time, and by force after it only when it says so."""
    spec = MACHINES.declared(resource.spec)
    timeout_s = float(spec.get("shutdownTimeout", DEFAULT_SHUTDOWN_TIMEOUT_S))
    return Stop(resource.ref, timeout_s, bool(spec.get("forceStop")))


def last_end(observed: Observed, entry: Owned | None) -> str:
    """How the last run ended, in a word of libvirt's or one of this module's; empty while it runs.

    libvirtd forgets all reasons when it is restarted. What the ledger remembers tells the guest that had shut down
    before from the one that the host's end took down.
    """
    if observed.active:
        return ""
    if observed.state == "crashed":
        return "crashed"
    if observed.reason not in _UNTOLD:
        return observed.reason
    remembered = entry.facts.get(Fact.LAST_RUN, "") if entry is not None else ""
    return _HOST_RESTART if remembered == RUNNING else remembered or _NEVER


def last_run(observed: Observed, entry: Owned | None) -> str:
    """What the ledger is to remember of the last run; empty when there was none."""
    end = last_end(observed, entry)
    return "" if end == _NEVER else end or RUNNING


def end_text(end: str) -> str:
    """Half a sentence, such as `the guest shut itself down`."""
    return _ENDS.get(end, f"it went off ({end})")


def start_of(resource: Resource, observed: Observed, entry: Owned | None) -> Start:
    """The start of a machine that is off, with what the back-off of crash loops wants to know: an order isn't one."""
    end = "" if is_ordered(resource, entry) else last_end(observed, entry)
    paused = MACHINES.declared(resource.spec).get("paused", False)
    return Start(resource.ref, paused=paused, again=end if end in _OF_ITSELF else "")


def is_migrated(observed: Observed, entry: Owned | None) -> bool:
    """True when it runs on another host by now: started here too, both would write to its disks."""
    return last_end(observed, entry) == MIGRATED_AWAY


def power_changes(resource: Resource, observed: Observed, entry: Owned | None) -> list[tuple[Change, Operation]]:
    """What has to happen to the power state, each with the change that tells of it."""
    ref, spec = resource.ref, MACHINES.declared(resource.spec)
    wanted = strategy(resource)
    if wanted == "Halted":
        if not observed.active:
            return []
        return [(Change("/runStrategy", observed.state, "shutoff", Effect.LIVE), shutdown(resource))]
    paused = spec.get("paused")
    if observed.active:
        if paused is True and observed.state == "running":
            return [(Change("/paused", False, True, Effect.LIVE), Pause(ref))]
        if paused is False and observed.state == "paused":
            return [(Change("/paused", True, False, Effect.LIVE), Resume(ref))]
        return []
    if should_start(resource, observed, entry):
        start = start_of(resource, observed, entry)
        return [(Change("/runStrategy", observed.state, RUNNING, Effect.LIVE), start)]
    return []


def should_start(resource: Resource, observed: Observed, entry: Owned | None) -> bool:
    """Whether the run strategy asks for a start of a machine that is off."""
    wanted = strategy(resource)
    if wanted not in STARTED:
        return False
    if entry is not None and entry.facts.get(Fact.RESTARTING):
        return True  # onggi itself shut it down, and was cut off before it came to the start
    if wanted == "Always":
        return True
    if "runStrategy" not in MACHINES.declared(resource.spec) and (entry is None or not entry.created):
        return False  # adopted without a word about power: it stays as it was found
    return is_ordered(resource, entry) or last_end(observed, entry) in _FAILURES


def is_ordered(resource: Resource, entry: Owned | None) -> bool:
    """True when another strategy was applied last, e.g. Halted: the new revision is the order to start."""
    applied = entry.facts.get(Fact.RUN_STRATEGY) if entry is not None else None
    return applied is not None and applied != strategy(resource)


def why_started(resource: Resource, observed: Observed, entry: Owned | None) -> str:
    """The sentence beside a start."""
    if entry is not None and entry.facts.get(Fact.RESTARTING):
        return "onggi shut it down to restart it, and starts it again"
    if is_ordered(resource, entry):
        return "its document changed"
    end = last_end(observed, entry)
    again = "starts it" if end == _NEVER else "starts it again"
    return f"{end_text(end)}; runStrategy: {strategy(resource)} {again}"
