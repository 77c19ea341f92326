"""What of a fragment reaches beyond its object is known by what is allowed to be in one, not by what is feared."""

from __future__ import annotations

import pytest

from specs.overlay.areas import AREAS
from specs.overlay.reaching import beyond, refusal

QEMU = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
NOTHING: frozenset[str] = frozenset()


def areas(inside: str, kind: str = "VirtualMachine", root: str = "domain") -> set[str]:
    return {each.area for each in beyond(kind, f"<{root} {QEMU}>{inside}</{root}>")}


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<devices/><os/>",
        "<memory unit='GiB'>4</memory><memoryBacking><hugepages>"
        "<page size='2' unit='M'/></hugepages><locked/></memoryBacking>",
        "<cpu mode='custom' match='exact'><model>Skylake</model><feature name='vmx' policy='require'/></cpu>",
        "<clock offset='localtime'><timer name='hpet' present='no'/></clock>",
        "<features><hyperv><relaxed state='on'/></hyperv><kvm><hidden state='on'/></kvm></features>",
        "<devices><disk device='disk'><target dev='vda'/><driver cache='none' io='native'/></disk></devices>",
        "<devices><interface type='network'><mac address='52:54:00:00:00:01'/><mtu size='9000'/></interface></devices>",
        "<devices><serial type='pty'><target port='1'/></serial><input type='tablet' bus='usb'/></devices>",
        "<devices><channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices>",
        "<devices><tpm model='tpm-crb'><backend type='emulator' version='2.0'/>"
        "</tpm><watchdog model='itco'/></devices>",
        "<metadata><o:os xmlns:o='http://libosinfo.org/xmlns/libvirt/domain/1.0' id='http://debian.org/12'/>"
        "</metadata>",
        "<title>/etc</title><description>see /etc/passwd</description>",
        "<sysinfo type='smbios'><system><entry name='serial'>x</entry></system></sysinfo>",
    ],
)
def test_what_stays_in_the_guest_needs_nobodys_consent(inside: str) -> None:
    assert areas(inside) == set()


@pytest.mark.parametrize(
    ("inside", "area"),
    [
        ("<devices><disk><source file='/etc/shadow'/><target dev='vdb'/></disk></devices>", "files"),
        ("<devices><disk><source file='etc/shadow'/><target dev='vdb'/></disk></devices>", "files"),
        ("<devices><disk><source pool='default' volume='others'/><target dev='vdb'/></disk></devices>", "files"),
        ("<devices><disk type='block'><source dev='/dev/sda'/><target dev='vdb'/></disk></devices>", "devices"),
        ("<devices><disk type='network'><source protocol='nbd'><host name='10.0.0.1'/></source></disk></devices>",
         "network"),
        ("<devices><disk device='lun'><target dev='sda'/></disk></devices>", "devices"),
        ("<devices><disk><backingStore><source file='a'/></backingStore><target dev='sda'/></disk></devices>",
         "files"),
        ("<devices><filesystem type='mount'><source dir='/'/><target dir='a'/></filesystem></devices>", "files"),
        ("<devices><hostdev mode='subsystem' type='usb'/></devices>", "devices"),
        ("<devices><interface type='bridge'><source bridge='br0'/></interface></devices>", "network"),
        ("<devices><interface type='ethernet'><script path='evil'/></interface></devices>", "files"),
        ("<devices><interface><mac address='52:54:00:00:00:01'/><filterref filter='open'/></interface></devices>",
         "network"),
        ("<devices><graphics type='vnc' listen='0.0.0.0'/></devices>", "network"),
        ("<devices><graphics type='vnc'><listen type='address' address='0.0.0.0'/></graphics></devices>", "network"),
        ("<devices><graphics type='vnc' socket='/tmp/a'/></devices>", "sockets"),
        ("<devices><serial type='unix'><source mode='bind' path='/a'/></serial></devices>", "sockets"),
        ("<devices><serial type='file'><source path='/etc/cron.d/a'/></serial></devices>", "sockets"),
        ("<devices><console type='pty'><log file='/etc/cron.d/a'/></console></devices>", "files"),
        ("<devices><channel type='tcp'><source mode='connect' host='10.0.0.1' service='22'/></channel></devices>",
         "sockets"),
        ("<devices><rng model='virtio'><backend model='random'>/dev/sda</backend></rng></devices>", "files"),
        ("<devices><tpm><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm></devices>", "devices"),
        ("<devices><memory model='nvdimm'><source><path>/srv/a</path></source></memory></devices>", "files"),
        ("<devices><input type='evdev'><source dev='/dev/input/event1'/></input></devices>", "devices"),
        ("<devices><shmem name='a'/></devices>", "sockets"),
        ("<devices><emulator>/tmp/qemu</emulator></devices>", "hypervisor"),
        ("<devices><novelty host='a'/></devices>", "other"),
        ("<devices><sound model='ich9'><codec type='/bin/sh'/></sound></devices>", "files"),
        ("<os><loader>/tmp/a.fd</loader></os>", "files"),
        ("<os><nvram template='/a'>/b</nvram></os>", "files"),
        ("<os><kernel>/boot/vmlinuz</kernel></os>", "files"),
        ("<os><acpi><table type='slic'>/etc/shadow</table></acpi></os>", "files"),
        ("<bootloader>/usr/bin/a</bootloader>", "files"),
        ("<sysinfo type='fwcfg'><entry name='opt/a' file='secret'/></sysinfo>", "files"),
        ("<seclabel type='none'/>", "security"),
        ("<devices><disk><source><seclabel model='dac' relabel='no'/></source><target dev='vda'/></disk></devices>",
         "files"),
        ("<resource><partition>/machine</partition></resource>", "security"),
        ("<idmap><uid start='0' target='0' count='1'/></idmap>", "security"),
        ("<launchSecurity type='sev'/>", "security"),
        ("<qemu:commandline><qemu:arg value='-S'/></qemu:commandline>", "hypervisor"),
        ("<qemu:override><qemu:device alias='a'/></qemu:override>", "hypervisor"),
        ("<novelty/>", "other"),
        ("<cpu><model>../../etc</model></cpu>", "files"),
        ("<genid>unix:a</genid>", "files"),
    ],
)  # fmt: skip
def test_what_reaches_beyond_the_guest_needs_consent_for_its_area(inside: str, area: str) -> None:
    assert area in areas(inside)


