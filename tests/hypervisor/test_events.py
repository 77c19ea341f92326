"""An event names the object to look at again, whoever changed it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from reconciler.hypervisor import Hypervisor
from reconciler.planning.operations import EditLive, Pause, Resume, Start, Undefine
from specs.reference import NETWORK, Ref
from tests.hypervisor.conftest import Made, folder_pool, machine
from tests.lab.libvirtd import HostObjects
from tests.lab.waiting import until


class Marks:
    """What a subscriber was told."""

    def __init__(self) -> None:
        self.refs: list[Ref | None] = []

    def wait_for(self, ref: Ref) -> None:
        until(lambda: ref in self.refs, 60, f"{ref} is marked", every_s=0.01)
        self.refs.clear()


@pytest.fixture
def marks(qemu_host: Hypervisor) -> Iterator[Marks]:
    marks = Marks()
    qemu_host.subscribe(marks.refs.append)
    qemu_host.observe(None, None)
    yield marks


def test_a_change_by_hand_is_heard_of(
    marks: Marks, qemu_connection: libvirt.virConnect, host_objects: HostObjects, dir_pool_folder: Path
) -> None:
    web = machine(host_objects.name("web"))
    domain = qemu_connection.defineXML(web.xml)
    marks.wait_for(web.ref)
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "by hand", None, None, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    marks.wait_for(web.ref)
    domain.undefine()
    marks.wait_for(web.ref)

    network = qemu_connection.networkDefineXML(f"<network><name>{host_objects.name('net')}</name></network>")
    marks.wait_for(Ref(NETWORK, network.name()))

    images = folder_pool(host_objects.name("pool"), dir_pool_folder)
    pool = qemu_connection.storagePoolDefineXML(images.xml)
    marks.wait_for(images.ref)
    pool.create()
    marks.wait_for(images.ref)
    pool.refresh()
    marks.wait_for(images.ref)


def test_the_life_of_a_machine_is_heard_of(
    qemu_host: Hypervisor, marks: Marks, host_objects: HostObjects, dir_pool_folder: Path
) -> None:
    web: Made = machine(host_objects.name("web"), devices="<controller type='usb' model='qemu-xhci'/>")
    qemu_host.perform(web.define)
    marks.wait_for(web.ref)
    qemu_host.perform(Start(web.ref, paused=True))
    marks.wait_for(web.ref)
    qemu_host.perform(Resume(web.ref))
    marks.wait_for(web.ref)
    qemu_host.perform(Pause(web.ref))
    marks.wait_for(web.ref)
    (dir_pool_folder / "disk").write_bytes(b"\0" * 4096)
    source = f"<source file='{dir_pool_folder}/disk'/>"
    disk = f"<disk type='file' device='disk'>{source}<target dev='sda' bus='usb'/></disk>"
    for verb in ("attach", "detach"):
        qemu_host.perform(EditLive(web.ref, verb, disk))  # type: ignore[arg-type]
        marks.wait_for(web.ref)


def test_events_come_from_the_test_driver_too(test_host: Hypervisor) -> None:
    marks = Marks()
    test_host.subscribe(marks.refs.append)
    web = machine("web", kind="test")
    test_host.perform(web.define)
    marks.wait_for(web.ref)
    test_host.perform(Undefine(web.ref, web.uid))
    marks.wait_for(web.ref)


def test_a_subscriber_that_fails_disturbs_nobody(test_host: Hypervisor, capfd: pytest.CaptureFixture[str]) -> None:
    def fail(ref: Ref | None) -> None:
        raise ValueError(ref)

    marks = Marks()
    test_host.subscribe(marks.refs.append)
    test_host.subscribe(fail)
    web = machine("web", kind="test")
    test_host.perform(web.define)
    marks.wait_for(web.ref)
    assert web.ref in test_host.observe(None, None).objects
    assert "Traceback" not in capfd.readouterr().err


def test_after_closing_nothing_is_heard(
    qemu_system: str, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    first, second = Hypervisor.open(qemu_system), Hypervisor.open(qemu_system)
    closed, open_ = Marks(), Marks()
    for hypervisor, marks in ((first, closed), (second, open_)):
        hypervisor.subscribe(marks.refs.append)
        hypervisor.observe(None, None)
    first.close()
    closed.refs.clear()
    name = host_objects.name("net")
    qemu_connection.networkDefineXML(f"<network><name>{name}</name></network>")
    open_.wait_for(Ref(NETWORK, name))
    assert closed.refs == []
    assert not first.connected
    second.close()


LAST_CONNECTION = """
import gc

import libvirt
from reconciler.hypervisor import Hypervisor

hypervisor = Hypervisor.open("test:///default")
hypervisor.observe(None, None)
hand = libvirt.open("test:///default")
hand.lookupByName("test").destroy()
hand.close()
hypervisor.close()
gc.collect()  # the binding's books of callbacks refer to their connection
print(libvirt.open("test:///default").lookupByName("test").isActive())
"""


def test_a_host_in_this_process_ends_with_the_last_connection_to_it() -> None:
    """In a process of its own, where no other test has one."""
    done = subprocess.run([sys.executable, "-c", LAST_CONNECTION], capture_output=True, text=True, check=False)
    assert done.stdout == "1\n", done.stderr


def test_a_reboot_of_a_guest_is_told_once(
    qemu_host: Hypervisor,
    marks: Marks,
    paused_machine: Callable[..., Made],
    qemu_connection: libvirt.virConnect,
) -> None:
    web = paused_machine("web")
    qemu_host.take_rebooted()
    marks.refs.clear()
    qemu_connection.lookupByName(web.ref.name).reset()
    marks.wait_for(web.ref)
    until(lambda: web.ref in qemu_host.take_rebooted(), 60, "the reboot is told")
    assert web.ref not in qemu_host.take_rebooted()


def test_a_signal_of_the_host_is_told_from_a_shutdown_of_the_guest(
    qemu_host: Hypervisor,
    marks: Marks,
    paused_machine: Callable[..., Made],
    qemu_connection: libvirt.virConnect,
) -> None:
    web = paused_machine("web")
    domain = qemu_connection.lookupByName(web.ref.name)
    os.kill(int(Path(f"/run/libvirt/qemu/{web.ref.name}.pid").read_text()), signal.SIGTERM)

    def reason() -> str:
        return qemu_host.observe(None, None).objects[web.ref].reason

    until(lambda: reason() == "host-signal", 60, "it is known what ended it")
    assert domain.state()[1] == libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN, "libvirt itself keeps no difference"
    qemu_host.perform(Start(web.ref, paused=True))
    domain.destroy()
    until(lambda: reason() == "destroyed", 60, "the next run has an end of its own")
