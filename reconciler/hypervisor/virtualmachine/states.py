"""libvirt's numbers for a domain's state and the reason of it, as the words that snapshots, plans and people use."""

from __future__ import annotations

from collections.abc import Mapping

import libvirt

_STATES = {
    libvirt.VIR_DOMAIN_RUNNING: "running",
    libvirt.VIR_DOMAIN_BLOCKED: "blocked",
    libvirt.VIR_DOMAIN_PAUSED: "paused",
    libvirt.VIR_DOMAIN_SHUTDOWN: "shutdown",
    libvirt.VIR_DOMAIN_SHUTOFF: "shutoff",
    libvirt.VIR_DOMAIN_CRASHED: "crashed",
    libvirt.VIR_DOMAIN_PMSUSPENDED: "pmsuspended",
}


def _words(prefix: str) -> Mapping[int, str]:
    """`VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT` → `from-snapshot`, for whatever this libvirt knows."""
    return {
        value: name.removeprefix(prefix).lower().replace("_", "-")
        for name, value in vars(libvirt).items()
        if name.startswith(prefix) and not name.endswith("_LAST")
    }


GUEST_SHUTDOWN = ("shutoff", "shutdown")
HOST_SIGNAL = "host-signal"  # libvirt keeps the same reason for it; an event told of the difference

_REASONS: Mapping[int, Mapping[int, str]] = {
    libvirt.VIR_DOMAIN_RUNNING: _words("VIR_DOMAIN_RUNNING_"),
    libvirt.VIR_DOMAIN_PAUSED: _words("VIR_DOMAIN_PAUSED_"),
    libvirt.VIR_DOMAIN_SHUTOFF: _words("VIR_DOMAIN_SHUTOFF_"),
    libvirt.VIR_DOMAIN_CRASHED: _words("VIR_DOMAIN_CRASHED_"),
    # Not scanned: this prefix is also that of the flags of virDomainShutdownFlags.
    libvirt.VIR_DOMAIN_SHUTDOWN: {0: "unknown", 1: "user"},
}


def state_and_reason(state: int, reason: int) -> tuple[str, str]:
    """Such as (`shutoff`, `destroyed`). A state that this libvirt reports and nobody knows counts as running: it is
    there.
    """
    return _STATES.get(state, "running"), _REASONS.get(state, {}).get(reason, "unknown")
