"""Changes a machine that runs: its devices, memory, CPUs and words.

Only the running thing is changed here; its persistent definition is the business of the `Define` in the same step.
An edit of something that was stopped meanwhile has nothing left to do.
"""

from __future__ import annotations

import threading
import time

import libvirt

from reconciler.errors import Cancelled, Terminal, Transient
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_unplug_pending, message
from reconciler.hypervisor.lookup import get
from reconciler.hypervisor.virtualmachine import devices
from reconciler.hypervisor.virtualmachine.passwords import fill, keep_passwords, lacks_password
from reconciler.hypervisor.virtualmachine.refusals import Refusals, is_refusal
from reconciler.hypervisor.virtualmachine.tuning import tune
from reconciler.planning.operations import EditLive
from specs.binding import Element, parse, serialise, text_at
from specs.reach import Reach
from specs.virtualmachine.storage.iolimits import WORDS, beside_limits, read_limits

_LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
_UNPLUG_TIMEOUT_S = 10.0
_BALLOON_PATIENCE_S = 3.0
_ENDED = (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_CRASHED)
_LOOK_S = 0.1


def edit(
    connections: Connections,
    operation: EditLive,
    cancelled: threading.Event,
    refusals: Refusals,
    reach: Reach | None = None,
) -> None:
    """Change a running machine; a machine that isn't running any more gets the change with its next boot, and so does
    one that can't be changed so: that is noted in `refusals`.

    Raises Transient when a guest doesn't let go of a device, Cancelled while waiting for it.
    """
    ref = operation.ref
    device = parse(operation.value) if operation.verb in ("attach", "detach", "update", "iotune", "tune") else None
    secrets = fill(device, operation.secrets, reach) if device is not None else ()
    what = f"{operation.verb} {device.tag} of" if device is not None else f"change the {operation.verb} of"
    with connections.lend(f"{what} {ref} while it runs", secrets=secrets) as connection:
        domain = get(connection, ref)
        if not domain.isActive():
            return
        run = str(domain.ID())
        try:
            if device is None:
                _set(domain, operation)
            else:
                _change_device(domain, operation, device)
        except libvirt.libvirtError as error:
            if not is_refusal(error):
                raise
            refusals.refused(operation, run, message(error, secrets))
            return
    if operation.verb == "detach" and device is not None:
        _wait_until_gone(connections, operation, device, cancelled)
    elif operation.verb == "memory":
        _wait_for_memory(connections, operation, cancelled, refusals)


def _change_device(domain: libvirt.virDomain, operation: EditLive, device: Element) -> None:
    if operation.verb == "attach":
        if not _has(domain, device):
            domain.attachDeviceFlags(serialise(device), _LIVE)
    elif operation.verb == "detach":
        if _find(domain, device) is not None:
            _ask_to_unplug(domain, device)
    elif operation.verb == "tune":
        tune(domain, device)
    elif operation.verb == "iotune":
        said, beside = read_limits(device), beside_limits(device)
        # All of them: what isn't named keeps its value, and a limit for both directions excludes one for each.
        limits = {parameter: said.get(word, 0) for word, parameter in WORDS.items()}
        domain.setBlockIoTune(text_at(device, "target/@dev"), beside or limits, _LIVE)
    else:
        if device.tag == "graphics" and lacks_password(device):
            keep_passwords(device, parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)))
        domain.updateDeviceFlags(serialise(device), _LIVE)


def _set(domain: libvirt.virDomain, operation: EditLive) -> None:
    value = operation.value
    if operation.verb == "memory":
        domain.setMemoryFlags(int(value), _LIVE)
    elif operation.verb == "vcpus":
        domain.setVcpusFlags(int(value), _LIVE)
    elif operation.verb == "stats":
        domain.setMemoryStatsPeriod(int(value), _LIVE)
    elif operation.verb == "resize":
        target, _, size = value.rpartition("|")
        resize_disk(domain, operation.ref.name, target, int(size))
    else:
        kinds = {
            "title": libvirt.VIR_DOMAIN_METADATA_TITLE,
            "description": libvirt.VIR_DOMAIN_METADATA_DESCRIPTION,
        }
        domain.setMetadata(kinds[operation.verb], value or None, None, None, _LIVE)


def resize_disk(domain: libvirt.virDomain, machine: str, target: str, capacity: int) -> None:
    """Make a running machine's disk larger, `capacity` bytes in all. Raises Terminal rather than make it smaller."""
    now = domain.blockInfo(target)[0]
    if capacity < now:
        raise Terminal(
            f"{target} of {machine} has {now} bytes; it isn't shrunk to {capacity}, that would cut off data."
        )
    if capacity > now:
        domain.blockResize(target, capacity, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)


def _find(domain: libvirt.virDomain, device: Element) -> Element | None:
    """The running machine's device that is meant. The device itself where that can't be told: libvirt then decides."""
    if not devices.identity(device):
        return device
    running = parse(domain.XMLDesc()).iterfind(f"devices/{device.tag}")
    return next((each for each in running if devices.is_meant(device, each)), None)


def _has(domain: libvirt.virDomain, device: Element) -> bool:
    """True when the machine already has this very device. Another disk at the same target is libvirt's to refuse."""
    if not devices.identity(device):
        return False
    found = _find(domain, device)
    return found is not None and devices.has_same_source(device, found)


def _ask_to_unplug(domain: libvirt.virDomain, device: Element) -> None:
    try:
        domain.detachDeviceFlags(serialise(device), _LIVE)
    except libvirt.libvirtError as error:
        if _find(domain, device) is not None and not is_unplug_pending(error):
            raise


def _wait_until_gone(
    connections: Connections, operation: EditLive, device: Element, cancelled: threading.Event
) -> None:
    """libvirt answers when the guest was asked; the device is gone when the guest has let go of it."""
    if not devices.identity(device):
        return
    end = time.monotonic() + _UNPLUG_TIMEOUT_S
    while True:
        with connections.lend(f"detach {device.tag} of {operation.ref} while it runs") as connection:
            domain = get(connection, operation.ref)
            if not domain.isActive() or _find(domain, device) is None:
                return
        if time.monotonic() >= end:
            raise Transient(
                f"the guest in {operation.ref} hasn't let go of the {device.tag} that is to be detached; it is "
                "without it as soon as it does, and at its next boot at the latest.",
                retry_after_s=30.0,
            )
        if cancelled.wait(_LOOK_S):
            raise Cancelled(f"the agent is stopping; {operation.ref} was asked to let go of a {device.tag}.")


def _wait_for_memory(
    connections: Connections, operation: EditLive, cancelled: threading.Event, refusals: Refusals
) -> None:
    """libvirt answers when the balloon was told; the guest's driver then gives memory back, or takes it.

    How long that takes is the guest's business, and one that boots has no driver yet: it follows by itself.
    """
    wanted = int(operation.value)
    end = time.monotonic() + _BALLOON_PATIENCE_S
    while True:
        with connections.lend(f"look at the memory of {operation.ref}") as connection:
            domain = get(connection, operation.ref)
            state, _, now = domain.info()[:3]
            run = str(domain.ID())
        if now == wanted or state in _ENDED:
            return
        if time.monotonic() >= end:
            why = f"its guest was told, and still has {now // 1024} MiB: its balloon driver is slow, or it has none"
            refusals.told(operation, run, why)
            return
        if cancelled.wait(_LOOK_S):
            raise Cancelled(f"the agent is stopping; the guest in {operation.ref} was told its new memory.")
