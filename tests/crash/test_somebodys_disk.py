"""A volume that somebody else made is never given to a new machine, nor taken for a half-made one of ours."""

from __future__ import annotations

from pathlib import Path

import libvirt

from tests.crash.fork_server import KILLED, ForkServer, Run
from tests.hostile.documents import pool, vm
from tests.hostile.private_libvirtd import PrivateLibvirtd
from tests.lab.repositories import Repository

DISKS = "[{name: root, size: 16MiB, pool: disks}]"
FOREIGN = (
    "<volume><name>web-root.qcow2</name><capacity>16777216</capacity><target><format type='qcow2'/></target></volume>"
)


def test_a_new_machine_does_not_get_a_disk_of_the_same_name_that_is_somebody_elses(
    libvirtd: PrivateLibvirtd, fork_server: ForkServer, pools_folder: Path, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"pool.yaml": pool("disks", pools_folder / "disks")})
    run = Run(str(repository.path), "main", libvirtd.test_uri, str(tmp_path / "state"))
    with_connection = libvirt.open(libvirtd.test_uri)
    try:
        assert fork_server.run(run).succeeded
        with_connection.storagePoolLookupByName("disks").createXML(FOREIGN)
        repository.commit({"web.yaml": vm("web", disks=DISKS), "other.yaml": vm("other", disks=DISKS)})
        told = fork_server.run(run)
        assert {message.split()[0] for message in told.remaining} == {
            "StorageVolume/disks/web-root.qcow2",
            "VirtualMachine/web",
        }
        assert [domain.name() for domain in with_connection.listAllDomains()].count("web") == 0
        assert with_connection.lookupByName("other").name() == "other"
    finally:
        with_connection.close()


def test_a_disk_that_lies_in_the_folder_of_a_new_pool_survives_a_kill(
    libvirtd: PrivateLibvirtd, fork_server: ForkServer, pools_folder: Path, repository: Repository, tmp_path: Path
) -> None:
    # Nobody has seen it when the plan is made, and nobody refers to it when the next start looks for half-made volumes.
    folder = pools_folder / "found"
    folder.mkdir()
    folder.chmod(0o777)
    disk = folder / "web-root.qcow2"
    disk.write_bytes(b"somebody's data" * 1000)
    disk.chmod(0o644)
    repository.commit(
        {"pool.yaml": pool("found", folder), "web.yaml": vm("web", disks=DISKS.replace("pool: disks", "pool: found"))}
    )
    connection = libvirt.open(libvirtd.uri)
    try:
        passed = 0
        while True:
            passed += 1
            state = tmp_path / f"state-{passed}"
            run = Run(str(repository.path), "main", libvirtd.uri, str(state), at=passed)
            told = fork_server.run(run)
            again = fork_server.run(Run(str(repository.path), "main", libvirtd.uri, str(state)))
            assert disk.read_bytes() == b"somebody's data" * 1000, f"lost after a kill at boundary {passed}"
            assert any("onggi didn't make it" in message for message in again.remaining), again
            assert connection.listAllDomains() == []
            found = connection.storagePoolLookupByName("found")
            found.destroy()
            found.undefine()
            if told.end != KILLED:
                break
        assert passed > 10
    finally:
        connection.close()
