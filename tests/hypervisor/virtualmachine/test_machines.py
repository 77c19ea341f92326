"""Every operation on a machine, on the real host: the state of the world afterwards, once and twice."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from reconciler.errors import Cancelled, Conflict, NotFound, OnggiError, Terminal, Transient
from reconciler.hypervisor import Hypervisor
from reconciler.planning.operations import (
    CreateVolume,
    Define,
    EditLive,
    Operation,
    Pause,
    Resume,
    SetAutostart,
    Start,
    Stop,
    Undefine,
)
from specs.reference import Ref
from tests.hypervisor.conftest import Made, machine
from tests.lab.libvirtd import HostObjects

Paused = Callable[..., Made]

USB = "<controller type='usb' model='qemu-xhci'/>"
NIC = "<interface type='network'><mac address='{mac}'/><source network='{network}'/><model type='usb-net'/></interface>"
DISK = """<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{path}'/>
  <target dev='{target}' bus='usb'/></disk>"""


def twice(hypervisor: Hypervisor, operation: Operation) -> None:
    hypervisor.perform(operation)
    hypervisor.perform(operation)


def state(connection: libvirt.virConnect, made: Made) -> int:
    return int(connection.lookupByName(made.ref.name).state()[0])


def live(connection: libvirt.virConnect, made: Made) -> etree._Element:
    return etree.fromstring(connection.lookupByName(made.ref.name).XMLDesc())


def test_a_machine_is_defined_started_paused_resumed_stopped_and_removed(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    web = machine(host_objects.name("web"))
    twice(qemu_host, web.define)
    twice(qemu_host, SetAutostart(web.ref, on=True))
    assert qemu_connection.lookupByName(web.ref.name).autostart()
    twice(qemu_host, Start(web.ref, paused=True))
    assert state(qemu_connection, web) == libvirt.VIR_DOMAIN_PAUSED
    twice(qemu_host, Resume(web.ref))
    assert state(qemu_connection, web) == libvirt.VIR_DOMAIN_RUNNING
    twice(qemu_host, Pause(web.ref))
    assert state(qemu_connection, web) == libvirt.VIR_DOMAIN_PAUSED
    twice(qemu_host, Stop(web.ref, timeout_s=0, force=True))
    assert state(qemu_connection, web) == libvirt.VIR_DOMAIN_SHUTOFF
    twice(qemu_host, Undefine(web.ref, web.uid))
    assert not host_objects.left()


def test_a_definition_is_changed_in_place(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    web = machine(host_objects.name("web"))
    qemu_host.perform(web.define)
    bigger = machine(web.ref.name, memory_mib=48).xml
    bigger = bigger.replace(bigger.split("<uuid>")[1][:36], web.uid)
    qemu_host.perform(Define(web.ref, web.uid, bigger))
    found = qemu_connection.lookupByName(web.ref.name)
    assert found.UUIDString() == web.uid
    assert found.maxMemory() == 48 * 1024


def test_another_machine_of_this_name_is_never_overwritten(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    theirs = machine(host_objects.name("web"))
    qemu_host.perform(theirs.define)
    ours = machine(theirs.ref.name, memory_mib=48)
    with pytest.raises(Conflict, match=theirs.uid):
        qemu_host.perform(ours.define)
    with pytest.raises(Conflict, match=theirs.uid):
        qemu_host.perform(Undefine(ours.ref, ours.uid))
    assert qemu_connection.lookupByName(theirs.ref.name).maxMemory() == 32 * 1024


def test_a_uuid_that_another_machine_has_is_refused(qemu_host: Hypervisor, host_objects: HostObjects) -> None:
    first = machine(host_objects.name("first"))
    qemu_host.perform(first.define)
    second = host_objects.name("second")
    with pytest.raises(Conflict, match=first.ref.name):
        qemu_host.perform(Define(Ref("VirtualMachine", second), first.uid, first.xml.replace(first.ref.name, second)))
    assert [word for word in host_objects.left() if word.startswith("domain")] == [f"domain {first.ref.name}"]


def test_a_running_machine_is_not_removed(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, paused_machine: Paused
) -> None:
    web = paused_machine("web")
    with pytest.raises(Conflict, match="started meanwhile"):
        qemu_host.perform(Undefine(web.ref, web.uid))
    assert state(qemu_connection, web) == libvirt.VIR_DOMAIN_PAUSED


def test_a_machine_goes_with_its_saved_state_and_snapshots(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, paused_machine: Paused, host_objects: HostObjects
) -> None:
    web = paused_machine("web")
    domain = qemu_connection.lookupByName(web.ref.name)
    domain.managedSave()
    assert qemu_host.observe(None, None).objects[web.ref].reason == "saved"
    qemu_host.perform(Undefine(web.ref, web.uid))
    assert not host_objects.left()


def test_a_guest_that_does_not_hear_is_not_forced_off_unasked(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, paused_machine: Paused
) -> None:
    web = paused_machine("web")
    qemu_host.perform(Resume(web.ref))  # a BIOS without a disk to boot from hears no power button
    with pytest.raises(
        Transient, match=r"did not shut down within 0\.3 s; set forceStop: true or shut it down by hand"
    ):
        qemu_host.perform(Stop(web.ref, timeout_s=0.3))
    assert state(qemu_connection, web) == libvirt.VIR_DOMAIN_RUNNING
    qemu_host.perform(Stop(web.ref, timeout_s=0.1, force=True))
    assert state(qemu_connection, web) == libvirt.VIR_DOMAIN_SHUTOFF


def test_waiting_for_a_guest_ends_soon_when_the_agent_stops(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, paused_machine: Paused
) -> None:
    web = paused_machine("web")
    qemu_host.perform(Resume(web.ref))
    stop = threading.Event()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        qemu_host.perform(Stop(web.ref, timeout_s=600, force=True), stop=stop)
    assert time.monotonic() - began < 60
    assert state(qemu_connection, web) == libvirt.VIR_DOMAIN_RUNNING


def test_a_paused_guest_is_not_woken_up_to_be_stopped(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, paused_machine: Paused
) -> None:
    web = paused_machine("web")
    with pytest.raises(Transient, match=r"is paused, so it can't shut itself down; set forceStop"):
        qemu_host.perform(Stop(web.ref, timeout_s=600))
    assert state(qemu_connection, web) == libvirt.VIR_DOMAIN_PAUSED


def test_what_is_not_there(qemu_host: Hypervisor, host_objects: HostObjects) -> None:
    nobody = Ref("VirtualMachine", host_objects.name("nobody"))
    for operation in (Start(nobody), Pause(nobody), Resume(nobody), SetAutostart(nobody, on=True)):
        with pytest.raises(NotFound, match=nobody.name):
            qemu_host.perform(operation)
    qemu_host.perform(Stop(nobody))
    qemu_host.perform(Undefine(nobody, str(uuid.uuid4())))


def test_a_failing_start_leaves_the_machine_off(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    gone = DISK.format(path="/nowhere/gone.img", target="sda")
    web = machine(host_objects.name("web"), devices=USB + gone)
    qemu_host.perform(web.define)
    with pytest.raises(Terminal, match=rf"couldn't start VirtualMachine/{web.ref.name}: .*gone\.img"):
        qemu_host.perform(Start(web.ref))
    assert state(qemu_connection, web) == libvirt.VIR_DOMAIN_SHUTOFF


def test_a_machine_without_a_paused_start_is_paused_after_it(test_host: Hypervisor) -> None:
    web = machine("web", kind="test")
    test_host.perform(web.define)
    test_host.perform(Start(web.ref, paused=True))
    assert test_host.observe(None, None).objects[web.ref].state == "paused"


@pytest.fixture
def network(qemu_connection: libvirt.virConnect, host_objects: HostObjects) -> str:
    """An isolated network, on which nobody is and nothing is sent."""
    name = host_objects.name("net")
    qemu_connection.networkDefineXML(f"<network><name>{name}</name></network>").create()
    return name


def test_a_disk_comes_and_goes_while_the_machine_runs(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, paused_machine: Paused, pool: str, dir_pool_folder: Path
) -> None:
    web = paused_machine("web", USB)
    volume = Ref.volume(pool, "data.img")
    qemu_host.perform(CreateVolume(volume, "<volume><name>data.img</name></volume>", content=b"\0" * 65536))
    disk = DISK.format(path=dir_pool_folder / "data.img", target="sdb")

    twice(qemu_host, EditLive(web.ref, "attach", disk))
    assert [each.get("dev") for each in live(qemu_connection, web).iterfind("devices/disk/target")] == ["sdb"]

    twice(qemu_host, EditLive(web.ref, "resize", f"sdb|{1 << 20}"))
    assert qemu_connection.lookupByName(web.ref.name).blockInfo("sdb")[0] == 1 << 20
    with pytest.raises(Terminal, match="isn't shrunk"):
        qemu_host.perform(EditLive(web.ref, "resize", "sdb|4096"))

    (dir_pool_folder / "other.img").write_bytes(b"\0" * 4096)
    other = DISK.format(path=dir_pool_folder / "other.img", target="sdb")
    with pytest.raises(OnggiError, match="sdb"):
        qemu_host.perform(EditLive(web.ref, "attach", other))

    twice(qemu_host, EditLive(web.ref, "detach", disk))
    assert not live(qemu_connection, web).findall("devices/disk")


def test_a_nic_comes_and_goes_while_the_machine_runs(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, paused_machine: Paused, network: str
) -> None:
    web = paused_machine("web", USB)
    nic = NIC.format(mac="52:54:00:12:34:56", network=network)
    twice(qemu_host, EditLive(web.ref, "attach", nic))
    found = live(qemu_connection, web).findall("devices/interface")
    assert [each.find("mac").get("address") for each in found] == ["52:54:00:12:34:56"]

    down = nic.replace("</interface>", "<link state='down'/></interface>")
    twice(qemu_host, EditLive(web.ref, "update", down))
    assert live(qemu_connection, web).find("devices/interface/link").get("state") == "down"

    twice(qemu_host, EditLive(web.ref, "detach", down))
    assert not live(qemu_connection, web).findall("devices/interface")


def test_a_guest_that_keeps_a_device_is_a_transient_failure(
    qemu_host: Hypervisor, paused_machine: Paused, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.hypervisor.virtualmachine.live._UNPLUG_TIMEOUT_S", 0.5)
    nic = NIC.format(mac="52:54:00:12:34:57", network=network).replace("usb-net", "virtio")
    web = paused_machine(
        "web", nic, top="<features><acpi/></features>"
    )  # a PCI device goes only when the guest, which is paused, says so
    for _ in range(2):
        with pytest.raises(Transient, match="hasn't let go of the interface"):
            qemu_host.perform(EditLive(web.ref, "detach", nic))


def test_memory_words_and_cpus_change_while_the_machine_runs(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, paused_machine: Paused
) -> None:
    web = paused_machine("web", "<memballoon model='virtio'/>", memory_mib=64)
    for verb, value in (("title", "The web"), ("description", "Serves"), ("memory", str(48 * 1024)), ("vcpus", "1")):
        twice(qemu_host, EditLive(web.ref, verb, value))  # type: ignore[arg-type]
    root = live(qemu_connection, web)
    assert (root.findtext("title"), root.findtext("description")) == ("The web", "Serves")
    qemu_host.perform(EditLive(web.ref, "title", ""))
    assert live(qemu_connection, web).find("title") is None


def test_an_edit_of_a_machine_that_was_stopped_meanwhile_has_nothing_to_do(
    qemu_host: Hypervisor, host_objects: HostObjects
) -> None:
    web = machine(host_objects.name("web"))
    qemu_host.perform(web.define)
    qemu_host.perform(EditLive(web.ref, "memory", "1024"))


CRASHED = """<node><domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
  <name>web</name><uuid>{uid}</uuid><memory>8192</memory><os><type>hvm</type></os>
  <test:runstate>6</test:runstate></domain></node>"""


@pytest.fixture
def host_with_a_crash(tmp_path: Path) -> Iterator[tuple[Hypervisor, Made]]:
    """A machine that crashed and was kept for a look: still there for libvirt, off for everybody else."""
    web = Made(Ref("VirtualMachine", "web"), str(uuid.uuid4()), "")
    file = tmp_path / "node.xml"
    file.write_text(CRASHED.format(uid=web.uid))
    hypervisor = Hypervisor.open(f"test://{file}")
    yield hypervisor, web
    hypervisor.close()


def test_a_crashed_machine_starts_again(host_with_a_crash: tuple[Hypervisor, Made]) -> None:
    hypervisor, web = host_with_a_crash
    before = hypervisor.observe(None, None)
    assert before.objects[web.ref].state == "crashed"
    hypervisor.perform(Start(web.ref))
    assert hypervisor.observe(before, frozenset({web.ref})).objects[web.ref].state == "running"


def test_a_crashed_machine_can_be_removed(host_with_a_crash: tuple[Hypervisor, Made]) -> None:
    hypervisor, web = host_with_a_crash
    hypervisor.perform(Undefine(web.ref, web.uid))
    assert not hypervisor.observe(None, None).objects


def test_a_crashed_machine_is_switched_off_only_by_force(host_with_a_crash: tuple[Hypervisor, Made]) -> None:
    hypervisor, web = host_with_a_crash
    with pytest.raises(Transient, match="has crashed"):
        hypervisor.perform(Stop(web.ref))
    hypervisor.perform(Stop(web.ref, force=True))
    assert hypervisor.observe(None, None).objects[web.ref].state == "shutoff"
