"""Restarting the machine or switching it off, only while no VM runs on it. Which VMs do is for the caller to say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Protocol

from reconciler.errors import Conflict, Terminal
from reconciler.host.commands import Finished, Program, run

log = logging.getLogger("onggi.host")

SYSTEMCTL = Program("systemctl", "systemd", "restart this host or switch it off")
TIMEOUT_S = 30.0
_NAMED = 10

Run = Callable[..., Finished]


class Power(Protocol):
    """What the API asks of the machine."""

    def reboot(self, running: Collection[str]) -> None:
        """Restart."""

    def shutdown(self, running: Collection[str]) -> None:
        """Switch off."""


class HostPower:
    """Goes through systemd, which ends services in order and asks polkit whether this user may."""

    def __init__(self, run: Run = run) -> None:
        self._run = run

    def reboot(self, running: Collection[str]) -> None:
        """Restart the machine; it goes down soon after the return. `running` are the names of the VMs that run.

        Raises Conflict while there are any, Unsupported without systemctl, Terminal with systemd's reason.
        """
        self._ask("reboot", "restarted", running)

    def shutdown(self, running: Collection[str]) -> None:
        """Switch the machine off; otherwise as `reboot`."""
        self._ask("poweroff", "switched off", running)

    def _ask(self, verb: str, done: str, running: Collection[str]) -> None:
        if running:
            raise Conflict(f"The host can't be {done} while VMs run on it: {_listed(running)}; stop them first.")
        log.warning("the host is being %s", done)
        finished = self._run(SYSTEMCTL, ["--no-ask-password", "--no-block", verb], timeout_s=TIMEOUT_S)
        if finished.code != 0:
            raise Terminal(f"The host couldn't be {done}: {finished.reason}; see `systemctl status` on it.")


def _listed(names: Collection[str]) -> str:
    first = sorted(names)[:_NAMED]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")
