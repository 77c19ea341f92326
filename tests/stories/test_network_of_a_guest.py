"""What a guest notices of changes of its network: a new fixed address without losing its link, and an approved restart
after which it is connected again.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
from pathlib import Path

import libvirt
from click.testing import CliRunner
from lxml import etree

from reconciler.cli.main import onggi
from reconciler.ledger.ledger import Ledger
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.serial_console import SerialConsole
from tests.lab.waiting import until
from tests.stories.agents import running_agent

MAC = "52:54:00:0d:77:01"


def start_guest(
    connection: libvirt.virConnect, objects: HostObjects, network: str, image: Path, folder: Path
) -> libvirt.virDomain:
    """A machine of somebody else's, that boots the tiny guest on an overlay of its own."""
    base, disk = folder / image.name, folder / "guest.qcow2"
    base.write_bytes(image.read_bytes())
    backing = ["-F", "qcow2", "-b", str(base)]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(disk)], check=True)
    xml = f"""<domain type='qemu'><name>{objects.name("vm")}</name><memory unit='MiB'>192</memory>
      <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
      <devices>
        <disk type='file'><driver name='qemu' type='qcow2'/>
          <source file='{disk}'/><target dev='vda' bus='virtio'/></disk>
        <interface type='network'><mac address='{MAC}'/><source network='{network}'/><model type='virtio'/></interface>
        <serial type='pty'/>
      </devices></domain>"""
    domain = connection.defineXML(xml)
    domain.create()
    return domain


def address(console: SerialConsole) -> ipaddress.IPv4Address:
    """What the guest gets when it asks for an address now."""
    console.command("udhcpc -i eth0 -n -q -t 20 -T 1 -s /etc/udhcpc.script")
    shown = console.command("ip -4 -o addr show eth0")
    return ipaddress.IPv4Interface(shown.split(" inet ")[1].split()[0]).ip


def test_a_guest_keeps_its_link_through_live_changes_and_is_reconnected_after_a_restart(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    free_subnet: ipaddress.IPv4Network,
    guest_image: Path,
    repository: Repository,
    tmp_path: Path,
) -> None:
    # "running VMs lose link and can't reconnect": NixVirt#8; "live dnsmasq unchanged": terraform-provider-libvirt#1356.
    name, state = host_objects.name("net"), tmp_path / "state"
    dhcp: dict[str, object] = {"start": str(free_subnet[10]), "end": str(free_subnet[19])}

    def commit(**spec: object) -> None:
        whole = {"mode": "isolated", "subnet": str(free_subnet), **spec}
        document = {"apiVersion": "onggi/v1", "kind": "Network", "metadata": {"name": name}, "spec": whole}
        repository.commit({"net.yaml": json.dumps(document)})

    def network() -> libvirt.virNetwork:
        return qemu_connection.networkLookupByName(name)

    def live(path: str) -> list[dict[str, str]]:
        return [dict(each.attrib) for each in etree.fromstring(network().XMLDesc()).iterfind(path)]

    def ports() -> list[str]:
        return [port.UUIDString() for port in network().listAllPorts()]

    commit(dhcp=dhcp)
    with running_agent(repository.path, qemu_system, state):
        domain = start_guest(qemu_connection, host_objects, name, guest_image, dir_pool_folder)
        with SerialConsole(qemu_system, domain.name()) as console:
            console.wait_until_ready()
            assert free_subnet[10] <= address(console) <= free_subnet[19], "an address of the range"
            link = "cat /sys/class/net/eth0/carrier_changes"
            changes, port = console.command(link), ports()

            # Live: a fixed address, another range and a name, with the guest on the network.
            fixed = {"mac": MAC, "ip": str(free_subnet[77]), "name": "guest"}
            names = {"hosts": [{"ip": str(free_subnet[30]), "hostnames": ["db.example"]}]}
            moved = {"start": str(free_subnet[40]), "end": str(free_subnet[49]), "hosts": [fixed]}
            commit(dhcp=moved, dns=names)
            until(lambda: live("ip/dhcp/host") == [fixed] and live("dns/host"), 60, "the running network has them")
            assert address(console) == free_subnet[77]
            assert str(free_subnet[30]) in console.command(f"nslookup -type=a db.example {free_subnet[1]}")
            leased = [str(free_subnet[77])]  # dnsmasq has it written down when the guest has it already
            until(lambda: [each["ipaddr"] for each in network().DHCPLeases(MAC)] == leased, 60, "libvirt knows of it")
            assert (console.command(link), ports()) == (changes, port), "it never lost its link"

            # What needs a restart waits, with the guest named, until somebody says yes.
            commit(dhcp=moved, dns=names, domain="lab.example")
            ledger = Ledger.open(state, readonly=True)

            def question() -> str:
                return next(
                    item.message
                    for status in ledger.status.all()
                    for item in status.conditions
                    if status.ref.name == name and item.reason == "NeedsApproval"
                )

            message = until(question, 60, "the approval is asked for")
            assert domain.name() in message
            assert ports() == port
            answer = CliRunner().invoke(onggi, ["approve", message.split()[-1], "--state", str(state)])
            assert answer.exit_code == 0, answer.output
            assert name in answer.output
            until(
                lambda: live("domain") and ports() not in ([], port), 30, "it is restarted and the guest is back on it"
            )
            assert address(console) == free_subnet[77]
            assert int(console.command(link)) > int(changes), "the guest was told by its link"

            # By hand, behind the agent's back: found by the event, and mended.
            before = ports()
            network().destroy()
            network().create()
            until(lambda: network().isActive() and ports() not in ([], before), 60, "the guest is back on it")
            assert address(console) == free_subnet[77]
        domain.destroy()
