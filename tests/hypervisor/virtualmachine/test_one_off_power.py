"""Reset and power-off: at once, and a power-off also beside a step that waits for the guest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import libvirt
import pytest

from reconciler.applying.executor import Executor, Progress
from reconciler.errors import NotFound, Refused
from reconciler.hypervisor import Hypervisor
from reconciler.ledger.ledger import Ledger
from reconciler.planning.one_off import PowerOff, Reset
from reconciler.planning.operations import Pause, Start, Stop
from reconciler.planning.plan import Plan, Step, one_off_step
from reconciler.status.outcome import Result, StepOutcome
from specs.reference import Ref
from tests.hypervisor.conftest import Made, machine
from tests.lab.libvirtd import HostObjects

Paused = Callable[..., Made]


@pytest.mark.qemu
def test_a_power_off_does_not_wait_for_a_stop_that_waits_for_its_guest(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects, tmp_path: Path
) -> None:
    web = machine(host_objects.name("web"))
    qemu_host.perform(web.define)
    qemu_host.perform(Start(web.ref))  # nothing in there hears a power button
    ledger = Ledger.open(tmp_path)
    executor = Executor(qemu_host, ledger)
    waiting = threading.Event()
    ends: list[StepOutcome] = []

    def apply(step: Step, told: Callable[[Progress], None] | None = None) -> None:
        ends.extend(executor.apply(Plan("", (step,)), stop=threading.Event(), on_progress=told))

    stopping = threading.Thread(
        target=apply,
        args=(one_off_step(web.ref, "asked for", Stop(web.ref, timeout_s=200)), lambda progress: waiting.set()),
    )
    stopping.start()
    assert waiting.wait(60)
    apply(one_off_step(web.ref, "power-off was asked for", PowerOff(web.ref)))
    assert not qemu_connection.lookupByName(web.ref.name).isActive()
    stopping.join(60)
    assert [(end.result, end.message) for end in ends] == [(Result.CONFIGURED, "")] * 2
    ledger.close()


@pytest.mark.qemu
def test_power_off_of_what_is_off_or_gone_is_done(qemu_host: Hypervisor, paused_machine: Paused) -> None:
    web = paused_machine("web")
    qemu_host.perform(PowerOff(web.ref))
    qemu_host.perform(PowerOff(web.ref))
    assert qemu_host.observe(None, None).objects[web.ref].state == "shutoff"
    qemu_host.perform(PowerOff(Ref("VirtualMachine", f"{web.ref.name}-gone")))


@pytest.mark.qemu
def test_a_reset_leaves_the_machine_as_it_is(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, paused_machine: Paused
) -> None:
    web = paused_machine("web")
    run = qemu_connection.lookupByName(web.ref.name).ID()
    qemu_host.perform(Reset(web.ref))
    assert qemu_connection.lookupByName(web.ref.name).ID() == run


def test_only_a_machine_that_runs_is_reset(test_host: Hypervisor) -> None:
    web = machine("web", kind="test")
    test_host.perform(web.define)
    with pytest.raises(Refused) as refused:
        test_host.perform(Reset(web.ref))
    assert refused.value.reason == "MachineNotRunning"
    with pytest.raises(NotFound):
        test_host.perform(Reset(Ref("VirtualMachine", "nobody")))


def test_the_test_driver_switches_off_too(test_host: Hypervisor) -> None:
    web = machine("web", kind="test")
    test_host.perform(web.define)
    test_host.perform(Start(web.ref))
    test_host.perform(Pause(web.ref))
    test_host.perform(PowerOff(web.ref))
    assert test_host.observe(None, None).objects[web.ref].state == "shutoff"
