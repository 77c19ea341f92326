"""Keeps what events tell of a machine's runs, and no later question to libvirt would."""

from __future__ import annotations

from typing import Any

import libvirt

from reconciler.observed.runs import Runs
from specs.reference import VIRTUAL_MACHINE, Ref


def note_run(runs: Runs, machine: libvirt.virDomain, said: tuple[Any, ...]) -> None:
    """A run began or ended, or the machine was undefined."""
    event, detail = said[:2]
    if event == libvirt.VIR_DOMAIN_EVENT_SHUTDOWN and detail == libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_HOST:
        runs.signal(machine.UUID())
    elif event == libvirt.VIR_DOMAIN_EVENT_STOPPED and detail == libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED:
        runs.migrate(machine.UUID())
    elif event == libvirt.VIR_DOMAIN_EVENT_STARTED:
        runs.started(machine.UUID())
    elif event == libvirt.VIR_DOMAIN_EVENT_UNDEFINED:
        runs.undefined(machine.UUID())


def note_reboot(runs: Runs, machine: libvirt.virDomain, _said: tuple[Any, ...]) -> None:
    """A guest has rebooted."""
    runs.reboot(Ref(VIRTUAL_MACHINE, machine.name()))
