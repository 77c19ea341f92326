"""A machine that is renamed keeps its snapshots: they can be put back and deleted under its new name."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest

from reconciler import faults
from reconciler.line.line import Line
from reconciler.planning.one_off import CreateSnapshot, DeleteSnapshot, RevertSnapshot
from reconciler.planning.operations import RenameSnapshots
from specs.reference import Ref
from tests.hypervisor.virtualmachine.test_one_off_snapshots import holds, write
from tests.hypervisor.virtualmachine.test_renamed_snapshots import Killed, in_image
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

UID = "3f0c8c1e-52f4-4b0a-9c3e-d1d1a2b3c4d6"


def vm(objects: HostObjects, name: str) -> str:
    return f"""\
apiVersion: onggi/v1
kind: VirtualMachine
metadata: {{name: {objects.name(name)}, uid: {UID}}}
spec:
  memory: 64
  runStrategy: Halted
  domainType: emulated
  disks:
    - {{name: root, size: 16MiB, pool: {objects.name("pool")}}}
    - {{name: data, size: 16MiB, pool: {objects.name("pool")}}}
"""


@pytest.mark.parametrize("killed", [False, True], ids=["undisturbed", "killed"])
def test_snapshots_follow_a_machine_to_its_new_name(
    line_with_pool: Line, repository: Repository, host_objects: HostObjects, dir_pool_folder: Path,
    qemu_connection: libvirt.virConnect, killed: bool,
) -> None:  # fmt: skip
    line, folder = line_with_pool, dir_pool_folder / "pool"
    repository.commit({"vm.yaml": vm(host_objects, "old")})
    assert line.converge().succeeded
    old, new = (Ref("VirtualMachine", host_objects.name(name)) for name in ("old", "new"))
    disks = [folder / host_objects.name(f"new-{label}.qcow2") for label in ("root", "data")]
    for pattern, name in enumerate(("first", "second"), 1):
        for disk in disks:
            write(folder / disk.name.replace("new-", "old-"), pattern)
        line.hypervisor.perform(CreateSnapshot(old, name))

    repository.commit({"vm.yaml": vm(host_objects, "new")})
    if killed:
        _killed_in_the_middle(line)
    assert line.converge().succeeded
    assert line.plan().empty

    found = {each.name: (each.parent, each.current) for each in line.hypervisor.snapshots(new)}
    assert found == {"first": ("", False), "second": ("first", True)}
    line.hypervisor.perform(RevertSnapshot(new, "first"))
    assert all(holds(disk, 1) for disk in disks)
    assert qemu_connection.lookupByUUIDString(UID).name() == new.name
    assert line.plan().empty, "a machine that is put back is the one that the document tells of"
    line.hypervisor.perform(DeleteSnapshot(new, "second"))
    assert [in_image(disk) for disk in disks] == [["first"], ["first"]]


def _killed_in_the_middle(line: Line) -> None:
    plan = line.plan()
    line.ledger.change(own=plan.records, disown=plan.forgotten)
    for operation in (operation for step in plan.steps for operation in step.operations):
        if isinstance(operation, RenameSnapshots):
            break
        line.hypervisor.perform(operation)

    def hook(name: str) -> None:
        if name == "before a snapshot's new definition":
            raise Killed

    faults.install(hook)
    try:
        with pytest.raises(Killed):
            line.hypervisor.perform(operation)
    finally:
        faults.install(None)