@pytest.mark.parametrize(
    ("kind", "root", "inside", "area"),
    [
        ("Network", "network", "<forward dev='eth0'/>", "network"),
        ("Network", "network", "<forward mode='hostdev'><pf dev='eth0'/></forward>", "devices"),
        ("Network", "network", "<ip address='10.0.0.1'><tftp root='/etc'/></ip>", "files"),
        ("Network", "network", "<route address='0.0.0.0' prefix='1' gateway='10.0.0.9'/>", "network"),
        ("Network", "network", "<bridge zone='trusted'/>", "network"),
        ("Network", "network", "<d:options xmlns:d='http://libvirt.org/schemas/network/dnsmasq/1.0'><d:option "
         "value='dhcp-script=/tmp/a'/></d:options>", "hypervisor"),
        ("StoragePool", "pool", "<source><device path='/dev/sda'/></source>", "devices"),
        ("StoragePool", "pool", "<target><path>/etc</path></target>", "files"),
        ("StoragePool", "pool", "<target><permissions><mode>0777</mode></permissions></target>", "security"),
        ("StorageVolume", "volume", "<backingStore><path>/etc/shadow</path></backingStore>", "files"),
    ],
)  # fmt: skip
def test_so_it_is_in_other_kinds(kind: str, root: str, inside: str, area: str) -> None:
    assert area in areas(inside, kind, root)


def test_a_refusal_names_the_place_and_the_setting() -> None:
    text = "<domain><os><kernel>/boot/vmlinuz</kernel></os></domain>"
    sentence = refusal("VirtualMachine", text, NOTHING, ())
    assert "os/kernel" in sentence
    assert "allow-xml (files)" in sentence
    assert refusal("VirtualMachine", text, frozenset({"files"}), ()) == ""


def test_a_path_in_an_allowed_folder_needs_no_more_consent() -> None:
    text = "<domain><os><kernel>/srv/boot/vmlinuz</kernel></os></domain>"
    assert refusal("VirtualMachine", text, NOTHING, ("/srv/boot",)) == ""
    for other in ("/srv/boot/../../etc/shadow", "/srv/bootleg/a", "/srv/boot"):
        assert refusal("VirtualMachine", text.replace("/srv/boot/vmlinuz", other), NOTHING, ("/srv/boot",))


def test_what_a_disk_lies_in_is_no_matter_of_folders() -> None:
    text = "<domain><devices><disk><source file='/srv/a'/><target dev='vda'/></disk></devices></domain>"
    assert refusal("VirtualMachine", text, NOTHING, ("/srv",))


def test_every_area_is_in_the_settings_help() -> None:
    from reconciler.cli.reach_options import allow_xml  # noqa: F401

    assert set(AREAS) == {"files", "devices", "network", "sockets", "security", "hypervisor", "other"}
