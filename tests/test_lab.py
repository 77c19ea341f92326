"""The machine under the tests works: shown with libvirt's own calls only, so that a failure elsewhere isn't its."""

from __future__ import annotations

import ipaddress
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest
from lxml.builder import E
from lxml.etree import _Element, tostring

from tests.lab.libvirtd import STARTER, HostObjects
from tests.lab.repositories import Repository, git
from tests.lab.secluded_libvirtd import SecludedLibvirtd
from tests.lab.serial_console import SerialConsole
from tests.lab.waiting import until

MEMORY_MIB = 256


def text(element: _Element) -> str:
    return tostring(element, encoding="unicode")


@pytest.fixture
def isolated_network(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, free_subnet: ipaddress.IPv4Network
) -> libvirt.virNetwork:
    """An active network with DHCP that leads nowhere."""
    addresses = list(free_subnet.hosts())
    network = qemu_connection.networkDefineXML(
        text(
            E.network(
                E.name(host_objects.name("net")),
                E.bridge(stp="off", delay="0"),
                E.ip(
                    E.dhcp(E.range(start=str(addresses[9]), end=str(addresses[99]))),
                    address=str(addresses[0]),
                    prefix="24",
                ),
            )
        )
    )
    network.create()
    return network


@pytest.fixture
def overlay(guest_base: Path) -> Path:
    """A disk whose backing file is the guest's base image."""
    disk = guest_base.with_name("disk.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", guest_base, disk], check=True)
    return disk


@pytest.fixture
def seed_cd(dir_pool_folder: Path, tmp_path: Path) -> Path:
    """A cloud-init NoCloud disc."""
    (tmp_path / "user-data").write_text("#cloud-config\nhostname: onion\n")
    (tmp_path / "meta-data").write_text("instance-id: one\n")
    disc = dir_pool_folder / "seed.iso"
    files = [tmp_path / "user-data", tmp_path / "meta-data"]
    subprocess.run(["genisoimage", "-quiet", "-V", "cidata", "-J", "-r", "-o", disc, *files], check=True)
    return disc


def guest_xml(name: str, machine: str, disk: Path, cd: Path, network: str) -> str:
    cd_bus = "sata" if machine == "q35" else "ide"
    return text(
        E.domain(
            E.name(name),
            E.memory(str(MEMORY_MIB), unit="MiB"),
            E.vcpu("2", current="1"),
            E.os(E.type("hvm", arch="x86_64", machine=machine)),
            E.features(E.acpi(), E.apic()),
            E.devices(
                E.disk(
                    E.driver(name="qemu", type="qcow2"),
                    E.source(file=str(disk)),
                    E.target(dev="vda", bus="virtio"),
                    type="file",
                    device="disk",
                ),
                E.disk(
                    E.driver(name="qemu", type="raw"),
                    E.source(file=str(cd)),
                    E.target(dev="sda", bus=cd_bus) if cd_bus == "sata" else E.target(dev="hda", bus=cd_bus),
                    E.readonly(),
                    type="file",
                    device="cdrom",
                ),
                E.interface(E.source(network=network), E.model(type="virtio"), type="network"),
                E.serial(type="pty"),
                E.console(E.target(type="serial"), type="pty"),
                E.video(E.model(type="vga")),
            ),
            type="qemu",
        )
    )


@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_the_tiny_guest_boots_gets_an_address_answers_and_obeys_the_power_button(
    machine: str,
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    isolated_network: libvirt.virNetwork,
    overlay: Path,
    seed_cd: Path,
) -> None:
    domain = qemu_connection.defineXML(
        guest_xml(host_objects.name("vm"), machine, overlay, seed_cd, isolated_network.name())
    )
    began = time.monotonic()
    domain.create()

    with SerialConsole(qemu_system, domain.name()) as console:
        console.wait_for("onggi-guest ready")
        boot_s = time.monotonic() - began
        assert console.wait_for("onggi-guest user-data:") == "onggi-guest user-data: #cloud-config"

        (lease,) = until(isolated_network.DHCPLeases, 60, "the guest has a lease")
        lease_s = time.monotonic() - began
        assert lease["ipaddr"] in until(
            lambda: console.command("ip -4 -o addr show eth0 | grep inet"), 10, "the guest has its address"
        )
        assert console.command("cat /sys/class/net/eth0/address") == lease["mac"]
        assert "MemTotal" in console.command("cat /proc/meminfo")
        assert "vda" in console.command("ls /sys/block")
        assert console.command("blockdev --getsize64 /dev/vda") == str(domain.blockInfo("vda")[0])

        domain.setVcpusFlags(2, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        until(lambda: console.command("nproc") == "2", 60, "the plugged-in processor is online")

    with SerialConsole(qemu_system, domain.name()) as attached_again:
        attached_again.wait_until_ready()
        assert attached_again.command("echo still here") == "still here"

    began = time.monotonic()
    domain.shutdown()
    until(lambda: not domain.isActive(), 60, "the guest obeys the power button")
    shutdown_s = time.monotonic() - began
    assert domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN]
    print(f"\n{machine}: ready after {boot_s:.1f} s, lease after {lease_s:.1f} s, shut down in {shutdown_s:.1f} s")


