"""The laws of the loop, on random documents: a plan after an apply is empty, and applying twice is applying once."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

import libvirt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from specs.reference import Ref
from tests.lab.libvirtd import HostObjects
from tests.laws.documents import document_sets, files


def written(folder: Path, documents: list[dict[str, Any]]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "onggi.yaml").write_text("apiVersion: onggi/v1\nrepositoryId: 0f3ee1de-6a31-4f3f-a3a8-5d8d1f6b9c01\n")
    for name, content in files(documents).items():
        (folder / name).write_text(content)


def definitions(line: Line) -> dict[Ref, object]:
    """What libvirt has now: machines and networks to the letter, storage without what moves by itself."""
    storage = ("StoragePool", "StorageVolume")
    found = line.observe().objects
    return {ref: observed.config if ref.kind in storage else observed.xml for ref, observed in found.items()}


def converged(line: Line) -> None:
    """Apply, with a person's yes where one is asked for; the law is that nothing is left to do."""
    for digest in {blocked.digest for blocked in line.plan().blocked if blocked.digest}:
        line.ledger.decisions.approve(digest)
    result = line.converge()
    assert [outcome.message for outcome in result.outcomes if outcome.message] == []
    assert result.problems == ()
    assert [str(step.ref) for step in result.remaining.steps] == []
    assert [blocked.message for blocked in result.remaining.blocked] == []


@given(first=document_sets(), second=document_sets())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_on_the_test_driver_a_plan_after_an_apply_is_empty(
    first: list[dict[str, Any]], second: list[dict[str, Any]], private_test_uri: str
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "documents"
        written(folder, first)
        options = Settings(repository=str(folder), connect=private_test_uri, state=Path(place) / "state")
        with Line.open(options, exclusive=True) as line:
            converged(line)
            once = definitions(line)
            converged(line)
            assert definitions(line) == once, "applying twice is applying once"
            written(folder, [*_volumes_kept(first, second), *_others(second)])
            converged(line)


def _volumes_kept(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The second set's volumes at their first size: the test driver doesn't grow one, and nobody shrinks one."""
    before = {doc["metadata"]["name"]: doc["spec"] for doc in first if doc["kind"] == "StorageVolume"}
    kept = []
    for doc in second:
        if doc["kind"] == "StorageVolume":
            old = before.get(doc["metadata"]["name"])
            spec = dict(doc["spec"], capacity=old["capacity"] if old else doc["spec"]["capacity"])
            kept.append({**doc, "spec": spec})
    return kept


def _others(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [doc for doc in documents if doc["kind"] != "StorageVolume"]


def test_on_qemu_a_plan_after_an_apply_is_empty(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    tmp_path: Path,
) -> None:
    @given(data=st.data())
    @settings(max_examples=8, deadline=None, database=None)
    def law(data: st.DataObject) -> None:
        # A new prefix each time: retained volumes of one example must not meet the next one's.
        prefix = f"{host_objects.name('')}{secrets.token_hex(2)}-"
        documents = data.draw(document_sets(prefix, str(dir_pool_folder / prefix), active=False))
        folder = tmp_path / "documents"
        written(folder, documents)
        options = Settings(repository=str(folder), connect=qemu_system, state=tmp_path / f"state-{prefix}")
        with Line.open(options, exclusive=True) as line:
            converged(line)
            once = {ref: xml for ref, xml in definitions(line).items() if prefix in ref.name}
            assert len(once) >= len(documents)
            converged(line)
            assert {ref: xml for ref, xml in definitions(line).items() if prefix in ref.name} == once
        host_objects.remove_all()

    law()


def test_removing_every_machine_but_one_keeps_all_volumes(private_test_uri: str, tmp_path: Path) -> None:
    documents = [
        {
            "apiVersion": "onggi/v1",
            "kind": "VirtualMachine",
            "metadata": {"name": f"vm{index}"},
            "spec": {"runStrategy": "Halted", "disks": [{"name": "root", "size": "16MiB", "pool": "pool"}]},
        }
        for index in range(5)
    ]
    pool = {
        "apiVersion": "onggi/v1",
        "kind": "StoragePool",
        "metadata": {"name": "pool"},
        "spec": {"type": "dir", "path": "/p"},
    }
    folder = tmp_path / "documents"
    written(folder, [pool, *documents])
    options = Settings(repository=str(folder), connect=private_test_uri, state=tmp_path / "state")
    with Line.open(options, exclusive=True) as line:
        converged(line)
        written(folder, [pool, documents[0]])
        converged(line)
        left = line.observe().objects
        assert {ref.name for ref in left if ref.kind == "VirtualMachine"} == {"vm0"}
        assert {ref.short_name for ref in left if ref.pool == "pool"} == {f"vm{i}-root.qcow2" for i in range(5)}
