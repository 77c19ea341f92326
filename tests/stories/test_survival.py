"""What onggi doesn't know of, or can't make again, survives every change: NVRAM, TPM, snapshots, other people's XML.

A machine is never undefined and defined anew to be changed. (Its run, UUID, MACs and addresses are `Likeness`'s part.)
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest
from lxml import etree

from reconciler.planning.operations import Undefine
from specs.virtualmachine.storage.cdroms import SEED_DRIVE
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.stories.live_guest import LiveGuest, networks

# In the order in which libvirt writes them: nothing of this is in onggi's schema.
FOREIGN_TOP = """
  <sysinfo type='smbios'><bios><entry name='vendor'>Somebody</entry></bios></sysinfo>"""
FOREIGN_METADATA = "<other:tool xmlns:other='https://example.org/tool'><other:note>keep me</other:note></other:tool>"
FOREIGN_DEVICES = ("<watchdog model='i6300esb' action='poweroff'/>", "<sound model='ich9'/>", "<panic model='isa'/>")
MARKER = b"written by the firmware\n"


@pytest.fixture
def guest(imageless_guest: LiveGuest) -> LiveGuest:
    """A machine that starts with stopped CPUs, with a disk of its own."""
    imageless_guest.spec["disks"] = [root_disk(imageless_guest)]
    imageless_guest.spec |= {
        "memory": 64,
        "maximumMemory": 128,
        "maximumCpus": 2,
        "paused": True,
        "cdroms": [{"name": "cd"}],
    }
    return imageless_guest


def root_disk(guest: LiveGuest) -> dict[str, Any]:
    return {"name": "root", "size": "16MiB", "pool": guest.pool}


def changes(guest: LiveGuest, folder: Path, network: str) -> Iterator[dict[str, Any]]:
    """One of each kind of change, one after another."""
    medium, secret = folder / "a.iso", folder / "secret"
    medium.write_bytes(b"\0" * 2048)
    secret.write_text("p4ssword")
    root, lan = root_disk(guest), {"network": network}
    data = {"name": "data", "size": "16MiB", "pool": guest.pool}
    yield {"title": "another title", "description": "other words"}
    yield {"autostart": True}
    yield {"autostart": False}
    yield {"memory": 96}
    yield {"cpus": 2}
    yield {"cpus": 1}
    yield {"maximumMemory": 256, "maximumCpus": 4}
    yield {"cpuMode": "default"}
    yield {"disks": [root, data]}
    yield {"disks": [root, {**data, "size": "32MiB", "ioLimits": {"iops": 100}}]}
    yield {"disks": [root]}
    yield {"interfaces": [lan]}
    yield {"interfaces": [{**lan, "link": "down"}]}
    yield {"interfaces": []}
    yield {"cdroms": [{"name": "cd", "path": str(medium)}]}
    yield {"cdroms": [{"name": "cd"}]}
    yield {"graphics": {"passwordFrom": {"file": str(secret)}, "passwordValidTo": "2090-01-01T00:00:00Z"}}
    yield {"cloudInit": {"userData": "#cloud-config", "pool": guest.pool}}


def add_foreign_xml(guest: LiveGuest) -> None:
    """What another tool, or a person with virsh edit, has put into the definition."""
    root = guest.config()
    root.find("os").append(etree.fromstring("<smbios mode='sysinfo'/>"))
    root.insert(0, etree.fromstring(FOREIGN_TOP))
    root.find("metadata").append(etree.fromstring(FOREIGN_METADATA))
    for text in FOREIGN_DEVICES:
        tag = etree.fromstring(text).tag
        for old in root.findall(f"devices/{tag}"):
            old.getparent().remove(old)
        root.find("devices").append(etree.fromstring(text))
    guest.connection.defineXML(etree.tostring(root, encoding="unicode"))


def foreign(root: etree._Element) -> list[bytes]:
    """All of that, with what libvirt has filled in, such as addresses."""
    elements = [root.find("sysinfo"), root.find("os/smbios"), root.find("metadata/{https://example.org/tool}tool")]
    elements += [root.find(f"devices/{etree.fromstring(text).tag}") for text in FOREIGN_DEVICES]
    assert None not in elements
    return [etree.tostring(each, method="c14n", with_tail=False) for each in elements]


def refuse_undefining(guest: LiveGuest, monkeypatch: pytest.MonkeyPatch) -> None:
    perform = guest.line.hypervisor.perform

    def checked(operation: Any, **more: Any) -> None:
        assert not isinstance(operation, Undefine)
        perform(operation, **more)

    monkeypatch.setattr(guest.line.hypervisor, "perform", checked)


def test_nvram_and_foreign_xml_survive_every_kind_of_change(
    guest: LiveGuest,
    repository: Repository,
    host_objects: HostObjects,
    free_subnet: ipaddress.IPv4Network,
    dir_pool_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # dmacvicar/terraform-provider-libvirt#1270, PR #1225: updating the RAM of a UEFI VM fails, for it is undefined
    # first; PR #1232: an update deleted NVRAM and TPM state. vagrant-libvirt/vagrant-libvirt#830.
    repository.commit(networks(host_objects, free_subnet))
    guest.begin(firmware="uefi")
    nvram = Path(guest.live().findtext("os/nvram") or "")
    guest.domain.destroy()
    content = nvram.read_bytes()[: -len(MARKER)] + MARKER
    with nvram.open("r+b") as file:  # in place: it stays the file that libvirt gave to QEMU's user
        file.write(content)
    add_foreign_xml(guest)
    assert guest.line.converge().succeeded  # Always starts it again
    assert guest.domain.isActive()
    refuse_undefining(guest, monkeypatch)
    config, live = foreign(guest.config()), foreign(guest.live())
    for fields in changes(guest, dir_pool_folder, host_objects.name("one")):
        guest.apply(**fields)
        assert foreign(guest.config()) == config, fields
        assert foreign(guest.live()) == live, fields
        assert nvram.read_bytes() == content, fields
    assert guest.config().find(f"devices/disk/alias[@name='ua-onggi-cdrom-{SEED_DRIVE}']") is not None
    nvram_before = guest.config().findtext("os/nvram")
    guest.domain.destroy()
    guest.begin(memory=80)
    assert guest.config().findtext("os/nvram") == nvram_before
    assert nvram.read_bytes() == content


def test_snapshots_survive_every_kind_of_change(
    guest: LiveGuest,
    repository: Repository,
    host_objects: HostObjects,
    free_subnet: ipaddress.IPv4Network,
    dir_pool_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # karmab/kcli#215 and others: what a person keeps to go back to isn't thrown away by a change.
    repository.commit(networks(host_objects, free_subnet))
    guest.begin()
    guest.domain.snapshotCreateXML("<domainsnapshot><name>before</name></domainsnapshot>")
    assert guest.line.plan().empty
    refuse_undefining(guest, monkeypatch)
    for fields in changes(guest, dir_pool_folder, host_objects.name("one")):
        guest.apply(**fields)
        assert guest.domain.snapshotListNames() == ["before"], fields
        assert "before" in guest.domain.snapshotLookupByName("before").getXMLDesc()
    snapshot = guest.domain.snapshotLookupByName("before")
    snapshot.delete()


def test_a_machine_on_the_overlay_of_a_snapshot_keeps_it_and_is_not_given_its_disk_again(guest: LiveGuest) -> None:
    guest.begin()
    before = len(guest.live().findall("devices/disk"))
    flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
    guest.domain.snapshotCreateXML("<domainsnapshot><name>outside</name></domainsnapshot>", flags)
    overlay = guest.live().find("devices/disk/source").get("file")
    assert overlay.endswith(".outside")
    plan = guest.line.plan()
    assert plan.empty, plan.to_json()
    guest.apply(title="changed above the overlay", memory=96)
    for root in (guest.live(), guest.config()):
        assert root.find("devices/disk/source").get("file") == overlay
        assert len(root.findall("devices/disk")) == before
    assert guest.domain.snapshotListNames() == ["outside"]
    guest.domain.snapshotLookupByName("outside").delete(libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)


def test_the_state_of_a_tpm_survives_every_kind_of_change(guest: LiveGuest) -> None:
    guest.begin(runStrategy="Manual")
    root = guest.config()
    root.find("devices").append(etree.fromstring("<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"))
    guest.connection.defineXML(etree.tostring(root, encoding="unicode"))
    guest.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    # libvirt keeps it by the machine's UUID and deletes it with the definition.
    state = Path("/var/lib/libvirt/swtpm", guest.domain.UUIDString(), "tpm2/tpm2-00.permall")
    content = state.read_bytes()
    tpm = etree.tostring(guest.config().find("devices/tpm"), method="c14n", with_tail=False)
    changes: tuple[dict[str, Any], ...] = (
        {"title": "x"}, {"memory": 96}, {"disks": []}, {"firmware": "uefi"}, {"machine": "pc-q35-7.1"},
    )  # fmt: skip
    for fields in changes:
        guest.begin(**fields)
        assert etree.tostring(guest.config().find("devices/tpm"), method="c14n", with_tail=False) == tpm, fields
        assert state.read_bytes() == content, fields
    guest.domain.destroy()
    guest.begin(cpus=2)
    assert state.read_bytes() == content
