"""A running machine keeps its disks through every edit of its document: on the real hypervisor, with stopped CPUs."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest
from lxml import etree

from reconciler.line.line import Line
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

DATA = b"what the guest wrote"


@pytest.fixture
def line(line_with_pool: Line) -> Line:
    return line_with_pool


def vm(objects: HostObjects, *disks: str, **fields: object) -> str:
    values = {"memory": 64, "paused": "true", "domainType": "emulated", "forceStop": "true", "shutdownTimeout": 1}
    lines = "".join(f"  {key}: {value}\n" for key, value in {**values, **fields}.items())
    entries = ", ".join(f"{{{disk}}}" for disk in disks)
    head = f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {objects.name('web')}}}\nspec:\n{lines}"
    return f"{head}  disks: [{entries}]\n"


def disks(connection: libvirt.virConnect, objects: HostObjects) -> list[tuple[str, str]]:
    """Device name and file of each disk of the running machine."""
    root = etree.fromstring(connection.lookupByName(objects.name("web")).XMLDesc())
    return [
        (target.get("dev", ""), Path(source.get("file", "")).name.removeprefix(objects.prefix))
        for disk in root.findall("devices/disk[@device='disk']")
        for target, source in zip(disk.findall("target"), disk.findall("source")[:1], strict=True)
    ]


def test_no_edit_of_a_document_pulls_a_disk_from_a_running_machine(
    line: Line, repository: Repository, host_objects: HostObjects, dir_pool_folder: Path,
    qemu_connection: libvirt.virConnect,
) -> None:  # fmt: skip
    pool, fast = host_objects.name("pool"), host_objects.name("fast")
    root, data = f"name: root, size: 16MiB, pool: {pool}", f"name: data, size: 8MiB, format: raw, pool: {pool}"
    other = f"metadata: {{name: {fast}}}\nspec: {{type: dir, path: {dir_pool_folder / 'fast'}}}\n"
    repository.commit(
        {"fast.yaml": f"apiVersion: onggi/v1\nkind: StoragePool\n{other}", "vm.yaml": vm(host_objects, root, data)}
    )
    assert line.converge().succeeded
    domain = qemu_connection.lookupByName(host_objects.name("web"))
    run = domain.ID()
    written = dir_pool_folder / "pool" / host_objects.name("web-data.img")
    with written.open("r+b") as file:
        file.write(DATA)
    before = disks(qemu_connection, host_objects)
    assert before == [("vda", "web-root.qcow2"), ("vdb", "web-data.img")]

    # A renamed entry: nothing is done to the disk, and the rest of the commit is.
    repository.commit({"vm.yaml": vm(host_objects, root.replace("root", "system"), data, title="renamed")})
    assert line.converge().succeeded
    assert line.plan().empty
    assert disks(qemu_connection, host_objects) == before
    assert domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None) == "renamed"

    # Another pool, or no entry at all: held back with the way out, and the rest of the commit is done.
    for number, edited in enumerate(
        ([root.replace("root", "system").replace(pool, fast), data], [root.replace("root", "system")], [])
    ):
        repository.commit({"vm.yaml": vm(host_objects, *edited, title=f"edit-{number}")})
        convergence = line.converge()
        assert {item.reason for item in convergence.remaining.blocked} == {"NeedsApproval"}
        assert convergence.remaining.empty
        assert disks(qemu_connection, host_objects) == before
        assert domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None) == f"edit-{number}"
    assert list((dir_pool_folder / "fast").iterdir()) == []
    assert domain.ID() == run, "it ran all the time"

    # Once it is off, and a person has said so, it goes; the volume stays with what is in it.
    repository.commit({"vm.yaml": vm(host_objects, root.replace("root", "system"), runStrategy="Halted")})
    line.converge()
    [waiting] = line.plan().blocked
    assert host_objects.name("web-data.img") in waiting.message
    line.ledger.decisions.approve(waiting.digest)
    assert line.converge().succeeded
    assert host_objects.name("web-root.qcow2") in domain.XMLDesc()
    assert host_objects.name("web-data.img") not in domain.XMLDesc()
    assert written.read_bytes().startswith(DATA)