def test_a_console_may_be_opened_while_the_guest_starts_and_tells_of_a_command_that_failed(
    qemu_system: str, qemu_connection: libvirt.virConnect, host_objects: HostObjects,
    isolated_network: libvirt.virNetwork, overlay: Path, seed_cd: Path,
) -> None:  # fmt: skip
    domain = qemu_connection.defineXML(
        guest_xml(host_objects.name("vm"), "q35", overlay, seed_cd, isolated_network.name())
    )
    starting = threading.Thread(target=domain.create)
    starting.start()
    until(lambda: qemu_connection.lookupByName(domain.name()).ID() != -1, 60, "it has begun to start")
    with SerialConsole(qemu_system, domain.name()) as console:
        console.wait_until_ready()
        with pytest.raises(AssertionError, match=r"failed in .* with status 1: .*No such file"):
            console.command("ls /nowhere")
    starting.join()


def test_objects_under_a_tests_names_are_found_and_removed(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, isolated_network: libvirt.virNetwork,
    dir_pool_folder: Path,
) -> None:  # fmt: skip
    pool = qemu_connection.storagePoolDefineXML(
        text(E.pool(E.name(host_objects.name("pool")), E.target(E.path(str(dir_pool_folder))), type="dir"))
    )
    pool.create()
    pool.createXML(text(E.volume(E.name("disk"), E.capacity("1048576"), E.target(E.format(type="raw")))))
    idle = E.domain(E.name(host_objects.name("vm")), E.memory("65536"), E.os(E.type("hvm")), type="qemu")
    qemu_connection.createXML(text(idle), libvirt.VIR_DOMAIN_START_PAUSED)
    assert len(host_objects.left()) == 4

    host_objects.remove_all()

    assert host_objects.left() == []
    assert list(dir_pool_folder.iterdir()) == []


def test_a_hypervisor_that_the_tests_started_is_gone_afterwards(tmp_path: Path) -> None:
    """In name spaces of its own, where no libvirtd runs and nothing of the machine's is touched."""
    script = tmp_path / "script"
    private = ["/run", "/var/lib/libvirt", "/etc/libvirt", "/var/cache/libvirt", "/var/log/libvirt"]
    script.write_text(
        "set -eu\n"
        + "".join(f"mount -t tmpfs tmpfs {folder}\n" for folder in private)
        + f"{STARTER} start {tmp_path}/record\n"
        "virsh -c qemu:///system uri\n"
        "ps -eo comm= > during\n"
        f"{STARTER} stop {tmp_path}/record\n"
        "ps -eo comm= > after\n"
    )
    spaces = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "--mount-proc"]
    done = subprocess.run(
        [*spaces, "sh", script], cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    during, after = ((tmp_path / name).read_text().split() for name in ("during", "after"))
    assert {"libvirtd", "virtlogd", "dbus-daemon"} <= set(during)
    assert not {"libvirtd", "virtlogd", "dbus-daemon"} & set(after)
    assert not (tmp_path / "record").exists()


def test_a_hypervisor_that_was_there_before_is_left_running(qemu_system: str, tmp_path: Path) -> None:
    for verb in ("start", "stop"):
        subprocess.run([STARTER, verb, tmp_path / "record"], check=True, stdin=subprocess.DEVNULL)
    assert libvirt.open(qemu_system).isAlive()


def test_a_private_test_host_has_nothing_and_keeps_what_is_made_on_its_connection(private_test_uri: str) -> None:
    connection = libvirt.open(private_test_uri)
    assert connection.listAllDomains() + connection.listAllNetworks() + connection.listAllStoragePools() == []
    connection.defineXML(text(E.domain(E.name("vm"), E.memory("65536"), E.os(E.type("hvm")), type="test")))
    assert [domain.name() for domain in connection.listAllDomains()] == ["vm"]
    assert libvirt.open(private_test_uri).listAllDomains() == []


@pytest.fixture
def hostile_git_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[commit]\n  gpgSign = true\n[user]\n  name = Somebody Else\n")
    monkeypatch.setenv("HOME", str(home))
    yield


@pytest.mark.usefixtures("hostile_git_configuration")
def test_a_repository_sees_nothing_of_the_users_git_configuration(
    pushed_repository: Repository, tmp_path: Path
) -> None:
    first = pushed_repository.commit({"vm.yaml": "a: 1\n", "deep/er.yaml": b"b: 2\n"}, "Add two")
    pushed_repository.push()
    second = pushed_repository.remove("deep", message="Remove one")
    assert git(pushed_repository.path, "log", "-1", "--format=%an %s") == "Ada Author Remove one"
    assert git(pushed_repository.path, "ls-files") == "vm.yaml"
    assert git(tmp_path / "remote.git", "rev-parse", "main") == first != second


def test_waiting_returns_the_answer_or_tells_what_was_missing() -> None:
    answers = iter([0, None, 7])
    assert until(lambda: next(answers), 5, "a seven") == 7
    with pytest.raises(AssertionError, match="not within 0 s: a unicorn; the last answer was False"):
        until(lambda: False, 0, "a unicorn", strict=True)
    with pytest.raises(AssertionError, match="the last attempt raised FileNotFoundError"):
        until(lambda: Path("/nowhere").stat(), 0, "a file", strict=True)


def test_nothing_of_the_secluded_libvirtd_shows_on_the_machine(
    secluded_libvirtd: SecludedLibvirtd, qemu_connection: libvirt.virConnect
) -> None:
    inside = libvirt.open(secluded_libvirtd.uri)
    network = inside.networkDefineXML("<network><name>secluded</name><bridge name='secluded0'/></network>")
    try:
        network.create()
        assert secluded_libvirtd.interfaces().keys() >= {"lo", "eth1", "secluded0"}
        assert not Path("/sys/class/net/secluded0").exists()
        assert "secluded" not in [each.name() for each in qemu_connection.listAllNetworks()]
        assert not Path("/etc/libvirt/qemu/networks/secluded.xml").exists()
    finally:
        network.destroy()
        network.undefine()
        inside.close()
