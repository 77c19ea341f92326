"""What a document says about how its object may be treated, each shown by what is on the host afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.line.line import Line
from reconciler.planning.operations import Define, Stop, Undefine
from reconciler.settings.settings import Settings
from specs.reference import Ref
from tests.lab.approving import converge_approved
from tests.lab.repositories import Repository

WEB = Ref("VirtualMachine", "web")
POOL = "apiVersion: onggi/v1\nkind: StoragePool\nmetadata: {name: disks}\nspec: {type: dir, path: /disks}\n"


@pytest.fixture
def line(repository: Repository, private_test_uri: str, tmp_path: Path) -> Iterator[Line]:
    repository.commit({"pool.yaml": POOL})
    settings = Settings(
        repository=str(repository.path), connect=private_test_uri, state=tmp_path / "state", trash_retention_s=0
    )
    with Line.open(settings, exclusive=True) as opened:
        yield opened


def vm(annotations: str = "", **fields: object) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in {"memory": 64, "runStrategy": "Halted", **fields}.items())
    return (
        f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata:\n  name: web\n  annotations: {{{annotations}}}\n"
        f"spec:\n{lines}"
    )


def memory(line: Line) -> object:
    return line.observe().objects[WEB].config["memory"]


def change_by_hand(line: Line, old: str, new: str) -> None:
    seen = line.observe().objects[WEB]
    assert old in seen.xml
    line.hypervisor.perform(Define(WEB, seen.uid, seen.xml.replace(old, new)))


def test_drift_is_healed_by_default_told_under_warn_and_left_under_ignore(repository: Repository, line: Line) -> None:
    for policy, healed, told in (("enforce", True, False), ("warn", False, True), ("ignore", False, False)):
        repository.commit({"web.yaml": vm(driftPolicy=policy)})
        assert line.converge().succeeded
        assert memory(line) == 64
        change_by_hand(line, ">65536<", ">98304<")
        plan = line.plan()
        assert [ref for ref, _ in plan.drifted] == ([WEB] if told else []), policy
        line.converge()
        assert memory(line) == (64 if healed else 96), policy
        change_by_hand(line, ">65536<" if healed else ">98304<", ">65536<")


# stackhpc/ansible-role-libvirt-vm#82: changed variables did nothing to machines that existed
def test_an_edit_of_the_document_is_applied_whatever_the_drift_policy(repository: Repository, line: Line) -> None:
    repository.commit({"web.yaml": vm(driftPolicy="warn")})
    assert line.converge().succeeded
    repository.commit({"web.yaml": vm(driftPolicy="warn", memory=80)})
    assert line.converge().succeeded
    assert memory(line) == 80


def test_ignored_fields_belong_to_somebody_else(repository: Repository, line: Line) -> None:
    repository.commit({"web.yaml": vm(ignoreFields='["/memory"]', title="ours")})
    assert line.converge().succeeded
    change_by_hand(line, ">65536<", ">98304<")
    change_by_hand(line, "ours", "theirs")
    assert line.converge().succeeded
    seen = line.observe().objects[WEB].config
    assert (seen["memory"], seen["title"]) == (96, "ours")


@pytest.mark.parametrize(("policy", "left"), [("Retain", ["web-root.qcow2"]), ("Delete", [])])
def test_a_removed_machine_leaves_its_disks_unless_its_document_said_delete(
    repository: Repository, line: Line, policy: str, left: list[str]
) -> None:
    repository.commit({"web.yaml": vm(deletionPolicy=policy, disks="[{name: root, size: 16MiB, pool: disks}]")})
    assert line.converge().succeeded
    repository.remove("web.yaml")
    assert converge_approved(line).succeeded
    found = line.observe().objects
    assert WEB not in found
    assert [ref.short_name for ref in found if ref.pool == "disks"] == left


def test_what_is_protected_stays_until_a_commit_lifts_the_protection(repository: Repository, line: Line) -> None:
    repository.commit({"web.yaml": vm('onggi/protect: "true"')})
    assert line.converge().succeeded
    repository.remove("web.yaml")
    assert [blocked.reason for blocked in line.converge().remaining.blocked] == ["Protected"]
    assert WEB in line.observe().objects
    repository.commit({"web.yaml": vm()})
    assert line.converge().succeeded
    repository.remove("web.yaml")
    assert converge_approved(line).succeeded
    assert WEB not in line.observe().objects


def test_an_existing_machine_is_taken_over_only_when_the_document_says_so(repository: Repository, line: Line) -> None:
    uid = "6b1f7c1e-0d3c-4f0e-8a55-0b6f2f1d7a99"
    xml = (
        f"<domain type='test'><name>web</name><uuid>{uid}</uuid><memory>98304</memory>"
        "<os><type>hvm</type></os></domain>"
    )
    line.hypervisor.perform(Define(WEB, uid, xml))
    repository.commit({"web.yaml": vm()})
    assert [blocked.reason for blocked in line.converge().remaining.blocked] == ["OwnedByOther"]
    assert memory(line) == 96
    repository.commit({"web.yaml": vm('onggi/adopt: "true"')})
    assert line.converge().succeeded
    assert line.observe().objects[WEB].uid == uid
    assert memory(line) == 64


def test_a_subnet_is_chosen_once_and_comes_back_with_its_network(repository: Repository, line: Line) -> None:
    lan = Ref("Network", "lan")
    repository.commit({"lan.yaml": "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: lan}\nspec: {mode: nat}\n"})
    assert line.converge().succeeded
    seen = line.observe().objects[lan]
    line.hypervisor.perform(Stop(lan))
    line.hypervisor.perform(Undefine(lan, seen.uid))
    other = "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: earlier}\nspec: {mode: nat}\n"
    repository.commit({"earlier.yaml": other})
    assert line.converge().succeeded
    found = line.observe().objects
    assert found[lan].config["subnet"] == seen.config["subnet"]
    assert found[Ref("Network", "earlier")].config["subnet"] != seen.config["subnet"]
