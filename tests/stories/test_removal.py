"""What makes other tools give up when a machine is to leave, and what a removal leaves alone."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest

from reconciler.line.line import Line
from tests.lab.approving import converge_approved
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository


@pytest.fixture
def line(line_with_pool: Line) -> Line:
    return line_with_pool


def vm(objects: HostObjects, name: str, **fields: object) -> str:
    values = {"memory": 64, "runStrategy": "Manual", "forceStop": "true", "shutdownTimeout": 1, **fields}
    lines = "".join(f"  {key}: {value}\n" for key, value in values.items())
    return (
        f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {objects.name(name)}}}\nspec:\n{lines}"
        f"  domainType: emulated\n  disks: [{{name: root, size: 16MiB, pool: {objects.name('pool')}}}]\n"
    )


def domains(connection: libvirt.virConnect, objects: HostObjects) -> set[str]:
    found = (domain.name() for domain in connection.listAllDomains())
    return {name.removeprefix(objects.prefix) for name in found if name.startswith(objects.prefix)}


# community.libvirt#40, vagrant-libvirt#1371, dmacvicar/terraform-provider-libvirt#1203
@pytest.mark.parametrize(
    "burden", ["snapshot", "managed save", "NVRAM"], ids=lambda burden: str(burden).replace(" ", "-").lower()
)
def test_a_machine_leaves_with_all_that_libvirt_refuses_to_undefine_and_its_disk_stays(
    line: Line, repository: Repository, host_objects: HostObjects, dir_pool_folder: Path,
    qemu_connection: libvirt.virConnect, burden: str,
) -> None:  # fmt: skip
    firmware = {"machine": "q35", "firmware": "uefi"} if burden == "NVRAM" else {}
    repository.commit({"web.yaml": vm(host_objects, "web", **firmware)})
    assert line.converge().succeeded
    domain = qemu_connection.lookupByName(host_objects.name("web"))
    if burden == "snapshot":
        domain.snapshotCreateXML("<domainsnapshot><name>before</name></domainsnapshot>")
        assert domain.snapshotNum() == 1
    else:
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        if burden == "managed save":
            domain.managedSave()
            assert domain.hasManagedSaveImage()
        else:
            domain.destroy()
    repository.remove("web.yaml")
    assert converge_approved(line).succeeded
    assert domains(qemu_connection, host_objects) == set()
    assert (dir_pool_folder / "pool" / host_objects.name("web-root.qcow2")).exists()


# karmab/kcli#14: one changed machine of a plan couldn't be deployed again alone
def test_one_machine_that_vanished_is_made_again_and_its_neighbours_arent_touched(
    line: Line, repository: Repository, host_objects: HostObjects, qemu_connection: libvirt.virConnect
) -> None:
    repository.commit({f"{name}.yaml": vm(host_objects, name) for name in ("a", "b", "c")})
    assert line.converge().succeeded
    before = {name: qemu_connection.lookupByName(host_objects.name(name)).XMLDesc() for name in ("a", "c")}
    qemu_connection.lookupByName(host_objects.name("b")).undefine()
    plan = line.plan()
    assert [step.ref.name for step in plan.steps] == [host_objects.name("b")]
    assert line.converge().succeeded
    assert domains(qemu_connection, host_objects) == {"a", "b", "c"}
    assert before == {name: qemu_connection.lookupByName(host_objects.name(name)).XMLDesc() for name in before}


# kubevirt/kubevirt#9580: a running machine could simply be deleted
def test_a_protected_running_machine_stays_when_its_document_is_removed(
    line: Line, repository: Repository, host_objects: HostObjects, qemu_connection: libvirt.virConnect
) -> None:
    document = vm(host_objects, "web").replace("}\nspec:", ', annotations: {onggi/protect: "true"}}\nspec:', 1)
    repository.commit({"web.yaml": document})
    assert line.converge().succeeded
    domain = qemu_connection.lookupByName(host_objects.name("web"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    try:
        repository.remove("web.yaml")
        assert [blocked.reason for blocked in line.converge().remaining.blocked] == ["Protected"]
        assert domain.isActive()
    finally:
        domain.destroy()
