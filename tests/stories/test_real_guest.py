"""The product in one story, on qemu:///system: a commit becomes a machine that boots, is changed, and leaves."""

from __future__ import annotations

import functools
import hashlib
import http.server
import ipaddress
import threading
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.lab.approving import approve_removal
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.serial_console import SerialConsole
from tests.lab.waiting import until
from tests.stories.agents import running_agent


@pytest.fixture
def image_url(guest_image: Path) -> Iterator[str]:
    """The tiny guest's image on a web server on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(guest_image.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{guest_image.name}"
    server.shutdown()
    thread.join()
    server.server_close()


def documents(objects: HostObjects, folder: Path, subnet: ipaddress.IPv4Network, url: str, image: Path) -> str:
    hosts = list(subnet.hosts())
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    return f"""\
apiVersion: onggi/v1
kind: Network
metadata: {{name: {objects.name("net")}}}
spec:
  mode: isolated
  subnet: {subnet}
  dhcp: {{start: {hosts[9]}, end: {hosts[99]}}}
---
apiVersion: onggi/v1
kind: StoragePool
metadata: {{name: {objects.name("pool")}}}
spec: {{type: dir, path: {folder / "pool"}}}
---
apiVersion: onggi/v1
kind: StorageVolume
metadata: {{name: {objects.name("base.qcow2")}}}
spec:
  pool: {objects.name("pool")}
  format: qcow2
  source: {{url: "{url}", sha256: {digest}}}
"""


def machine(objects: HostObjects, **fields: object) -> str:
    values = {"memory": 256, "title": "as committed first", "runStrategy": "Always", **fields}
    lines = "\n".join(f"  {key}: {value}" for key, value in values.items())
    return f"""\
apiVersion: onggi/v1
kind: VirtualMachine
metadata: {{name: {objects.name("vm")}}}
spec:
{lines}
  domainType: emulated
  disks: [{{name: root, size: 1GiB, pool: {objects.name("pool")}, base: {objects.name("base.qcow2")}}}]
  interfaces: [{{network: {objects.name("net")}}}]
  cloudInit: {{pool: {objects.name("pool")}, userData: "#cloud-config"}}
"""


def test_a_commit_becomes_a_guest_that_boots_is_changed_live_and_is_shut_down_gracefully(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    free_subnet: ipaddress.IPv4Network,
    guest_image: Path,
    image_url: str,
    repository: Repository,
    tmp_path: Path,
) -> None:
    name = host_objects.name("vm")
    repository.commit(
        {
            "host.yaml": documents(host_objects, dir_pool_folder, free_subnet, image_url, guest_image),
            "vm.yaml": machine(host_objects),
        }
    )
    with running_agent(repository.path, qemu_system, tmp_path / "state", allowed_networks=("127.0.0.0/8",)) as agent:
        domain = until(lambda: qemu_connection.lookupByName(name), 60, "the machine is defined")
        until(domain.isActive, 60, "the machine runs")
        with SerialConsole(qemu_system, name) as console:
            console.wait_until_ready()
            network = qemu_connection.networkLookupByName(host_objects.name("net"))
            lease = until(network.DHCPLeases, 60, "the guest has a lease")[0]
            assert ipaddress.ip_address(lease["ipaddr"]) in free_subnet
            assert int(console.command("blockdev --getsize64 /dev/vda")) == 1 << 30, "the disk has the declared size"
            uid, mac = domain.UUIDString(), lease["mac"]

            repository.commit({"vm.yaml": machine(host_objects, memory=192, title="'changed by a commit'")}, "Less")
            until(lambda: domain.info()[2] == 192 * 1024, 60, "the balloon has followed the commit")
            assert domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None) == "changed by a commit"
            console.command("true")  # the same guest, still there

        assert domain.UUIDString() == uid
        assert mac in domain.XMLDesc()

        first = qemu_connection.lookupByName(name).ID()
        domain.shutdown()  # from inside or by hand: Always starts it again
        until(lambda: qemu_connection.lookupByName(name).ID() not in (-1, first), 60, "it was started again")
        with SerialConsole(qemu_system, name) as console:
            console.wait_until_ready()

        repository.commit({"vm.yaml": machine(host_objects, memory=192, runStrategy="Halted")}, "Off")
        until(lambda: not domain.isActive(), 60, "the guest has shut down")
        assert domain.state()[1] == libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN, "by ACPI, not by pulling the plug"

        approve_removal(agent, repository.remove("vm.yaml"))
        until(lambda: name not in [each.name() for each in qemu_connection.listAllDomains()], 60, "it is gone")
        volumes = qemu_connection.storagePoolLookupByName(host_objects.name("pool")).listAllVolumes()
        assert f"{name}-root.qcow2" in [volume.name() for volume in volumes], "its disk stays"
