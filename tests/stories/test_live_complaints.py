"""What users of other tools complain about: a small change that replaces, reboots or cuts off a running machine.

Each test is named after a complaint, with the thread where it was made. What a guest sees of such changes is in
`test_live_guest`; here the machine's CPUs stand still.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libvirt
import pytest
from lxml import etree

from reconciler.planning.operations import Define, EditLive, SetAutostart
from specs.effect import Effect
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.stories.live_guest import LiveGuest, document


@pytest.fixture
def guest(imageless_guest: LiveGuest, host_objects: HostObjects, repository: Repository) -> LiveGuest:
    """A machine that runs, with a disk and a card."""
    repository.commit({"lan.yaml": document("Network", host_objects.name("lan"), {"mode": "isolated"})})
    imageless_guest.spec |= {
        "memory": 64,
        "paused": True,
        "disks": [{"name": "root", "size": "16MiB", "pool": imageless_guest.pool}],
        "interfaces": [{"network": host_objects.name("lan")}],
    }
    imageless_guest.begin()
    return imageless_guest


def macs(guest: LiveGuest) -> list[str]:
    return [mac.get("address") for mac in guest.live().iterfind("devices/interface/mac")]


def waiting(guest: LiveGuest) -> dict[str, tuple[Any, Any]]:
    return {change.pointer: (change.old, change.new) for item in guest.line.plan().waiting for change in item.changes}


def test_a_memory_change_does_not_recreate_the_vm(guest: LiveGuest) -> None:
    # dmacvicar/terraform-provider-libvirt#1069: it "forces replacement".
    guest.apply(memory=96)  # which checks UUID, run, MACs and addresses
    assert waiting(guest) == {"/memory": (64, 96)}


def test_more_memory_than_the_maximum_is_no_failure_in_a_running_vm(guest: LiveGuest) -> None:
    # vagrant-libvirt/vagrant-libvirt#1812: virDomainSetMemory fails.
    done = guest.apply(memory=4096, title="at once")
    assert all(not outcome.message for outcome in done.outcomes)
    assert guest.live().findtext("title") == "at once"
    assert waiting(guest) == {"/memory": (64, 4096)}


def test_which_change_needs_a_restart_is_told_before_it_is_made(guest: LiveGuest) -> None:
    # dmacvicar/terraform-provider-libvirt#844: "What should require a forcenew?"
    guest.commit(cpus=2, title="x")
    (step,) = guest.line.plan().steps
    told = {change.pointer: change.effect for change in step.changes}
    assert told == {"/cpus": Effect.NEXT_BOOT, "/title": Effect.LIVE}


def test_a_new_disk_does_not_recreate_the_vm_or_change_its_uuid_and_macs(guest: LiveGuest) -> None:
    # dmacvicar/terraform-provider-libvirt#751
    before = guest.domain.UUIDString(), macs(guest)
    guest.change(disks=[*guest.spec["disks"], {"name": "more", "size": "16MiB", "pool": guest.pool}])
    assert (guest.domain.UUIDString(), macs(guest)) == before
    assert len(guest.live().findall("devices/disk")) == len(guest.config().findall("devices/disk")) == 2


def test_no_change_of_the_definition_cuts_the_power(guest: LiveGuest) -> None:
    # dmacvicar/terraform-provider-libvirt#1060, #356: a change is a hard destroy while the volumes live on.
    guest.commit(memory=80, cpus=2, machine="pc-q35-7.1", firmware="uefi", title="x", autostart=True, interfaces=[])
    (step,) = guest.line.plan().steps
    assert {type(operation) for operation in step.operations} == {Define, EditLive, SetAutostart}


def test_what_a_document_never_said_is_no_change_even_where_a_new_version_knows_it(guest: LiveGuest) -> None:
    # dmacvicar/terraform-provider-libvirt#657, #1062: an upgrade marked a hundred guests for replacement.
    root = guest.config()
    root.find("memory").text = str(256 * 1024)
    root.find("currentMemory").text = str(64 * 1024)
    root.find("vcpu").text = "4"
    root.find("vcpu").set("current", "1")
    console = root.find("devices/graphics")
    console.set("passwd", "theirs")
    console.set("passwdValidTo", "2090-01-01T00:00:00")
    limits = etree.SubElement(root.find("devices/disk"), "iotune")
    etree.SubElement(limits, "total_iops_sec").text = "1000"
    guest.connection.defineXML(etree.tostring(root, encoding="unicode"))
    plan = guest.line.plan()
    assert plan.empty and plan.waiting == ()
    guest.apply(title="and a change of something else keeps it")
    kept = guest.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
    for text in ("passwd='theirs'", "2090-01-01", "<total_iops_sec>1000<", "current='1'>4<", ">262144<"):
        assert text in kept


def test_what_libvirt_moves_or_fills_in_is_no_change(guest: LiveGuest) -> None:
    # AshleyYakeley/NixVirt#57: every machine restarts, for libvirt moved its controllers; #9: for it drew another MAC;
    # PR#40: for it added a seclabel to what runs.
    root = guest.config()
    devices = root.find("devices")
    for controller in devices.findall("controller"):
        devices.remove(controller)
        devices.insert(0, controller)
    guest.connection.defineXML(etree.tostring(root, encoding="unicode"))
    assert guest.line.plan().empty
    before = macs(guest)
    guest.domain.destroy()
    guest.begin(description="after its next boot")
    assert macs(guest) == before


def test_the_xml_of_a_running_vm_is_changed_without_making_it_anew(guest: LiveGuest) -> None:
    # vagrant-libvirt/vagrant-libvirt#830
    guest.change(interfaces=[{**guest.spec["interfaces"][0], "link": "down"}], title="x")
    for root in (guest.live(), guest.config()):
        assert root.find("devices/interface/link").get("state") == "down"
        assert root.findtext("title") == "x"


def test_what_can_be_hot_plugged_does_not_reboot_the_vm(guest: LiveGuest) -> None:
    # bpg/terraform-provider-proxmox#538, #102, #1211, #103; vmware/terraform-provider-vsphere#2170
    guest.domain.destroy()
    guest.begin(maximumCpus=4, cpus=1)
    guest.change(cpus=3)
    assert [root.find("vcpu").get("current") for root in (guest.live(), guest.config())] == ["3", "3"]


def test_a_disk_grows_in_place(guest: LiveGuest) -> None:
    # dmacvicar/terraform-provider-libvirt#1017: growing a disk deletes and makes it anew; #952, #1325.
    volume = guest.connection.storagePoolLookupByName(guest.pool).storageVolLookupByName(f"{guest.name}-root.qcow2")
    file = Path(volume.path())
    inode = file.stat().st_ino
    guest.change(disks=[{**guest.spec["disks"][0], "size": "48MiB"}])
    assert (volume.info()[1], file.stat().st_ino) == (48 << 20, inode)
    assert guest.domain.blockInfo("vda")[0] == 48 << 20
