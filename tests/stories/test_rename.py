"""A document that keeps its uid and changes its name renames the machine, with its disks and what is on them."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest

from reconciler.line.line import Line
from specs.reference import Ref
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

UID = "3f0c8c1e-52f4-4b0a-9c3e-d1d1a2b3c4d5"


@pytest.fixture
def line(line_with_pool: Line) -> Line:
    return line_with_pool


def vm(objects: HostObjects, name: str, **fields: object) -> str:
    values = {"memory": 64, "runStrategy": "Halted", "forceStop": "true", "shutdownTimeout": 1, **fields}
    lines = "".join(f"  {key}: {value}\n" for key, value in values.items())
    return f"""\
apiVersion: onggi/v1
kind: VirtualMachine
metadata: {{name: {objects.name(name)}, uid: {UID}}}
spec:
{lines}  domainType: emulated
  disks:
    - {{name: root, size: 16MiB, pool: {objects.name("pool")}}}
    - {{name: data, size: 16MiB, format: raw, pool: {objects.name("pool")}}}
"""


def names(line: Line, objects: HostObjects) -> set[str]:
    return {ref.name.removeprefix(objects.prefix) for ref in line.observe().objects if objects.prefix in ref.name}


def volume_files(folder: Path, objects: HostObjects) -> list[str]:
    return sorted(path.name.removeprefix(objects.prefix) for path in (folder / "pool").iterdir())


def test_a_new_name_with_the_old_uid_renames_the_machine_and_its_disks(
    line: Line, repository: Repository, host_objects: HostObjects, dir_pool_folder: Path,
    qemu_connection: libvirt.virConnect,
) -> None:  # fmt: skip
    repository.commit({"vm.yaml": vm(host_objects, "old")})
    assert line.converge().succeeded
    data = dir_pool_folder / "pool" / host_objects.name("old-data.img")
    data.write_bytes(b"precious" + bytes((16 << 20) - 8))
    mac_and_places = qemu_connection.lookupByName(host_objects.name("old")).XMLDesc().count("<address ")

    repository.commit({"vm.yaml": vm(host_objects, "new")})
    plan = line.plan()
    actions = {step.ref.name.rpartition("/")[2].removeprefix(host_objects.prefix): step.action for step in plan.steps}
    assert actions == {"new": "~", "new-root.qcow2": "~", "new-data.img": "~"}, "nothing is made and nothing deleted"
    assert line.converge().succeeded

    domain = qemu_connection.lookupByName(host_objects.name("new"))
    assert domain.UUIDString() == UID
    assert domain.XMLDesc().count("<address ") == mac_and_places
    assert volume_files(dir_pool_folder, host_objects) == ["new-data.img", "new-root.qcow2"]
    assert (dir_pool_folder / "pool" / host_objects.name("new-data.img")).read_bytes().startswith(b"precious")
    assert host_objects.name("old") not in [each.name() for each in qemu_connection.listAllDomains()]
    assert not any(ref.name.endswith(("old", "old-root.qcow2")) for ref in line.ledger.ownership.all())
    assert line.plan().empty
    assert line.ledger.drift.records(healed=True) == [], "a rename that is asked for is nobody's doing by hand"


def test_a_running_machine_keeps_its_name_and_its_disks_until_it_is_off(
    line: Line, repository: Repository, host_objects: HostObjects, dir_pool_folder: Path,
    qemu_connection: libvirt.virConnect,
) -> None:  # fmt: skip
    repository.commit({"vm.yaml": vm(host_objects, "old", runStrategy="Manual")})
    assert line.converge().succeeded
    domain = qemu_connection.lookupByName(host_objects.name("old"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    try:
        repository.commit({"vm.yaml": vm(host_objects, "new", runStrategy="Manual")})
        convergence = line.converge()
        assert convergence.remaining.empty
        [waiting] = convergence.remaining.waiting
        assert [(change.pointer, change.new) for change in waiting.changes] == [
            ("/metadata/name", host_objects.name("new"))
        ]
        assert domain.isActive()
        assert volume_files(dir_pool_folder, host_objects) == ["old-data.img", "old-root.qcow2"]
    finally:
        domain.destroy()
    assert line.converge().succeeded
    assert "new" in names(line, host_objects)
    assert volume_files(dir_pool_folder, host_objects) == ["new-data.img", "new-root.qcow2"]
    assert line.ledger.drift.records(healed=True) == []


def test_what_else_changes_does_not_wait_for_the_name(
    line: Line, repository: Repository, host_objects: HostObjects, dir_pool_folder: Path,
    qemu_connection: libvirt.virConnect,
) -> None:  # fmt: skip
    repository.commit({"vm.yaml": vm(host_objects, "old", runStrategy="Manual", title="before")})
    assert line.converge().succeeded
    domain = qemu_connection.lookupByName(host_objects.name("old"))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    try:
        changed = vm(host_objects, "new", runStrategy="Manual", title="after", memory=80)
        repository.commit({"vm.yaml": changed.replace("name: data, size: 16MiB", "name: data, size: 32MiB")})
        convergence = line.converge()
        assert convergence.remaining.empty
        [waiting] = [each for each in convergence.remaining.waiting if each.ref.kind == "VirtualMachine"]
        assert waiting.changes[0].pointer == "/metadata/name"
        assert domain.name() == host_objects.name("old")
        assert domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None, libvirt.VIR_DOMAIN_AFFECT_LIVE) == "after"
        definition = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        assert ">81920</memory>" in definition
        assert host_objects.name("old-data.img") in definition
        assert domain.blockInfo("vdb")[0] == 32 << 20
        assert not line.note_drift(line.look()), "nobody has changed it by hand"

        repository.commit({"vm.yaml": vm(host_objects, "new", runStrategy="Halted", title="after", memory=80)})
        line.converge()
        assert not domain.isActive(), "an order to stop is no change of the name"
    finally:
        if domain.isActive():
            domain.destroy()
    line.converge()
    assert qemu_connection.lookupByUUIDString(UID).name() == host_objects.name("new")
    assert volume_files(dir_pool_folder, host_objects) == ["new-data.img", "new-root.qcow2"]


def test_a_machine_that_somebody_renamed_is_drift_and_gets_its_name_back_once_it_is_off(
    line: Line, repository: Repository, host_objects: HostObjects, dir_pool_folder: Path,
    qemu_connection: libvirt.virConnect,
) -> None:  # fmt: skip
    repository.commit({"vm.yaml": vm(host_objects, "web", runStrategy="Manual")})
    assert line.converge().succeeded
    qemu_connection.lookupByName(host_objects.name("web")).rename(host_objects.name("elsewhere"))
    domain = qemu_connection.lookupByUUIDString(UID)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    try:
        now = line.look()
        assert now.plan.empty
        [drift] = line.note_drift(now)
        [field] = drift.fields
        assert (field.field, field.declared, field.found) == (
            "/metadata/name", host_objects.name("web"), host_objects.name("elsewhere")
        )  # fmt: skip
        repository.commit({"vm.yaml": vm(host_objects, "web", runStrategy="Manual", title="found")})
        line.converge()
        assert domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None, libvirt.VIR_DOMAIN_AFFECT_LIVE) == "found"
        mark = line.observe().objects[Ref("VirtualMachine", host_objects.name("elsewhere"))].mark
        assert mark is not None
        assert mark.name == host_objects.name("web")
    finally:
        domain.destroy()
    [step] = line.plan().steps
    assert step.drift
    assert "renamed on the host" in step.why
    assert line.converge().succeeded
    assert qemu_connection.lookupByUUIDString(UID).name() == host_objects.name("web")
    assert volume_files(dir_pool_folder, host_objects) == ["web-data.img", "web-root.qcow2"]
    assert line.plan().empty


@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "forgotten"])
def test_a_machine_that_somebody_renamed_leaves_with_its_document(
    line: Line, repository: Repository, host_objects: HostObjects, qemu_connection: libvirt.virConnect,
    remembered: bool,
) -> None:  # fmt: skip
    document = vm(host_objects, "web").replace(f", uid: {UID}", "")
    repository.commit({"vm.yaml": document, "other.yaml": document.replace("web}", "other}")})
    assert line.converge().succeeded
    qemu_connection.lookupByName(host_objects.name("web")).rename(host_objects.name("elsewhere"))
    repository.remove("vm.yaml")
    ref = Ref("VirtualMachine", host_objects.name("web"))
    if not remembered:
        line.ledger.change(disown=[ref])
    [step] = line.plan().steps
    assert step.ref == ref
    assert host_objects.name("elsewhere") in step.why
    assert line.converge().succeeded
    mine = {each.name() for each in qemu_connection.listAllDomains() if each.name().startswith(host_objects.prefix)}
    assert mine == {host_objects.name("other")}
    assert ref not in line.ledger.ownership.all()


def test_an_adopted_machine_without_a_uid_in_its_document_is_found_under_another_name(
    line: Line, repository: Repository, host_objects: HostObjects, qemu_connection: libvirt.virConnect
) -> None:
    made = vm(host_objects, "web")
    repository.commit({"vm.yaml": made})
    assert line.converge().succeeded
    repository.commit({"vm.yaml": made.replace(f", uid: {UID}", "")})
    assert line.converge().succeeded
    qemu_connection.lookupByUUIDString(UID).rename(host_objects.name("elsewhere"))
    assert [step.action for step in line.plan().steps] == ["~"], "no second machine upon the same disks"
    assert line.converge().succeeded
    assert qemu_connection.lookupByName(host_objects.name("web")).UUIDString() == UID


def test_a_disk_is_never_renamed_over_another_one(
    line: Line, repository: Repository, host_objects: HostObjects, dir_pool_folder: Path,
    qemu_connection: libvirt.virConnect,
) -> None:  # fmt: skip
    repository.commit({"vm.yaml": vm(host_objects, "old")})
    assert line.converge().succeeded
    other = dir_pool_folder / "pool" / host_objects.name("new-data.img")
    other.write_bytes(b"somebody else's")
    repository.commit({"vm.yaml": vm(host_objects, "new")})
    assert not line.converge().succeeded
    assert other.read_bytes() == b"somebody else's"
    assert (dir_pool_folder / "pool" / host_objects.name("old-data.img")).exists()
    assert qemu_connection.lookupByUUIDString(UID).name() == host_objects.name("old"), "it waits for its disks"


@pytest.mark.parametrize("operations", range(1, 4))
def test_a_rename_that_was_cut_off_goes_on(
    line: Line, repository: Repository, host_objects: HostObjects, dir_pool_folder: Path, operations: int
) -> None:
    repository.commit({"vm.yaml": vm(host_objects, "old")})
    assert line.converge().succeeded
    repository.commit({"vm.yaml": vm(host_objects, "new")})
    plan = line.plan()
    line.ledger.change(own=plan.records, disown=plan.forgotten)
    todo = [operation for step in plan.steps for operation in step.operations]
    for operation in todo[:operations]:
        line.hypervisor.perform(operation)
    assert line.converge().succeeded
    assert volume_files(dir_pool_folder, host_objects) == ["new-data.img", "new-root.qcow2"]
    assert names(line, host_objects) >= {"new"}
    assert "old" not in names(line, host_objects)
    assert {ref.kind for ref, entry in line.ledger.ownership.all().items() if entry.created} == {
        "VirtualMachine", "StorageVolume", "StoragePool",
    }  # fmt: skip


def test_a_network_of_another_name_with_the_same_uid_is_refused_in_words(
    line: Line, repository: Repository, host_objects: HostObjects
) -> None:
    def network(name: str) -> str:
        return (
            f"apiVersion: onggi/v1\nkind: Network\nmetadata: {{name: {host_objects.name(name)}, uid: {UID}}}\n"
            "spec: {mode: isolated, active: false}\n"
        )

    repository.commit({"net.yaml": network("a")})
    assert line.converge().succeeded
    repository.commit({"net.yaml": network("b")})
    [blocked] = line.converge().remaining.blocked
    assert blocked.reason == "RenameRefused"
    assert Ref("Network", host_objects.name("a")) in line.observe().objects
