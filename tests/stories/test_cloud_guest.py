"""What only a guest can tell: Debian's own cloud-init, on Debian's cloud kernel, does what the seed says."""

from __future__ import annotations

import ipaddress
import shutil
from pathlib import Path

import libvirt
import yaml

from reconciler.line.line import Line
from reconciler.loop.unread_seeds import FIRMWARE_BYTES, SYSTEM_BYTES
from reconciler.settings.settings import Settings
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.virtualmachine.storage.cdroms import seed_drive
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.serial_console import SerialConsole
from tests.specs.virtualmachine.test_ssh_keys import ED25519

BOOT_TIMEOUT_S = 400


def document(kind: str, name: str, spec: dict[str, object]) -> str:
    return yaml.safe_dump({"apiVersion": "onggi/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})


# Debian's genericcloud found no user, no key and no address on a seed that was a SATA CD-ROM
def test_a_guest_on_the_cloud_kernel_takes_its_user_its_key_and_its_addresses_from_the_seed(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    free_subnet: ipaddress.IPv4Network,
    cloud_image: Path,
    repository: Repository,
    tmp_path: Path,
) -> None:
    vm, pool, network = (host_objects.name(each) for each in ("vm", "pool", "net"))
    shutil.copy(cloud_image, dir_pool_folder / "cloud.qcow2")
    gateway, address = free_subnet[1], free_subnet[77]
    machine = {
        "memory": "512MiB",
        "cpus": 2,
        "domainType": "emulated",
        "runStrategy": "Always",
        "disks": [{"name": "root", "size": "2GiB", "pool": pool, "base": "cloud.qcow2"}],
        "interfaces": [
            {
                "network": network,
                "addresses": [f"{address}/24", "fd00:6f6e::77/64"],
                "gateways": [str(gateway)],
                "nameservers": [str(gateway)],
            }
        ],
        "cloudInit": {
            "pool": pool,
            "user": "ops",
            "sshKeys": [ED25519],
            "hostname": "web.example.org",
            "userData": "#cloud-config\nwrite_files: [{path: /etc/from-user-data, content: said by the author}]\n",
        },
    }
    repository.commit(
        {
            "host.yaml": document("StoragePool", pool, {"type": "dir", "path": str(dir_pool_folder)})
            + "---\n"
            + document("Network", network, {"mode": "isolated", "subnet": str(free_subnet)}),
            "vm.yaml": document("VirtualMachine", vm, machine),
        }
    )
    settings = Settings(repository=str(repository.path), connect=qemu_system, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as line:
        done = line.converge()
        assert done.succeeded, done
        with SerialConsole(qemu_system, vm) as console:
            console.wait_until_ready(BOOT_TIMEOUT_S)
            assert console.command("uname -r").endswith("-cloud-amd64")
            assert console.command("find /lib/modules -name 'ahci*'") == "", "a SATA drive wouldn't be seen"
            assert "sudo" in console.command("id -nG ops").split()
            assert console.command("cat /home/ops/.ssh/authorized_keys").splitlines()[-1] == ED25519
            assert console.command("hostname") == "web"
            assert console.command("cat /etc/from-user-data; echo") == "said by the author"
            addresses = console.command("ip -brief address show scope global").split()
            assert {f"{address}/24", "fd00:6f6e::77/64"} <= set(addresses)
            assert str(gateway) in console.command("ip route show default")
            assert "DataSourceNoCloud" in console.command("cat /run/cloud-init/status.json")
        observed = line.observe().objects[Ref(VIRTUAL_MACHINE, vm)]
        drive = seed_drive((observed.live or {})["cdroms"])
        read = line.hypervisor.machine_statistics()[observed.ref].read
        assert drive is not None and read[drive["target"]] > FIRMWARE_BYTES, "by which a seed that nobody sees is told"
        assert read["vda"] > SYSTEM_BYTES
        assert line.plan().empty
