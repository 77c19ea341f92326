"""Starts, stops, pauses and resumes machines. A guest is asked to shut down first; force is for who declared it."""

from __future__ import annotations

import threading
import time
from typing import Any

import libvirt

from reconciler.errors import Cancelled, Conflict, Refused, Terminal, Transient
from reconciler.hypervisor.connection import Connections, Lane
from reconciler.hypervisor.failure import is_unsupported
from reconciler.hypervisor.lookup import find, get
from reconciler.planning.one_off import PowerOff, Reset
from reconciler.planning.operations import Pause, Resume, Start, Stop
from specs.reference import Ref

# A guest that is still booting doesn't hear the first press of the power button.
_PRESS_AGAIN_S = 5.0
_LOOK_S = (0.02, 0.05, 0.1, 0.2)  # a test driver's guest is off at once, a real one after seconds

_GONE_S = (0.05, 0.1, 0.2, 0.4)

# Nobody in there hears the power button. NOTE: a paused guest isn't resumed for it: whoever paused it may have had to.
_DEAF = {libvirt.VIR_DOMAIN_CRASHED: "has crashed", libvirt.VIR_DOMAIN_PAUSED: "is paused"}


def start(connections: Connections, operation: Start) -> None:
    """Start it; already started is fine. Raises NotFound, and Terminal or Transient for what libvirt says."""
    with connections.lend(f"start {operation.ref}", Lane.SLOW) as connection:
        _start(get(connection, operation.ref), paused=operation.paused)


def _start(domain: libvirt.virDomain, *, paused: bool) -> None:
    if domain.isActive():
        if domain.state()[0] != libvirt.VIR_DOMAIN_CRASHED:
            return
        domain.destroy()  # its remains were kept for a look, and are in the way of a new start
    try:
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)
    except libvirt.libvirtError as error:
        if domain.isActive():  # somebody else was faster
            return
        if not (paused and is_unsupported(error)):
            raise
        domain.create()
        try:
            domain.suspend()
        except libvirt.libvirtError:
            domain.destroy()  # running is not what was asked for
            raise


def stop(connections: Connections, operation: Stop, cancelled: threading.Event) -> None:
    """Stop it; already stopped or gone is fine.

    Raises Cancelled soon after `cancelled` is set, and Transient when a guest doesn't shut down in time.
    """
    ref = operation.ref
    refusal = _shut_down(connections, ref, operation.timeout_s, cancelled)
    if refusal is None:
        return
    if not operation.force:
        raise Transient(refusal, retry_after_s=max(operation.timeout_s, 30.0))
    with connections.lend(f"force {ref} off", Lane.SLOW) as connection:
        domain = find(connection, ref)
        if domain is not None:
            _destroy(domain)


def _shut_down(connections: Connections, ref: Ref, timeout_s: float, cancelled: threading.Event) -> str | None:
    """None once the machine is off, else why not. Between two looks the connection goes back: waiting needs none."""
    began = time.monotonic()
    press_at = began
    looks = 0
    while True:
        with connections.lend(f"shut {ref} down", Lane.SLOW) as connection:
            domain = find(connection, ref)
            if domain is None or not domain.isActive():
                return None
            now, state = time.monotonic(), domain.state()[0]
            if state in (libvirt.VIR_DOMAIN_CRASHED, libvirt.VIR_DOMAIN_PAUSED):
                word = _DEAF[state]
                return f"{ref} {word}, so it can't shut itself down; set forceStop: true or switch it off by hand."
            if now - began >= timeout_s and looks:
                return f"{ref} did not shut down within {timeout_s:g} s; set forceStop: true or shut it down by hand."
            if now >= press_at:
                press_at = now + _PRESS_AGAIN_S
                _press(domain)
        if cancelled.wait(min(_LOOK_S[min(looks, len(_LOOK_S) - 1)], max(timeout_s, 0.02))):
            raise Cancelled(f"the agent is stopping; {ref} was asked to shut down and may still do so.")
        looks += 1


def _press(domain: libvirt.virDomain) -> None:
    try:
        domain.shutdown()
    except libvirt.libvirtError:
        # Somebody may have switched it off just now: QEMU is then gone some moments before libvirt knows.
        for wait_s in _GONE_S:
            if not _is_active(domain):
                return
            time.sleep(wait_s)
        if _is_active(domain):
            raise


def _destroy(domain: libvirt.virDomain) -> None:
    """Off by force: first so that QEMU can still write out its caches."""
    for flags in (libvirt.VIR_DOMAIN_DESTROY_GRACEFUL, libvirt.VIR_DOMAIN_DESTROY_DEFAULT):
        try:
            domain.destroyFlags(flags)
        except libvirt.libvirtError:
            if not _is_active(domain):
                return
            if flags == libvirt.VIR_DOMAIN_DESTROY_DEFAULT:
                raise
        else:
            return


def _is_active(domain: libvirt.virDomain) -> bool:
    try:
        return bool(domain.isActive())
    except libvirt.libvirtError:
        return False  # a transient one is gone with its last run


def pause(connections: Connections, operation: Pause) -> None:
    """Stop a running machine's CPUs; already paused is fine. Raises Conflict when it doesn't run."""
    with connections.lend(f"pause {operation.ref}") as connection:
        domain = _running(connection, operation.ref)
        if domain.state()[0] != libvirt.VIR_DOMAIN_PAUSED:
            domain.suspend()


def resume(connections: Connections, operation: Resume) -> None:
    """Let a paused machine's CPUs go on; already running is fine. Raises Conflict when it is off."""
    with connections.lend(f"resume {operation.ref}") as connection:
        domain = _running(connection, operation.ref)
        state = domain.state()[0]
        if state == libvirt.VIR_DOMAIN_PMSUSPENDED:
            raise Terminal(f"{operation.ref} sleeps by its own wish; wake it up with: virsh dompmwakeup.")
        if state == libvirt.VIR_DOMAIN_PAUSED:
            domain.resume()


def power_off(connections: Connections, operation: PowerOff) -> None:
    """Switch a machine off at once; off already or gone is fine. Takes no place of the slow lane: those wait."""
    with connections.lend(f"switch {operation.ref} off") as connection:
        domain = find(connection, operation.ref)
        if domain is not None and domain.isActive():
            _destroy(domain)


def reset(connections: Connections, operation: Reset) -> None:
    """Press a machine's reset button. Raises Refused when it doesn't run."""
    with connections.lend(f"reset {operation.ref}") as connection:
        domain = get(connection, operation.ref)
        if not domain.isActive():
            raise Refused(f"{operation.ref} doesn't run; start it instead.", reason="MachineNotRunning")
        domain.reset()


def _running(connection: libvirt.virConnect, ref: Ref) -> Any:
    domain = get(connection, ref)
    if not domain.isActive():
        raise Conflict(f"{ref} was stopped meanwhile; the next pass looks what to do about it.")
    return domain
