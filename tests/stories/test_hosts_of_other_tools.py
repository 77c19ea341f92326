"""What virt-install, kcli and Ansible made is exported, and the plan of the documents is empty.

kcli and Ansible are installed as for the benchmark, each into an environment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import libvirt
import pytest
import yaml

from bench.peers.installed import environment
from reconciler.exporting.export import export
from reconciler.hypervisor import Hypervisor
from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from specs.overlay.areas import AREAS
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from tests.corpus.host import make_volumes, only, write
from tests.lab.libvirtd import QEMU_SYSTEM, HostObjects

LIMIT_S = 240


def run(*argv: object, env: Mapping[str, str], limit_s: int = LIMIT_S) -> None:
    """Run a tool; it fails with the tool's own words. Raises TimeoutExpired."""
    done = subprocess.run(
        [*map(str, argv)],
        env={**os.environ, "LC_ALL": "C.UTF-8", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit_s,
    )
    assert done.returncode == 0, f"{argv[0]}: {done.stdout[-600:]} {done.stderr[-600:]}"


class Place:
    """A pool with one volume and an isolated network, for a tool to put a machine on."""

    def __init__(self, connection: libvirt.virConnect, objects: HostObjects, images: Path) -> None:
        self.connection = connection
        self.pool = objects.name("images")
        self.network = objects.name("lan")
        self.machine = objects.name("web")
        self.prefix = objects.prefix
        hypervisor = Hypervisor.open(QEMU_SYSTEM)
        try:
            make_volumes(hypervisor, Ref("StoragePool", self.pool), images, ["web.qcow2"])
        finally:
            hypervisor.close()
        connection.networkDefineXML(f"<network><name>{self.network}</name></network>").create()

    def xml(self) -> str:
        """The machine's persistent definition."""
        return str(self.connection.lookupByName(self.machine).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


@pytest.fixture
def place(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, dir_pool_folder: Path, qemu_system: str
) -> Place:
    assert qemu_system == QEMU_SYSTEM
    return Place(qemu_connection, host_objects, dir_pool_folder)


@contextmanager
def exported(place: Place, tmp_path: Path) -> Iterator[Line]:
    """The line over the documents of what bears the prefix."""
    repository_id = str(uuid.uuid4())
    hypervisor = Hypervisor.open(QEMU_SYSTEM)
    try:
        found = export(only(hypervisor.observe(), place.prefix), repository_id)
    finally:
        hypervisor.close()
    folder = write(found, tmp_path / "documents", repository_id)
    settings = Settings(repository=str(folder), connect=QEMU_SYSTEM, state=tmp_path / "state", allow_xml=tuple(AREAS))
    with Line.open(settings, exclusive=True) as line:
        yield line


def assert_at_rest(place: Place, tmp_path: Path, *, disk: str) -> None:
    """Nothing is to be done about the machine and its disk, and nothing is done."""
    before = place.xml()
    with exported(place, tmp_path) as line:
        desired = line.desired()
        assert desired.problems == ()
        assert desired.resources[Ref(VIRTUAL_MACHINE, place.machine)].spec["disks"][0]["volume"] == disk
        assert Ref(STORAGE_VOLUME, disk) in desired.resources
        plan = line.plan()
        assert (plan.steps, plan.blocked, plan.drifted) == ((), (), ())
        assert line.converge().succeeded
    assert place.xml() == before


def test_what_virt_install_made_is_exported_with_an_empty_plan(place: Place, tmp_path: Path) -> None:
    words = ("virt-install", "--connect", QEMU_SYSTEM, "--virt-type", "qemu", "--import", "--noautoconsole")
    size = ("--name", place.machine, "--memory", 64, "--vcpus", "2,maxvcpus=4", "--osinfo", "generic")
    devices = ("--disk", f"vol={place.pool}/web.qcow2", "--network", f"network={place.network}", "--graphics", "vnc")
    try:
        run(*words, *size, *devices, "--tpm", "none", env={"HOME": str(tmp_path)})
    finally:
        place.connection.lookupByName(place.machine).suspend()  # without a system it would only spin
    assert_at_rest(place, tmp_path, disk=f"{place.pool}/web.qcow2")


def test_what_kcli_made_is_exported_with_an_empty_plan(place: Place, tmp_path: Path) -> None:
    program = environment("kcli", "kcli", "libvirt-python", program="kcli") / "kcli"
    machine = {
        "memory": 64,
        "numcpus": 2,
        "pool": place.pool,
        "disks": [1],
        "nets": [place.network],
        "virttype": "qemu",
        "cloudinit": False,
        "start": False,
    }
    plan = tmp_path / "plan.yml"
    plan.write_text(yaml.safe_dump({place.machine: machine}))
    create = (program, "create", "plan", "-f", plan, f"{place.prefix}plan")
    for last in (False, False, False, True):
        # kcli looks at all pools of the host, and never ends when another test's goes away meanwhile: asked again.
        try:
            run(*create, env={"HOME": str(tmp_path)}, limit_s=60)
        except subprocess.TimeoutExpired:
            assert not last, "kcli didn't end within a minute, four times"
        else:
            break
    assert_at_rest(place, tmp_path, disk=f"{place.pool}/{place.machine}_0.img")


def test_what_ansible_made_is_exported_with_an_empty_plan(place: Place, tmp_path: Path) -> None:
    packages = ("ansible", "libvirt-python", "lxml", "pycdlib")
    programs = environment("ansible", *packages, program="ansible-playbook")
    volume = f"<volume><name>{place.machine}.qcow2</name><capacity>8388608</capacity>"
    machine = (
        f"<domain type='qemu'><name>{place.machine}</name><memory unit='MiB'>64</memory>"
        "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>"
        f"<disk type='volume' device='disk'><driver name='qemu' type='qcow2'/>"
        f"<source pool='{place.pool}' volume='{place.machine}.qcow2'/><target dev='vda' bus='virtio'/></disk>"
        f"<interface type='network'><source network='{place.network}'/><model type='e1000'/></interface>"
        "</devices></domain>"
    )
    tasks = [
        {
            "community.libvirt.virt_volume": {
                "uri": QEMU_SYSTEM,
                "pool": place.pool,
                "state": "present",
                "name": f"{place.machine}.qcow2",
                "xml": f"{volume}<target><format type='qcow2'/></target></volume>",
            }
        },
        {"community.libvirt.virt": {"uri": QEMU_SYSTEM, "command": "define", "name": place.machine, "xml": machine}},
    ]
    variables = {"ansible_python_interpreter": str(programs / "python")}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": tasks}
    playbook = tmp_path / "playbook.json"
    playbook.write_text(json.dumps([play]))  # JSON is YAML
    run(programs / "ansible-playbook", "--inventory", "localhost,", playbook, env={"HOME": str(tmp_path)})
    assert_at_rest(place, tmp_path, disk=f"{place.pool}/{place.machine}.qcow2")
