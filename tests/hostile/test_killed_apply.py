"""`kill -9` of an apply, anywhere: the next one goes on from there, and nothing half-made or forgotten is left."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from pathlib import Path

import libvirt
import pytest

from tests.hostile.commands import ENVIRONMENT, ONGGI, onggi, planned, told
from tests.hostile.documents import pool as dir_pool
from tests.hostile.documents import vm
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.waiting import until

COUNT = 10


@pytest.mark.parametrize("files", [1, 4, 9])
def test_an_apply_that_was_killed_is_finished_by_the_next(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    dir_pool_folder: Path,
    tmp_path: Path,
    files: int,
) -> None:
    pool, disks = host_objects.name("pool"), dir_pool_folder / "disks"
    names = [host_objects.name(f"vm{number}") for number in range(COUNT)]
    seed = f"{{pool: {pool}, userData: '#cloud-config'}}"
    repository.commit(
        {
            f"{name}.yaml": vm(name, disks=f"[{{name: root, size: 1GiB, pool: {pool}}}]", cloudInit=seed)
            for name in names
        }
        | {"pool.yaml": dir_pool(pool, disks)}
    )
    words = (repository.path, "--connect", qemu_system, "--state", tmp_path / "state")
    process = subprocess.Popen(
        [*ONGGI, "apply", *map(str, words), "-y"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT,
    )  # fmt: skip
    try:
        until(
            lambda: disks.exists() and len(list(disks.iterdir())) >= files,
            60,
            f"{files} volumes are being made",
            every_s=0.001,
        )
    finally:
        process.send_signal(signal.SIGKILL)
        ended = process.wait()
    assert ended == -signal.SIGKILL, "it had already ended"

    done = onggi("apply", *words, "-o", "json")
    assert done.returncode == 0, [item for item in told(done)["outcomes"] if item["result"] == "failed"]
    assert planned(told(onggi("plan", *words, "-o", "json"))) == set()

    left = Counter(host_objects.left())
    assert not [what for what, times in left.items() if times > 1]
    assert {what for what in left if not what.startswith("volume ")} == {
        f"pool {pool}",
        *(f"domain {n}" for n in names),
    }
    volumes = {what.removeprefix("volume ") for what in left if what.startswith("volume ")}
    roots = {f"{name}-root.qcow2" for name in names}
    used = {
        Path(disk.split("'")[0]).name
        for name in names
        for disk in qemu_connection.lookupByName(name).XMLDesc().split("<source file='")[1:]
    }
    assert used == volumes, "no volume without a machine, no machine without a volume"
    assert roots <= volumes
    assert len(volumes) == 2 * COUNT
    assert volumes == {path.name for path in disks.iterdir()}
    for root in roots:
        subprocess.run(["qemu-img", "check", "-q", disks / root], check=True)
    for other in volumes - roots:
        assert (disks / other).read_bytes()[32769:32774] == b"CD001", "a seed that is whole"
