"""A pool that somebody stopped hides its volumes; that must not look as if they were gone."""

from __future__ import annotations

from pathlib import Path

import libvirt

from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from reconciler.status.outcome import Result
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository


def test_it_is_started_again_and_nothing_is_made_twice(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    repository: Repository,
    tmp_path: Path,
) -> None:
    pool, vm = host_objects.name("pool"), host_objects.name("vm")
    repository.commit(
        {
            "pool.yaml": f"apiVersion: onggi/v1\nkind: StoragePool\nmetadata: {{name: {pool}}}\n"
            f"spec: {{type: dir, path: {dir_pool_folder}}}\n",
            "vm.yaml": f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {vm}}}\n"
            f"spec:\n  memory: 64\n  runStrategy: Halted\n  disks: [{{name: root, size: 16MiB, pool: {pool}}}]\n",
        }
    )
    settings = Settings(repository=str(repository.path), connect=qemu_system, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as line:
        assert line.converge().succeeded
        disk = dir_pool_folder / f"{vm}-root.qcow2"
        before = disk.stat().st_ino
        qemu_connection.storagePoolLookupByName(pool).destroy()
        result = line.converge()
        assert result.succeeded
        assert [str(outcome.step.ref) for outcome in result.outcomes] == [f"StoragePool/{pool}"]
        assert all(outcome.result is Result.CONFIGURED for outcome in result.outcomes)
        assert disk.stat().st_ino == before
