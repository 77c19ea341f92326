"""No commit and no mistake loses a disk: every rung between a removed document and a deleted object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.line.line import Line
from reconciler.planning.operations import CreateVolume, Define, DeleteVolume
from reconciler.settings.settings import Settings
from specs.reference import Ref
from tests.lab.repositories import Repository

POOL = "apiVersion: onggi/v1\nkind: StoragePool\nmetadata: {name: disks}\nspec: {type: dir, path: /disks}\n"
DISK = Ref("StorageVolume", "disks/data.qcow2")


def vm(name: str, **fields: object) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in {"memory": 64, "runStrategy": "Halted", **fields}.items())
    return f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {name}}}\nspec:\n{lines}"


def volume(capacity: str = "16MiB") -> str:
    return (
        "apiVersion: onggi/v1\nkind: StorageVolume\nmetadata: {name: data.qcow2}\n"
        f"spec: {{pool: disks, format: qcow2, capacity: {capacity}, deletionPolicy: Delete}}\n"
    )


@pytest.fixture
def settings(repository: Repository, private_test_uri: str, tmp_path: Path) -> Settings:
    repository.commit({"pool.yaml": POOL})
    return Settings(repository=str(repository.path), connect=private_test_uri, state=tmp_path / "state")


@pytest.fixture
def line(settings: Settings) -> Iterator[Line]:
    with Line.open(settings, exclusive=True) as opened:
        yield opened


def machines(line: Line) -> set[str]:
    """The test driver brings one machine of its own along, called test."""
    return {ref.name for ref in line.observe().objects if ref.kind == "VirtualMachine"} - {"test"}


def many(number: int) -> dict[str, str | bytes]:
    return {f"vms/m{index}.yaml": vm(f"m{index}") for index in range(number)}


def waits_for(line: Line) -> str:
    """The one digest that everything blocked waits for."""
    digests = {blocked.digest for blocked in line.plan().blocked if blocked.reason == "NeedsApproval"}
    assert len(digests) == 1
    return digests.pop()


def test_three_removals_at_once_need_nobody(repository: Repository, line: Line) -> None:
    repository.commit(many(6))
    assert line.converge().succeeded
    repository.remove("vms/m0.yaml", "vms/m1.yaml", "vms/m2.yaml")
    assert line.converge().succeeded
    assert machines(line) == {"m3", "m4", "m5"}


def test_a_fifth_of_many_may_leave_at_once_and_one_more_may_not(repository: Repository, line: Line) -> None:
    repository.commit(many(24))  # with their pool 25 objects
    assert line.converge().succeeded
    repository.remove(*(f"vms/m{index}.yaml" for index in range(6)))
    assert not line.converge().succeeded
    assert len(machines(line)) == 24
    repository.commit({"vms/m0.yaml": vm("m0")})
    assert line.converge().succeeded
    assert len(machines(line)) == 19


# fluxcd/flux2#1366, #3949 and argoproj/argo-cd#15058: garbage collection took what nobody meant to delete
def test_a_commit_that_empties_a_folder_deletes_nothing_until_it_is_approved(
    repository: Repository, line: Line
) -> None:
    repository.commit(many(8))
    assert line.converge().succeeded
    repository.remove("vms")
    convergence = line.converge()
    assert {blocked.reason for blocked in convergence.remaining.blocked} == {"NeedsApproval"}
    assert len(machines(line)) == 8
    line.ledger.decisions.approve(waits_for(line))
    assert line.converge().succeeded
    assert machines(line) == set()


def test_other_changes_go_on_while_removals_wait(repository: Repository, line: Line) -> None:
    repository.commit(many(8) | {"stays.yaml": vm("stays")})
    assert line.converge().succeeded
    repository.remove("vms")
    repository.commit({"stays.yaml": vm("stays", memory=96), "new.yaml": vm("new")})
    line.converge()
    assert machines(line) == {f"m{index}" for index in range(8)} | {"stays", "new"}
    assert line.observe().objects[Ref("VirtualMachine", "stays")].config["memory"] == 96


def test_an_approval_ends_when_the_repository_moves(repository: Repository, line: Line) -> None:
    repository.commit(many(8))
    assert line.converge().succeeded
    repository.remove("vms")
    line.ledger.decisions.approve(waits_for(line))
    repository.commit({"README": "another commit"})
    assert not line.converge().succeeded
    assert len(machines(line)) == 8


def test_an_approval_ends_when_one_of_the_objects_changes(repository: Repository, line: Line) -> None:
    repository.commit(many(8))
    assert line.converge().succeeded
    repository.remove("vms")
    line.ledger.decisions.approve(waits_for(line))
    ref = Ref("VirtualMachine", "m3")
    seen = line.observe().objects[ref]
    line.hypervisor.perform(Define(ref, seen.uid, seen.xml.replace(">65536<", ">98304<")))
    assert not line.converge().succeeded
    assert len(machines(line)) == 8


def test_an_approved_removal_that_was_cut_off_goes_on(repository: Repository, settings: Settings, line: Line) -> None:
    repository.commit(many(12))
    assert line.converge().succeeded
    repository.remove("vms")
    line.ledger.decisions.approve(waits_for(line))
    plan = line.plan()
    assert len(plan.steps) == 12
    line.apply(replace(plan, steps=plan.steps[:2]))  # as far as it came
    assert len(machines(line)) == 10
    assert line.converge().succeeded
    assert machines(line) == set()


def test_a_removed_volume_is_kept_in_the_trash_and_comes_back_with_its_document(
    repository: Repository, line: Line
) -> None:
    repository.commit({"data.yaml": volume()})
    assert line.converge().succeeded
    repository.remove("data.yaml")
    plan = line.plan()
    assert [(step.ref, [type(each).__name__ for each in step.operations]) for step in plan.steps] == [
        (DISK, ["TrashVolume"])
    ]
    assert "7 days" in plan.steps[0].why
    assert line.converge().succeeded
    assert DISK in line.observe().objects
    assert line.plan().empty
    repository.commit({"data.yaml": volume()})
    assert line.converge().succeeded
    assert "trashed" not in line.ledger.ownership.all()[DISK].facts


def test_a_volume_leaves_the_trash_when_its_time_is_over(
    repository: Repository, settings: Settings, private_test_uri: str
) -> None:
    with Line.open(settings, exclusive=True) as line:
        repository.commit({"data.yaml": volume()})
        assert line.converge().succeeded
        repository.remove("data.yaml")
        assert line.converge().succeeded
        assert DISK in line.observe().objects
        line.settings = replace(settings, trash_retention_s=0)
        plan = line.plan()
        assert plan.steps[0].operations == (DeleteVolume(DISK),)
        assert line.converge().succeeded
        assert DISK not in line.observe().objects
        assert DISK not in line.ledger.ownership.all()


# NixVirt and others delete by name: what is there under a name may be somebody else's by now.
def test_a_foreign_volume_under_the_name_of_a_lost_one_is_never_deleted(repository: Repository, line: Line) -> None:
    repository.commit({"data.yaml": volume()})
    assert line.converge().succeeded
    repository.remove("data.yaml")
    line.hypervisor.perform(DeleteVolume(DISK))
    assert line.converge().succeeded
    xml = "<volume><name>data.qcow2</name><capacity>1048576</capacity><target><format type='qcow2'/></target></volume>"
    line.hypervisor.perform(CreateVolume(DISK, xml))
    line.settings = replace(line.settings, trash_retention_s=0)
    assert line.converge().succeeded
    assert DISK in line.observe().objects


# fluxcd/flux2#1366: an empty source isn't the wish to have nothing
def test_a_repository_without_a_readable_document_deletes_nothing(repository: Repository, line: Line) -> None:
    repository.commit(many(2))
    assert line.converge().succeeded
    repository.remove("vms", "pool.yaml")
    repository.commit({"README": "nothing else"})
    line.converge()
    assert machines(line) == {"m0", "m1"}


# karmab/kcli#215, and the plan of kcli that removes surplus disks by their position
def test_a_disk_that_a_document_no_longer_names_is_detached_once_that_is_approved_and_its_volume_kept(
    repository: Repository, line: Line
) -> None:
    repository.commit(
        {"vm.yaml": vm("web", disks="[{name: a, size: 16MiB, pool: disks}, {name: b, size: 16MiB, pool: disks}]")}
    )
    assert line.converge().succeeded
    repository.commit({"vm.yaml": vm("web", disks="[{name: b, size: 16MiB, pool: disks}]")})
    assert not line.converge().succeeded
    assert len(line.observe().objects[Ref("VirtualMachine", "web")].config["disks"]) == 2
    line.ledger.decisions.approve(waits_for(line))
    assert line.converge().succeeded
    objects = line.observe().objects
    [disk] = objects[Ref("VirtualMachine", "web")].config["disks"]
    assert disk["source"]["file"].endswith("web-b.qcow2")
    assert Ref("StorageVolume", "disks/web-a.qcow2") in objects


# dmacvicar/terraform-provider-libvirt#1017, #952, #1325
def test_a_larger_or_smaller_disk_never_means_a_new_one(repository: Repository, line: Line) -> None:
    repository.commit({"data.yaml": volume("16MiB")})
    assert line.converge().succeeded
    for capacity in ("32MiB", "8MiB"):
        repository.commit({"data.yaml": volume(capacity)})
        plan = line.plan()
        assert not [step for step in plan.steps if step.action != "~"]
        assert not any(isinstance(each, DeleteVolume | CreateVolume) for step in plan.steps for each in step.operations)
    assert [blocked.reason for blocked in line.plan().blocked] == ["ShrinkRefused"]
