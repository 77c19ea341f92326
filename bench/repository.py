"""The git repository that declares the benchmark's machines: one file each, in folders of a hundred."""

from __future__ import annotations

import os
import subprocess
import uuid
from pathlib import Path

from bench import names

_ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Bench",
    "GIT_AUTHOR_EMAIL": "bench@example.org",
    "GIT_COMMITTER_NAME": "Bench",
    "GIT_COMMITTER_EMAIL": "bench@example.org",
}

_MACHINE = """\
apiVersion: onggi/v1
kind: VirtualMachine
metadata:
  name: {name}
spec:
  cpus: 1
  memory: {memory}
  machine: q35
  domainType: emulated
  disks:
    - size: 1GiB
      pool: {pool}
  interfaces:
    - network: {network}
      model: virtio
  graphics:
    type: none
  runStrategy: Halted
"""


_NEEDS = """\
apiVersion: onggi/v1
kind: Network
metadata:
  name: {network}
spec:
  mode: isolated
---
apiVersion: onggi/v1
kind: StoragePool
metadata:
  name: {pool}
spec:
  type: dir
  path: /var/lib/libvirt/{pool}
"""


class Repository:
    """A work tree with `machines` documents, committed; `with_needs` those of their network and pool, too."""

    def __init__(self, path: Path, machines: int, *, with_needs: bool = False) -> None:
        self.path = path
        path.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch=main")
        (path / "onggi.yaml").write_text(f"apiVersion: onggi/v1\nrepositoryId: {uuid.uuid4()}\n")
        if with_needs:
            (path / "needs.yaml").write_text(_NEEDS.format(network=names.NETWORK, pool=names.POOL))
        for number in range(machines):
            self.write(number)
        self.commit()

    def write(self, number: int, memory_mib: int = names.MEMORY_MIB) -> None:
        """Write one machine's document, without committing it."""
        file = self.path / "vms" / f"{number // 100:02d}" / f"{names.machine(number)}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            _MACHINE.format(name=names.machine(number), memory=memory_mib, pool=names.POOL, network=names.NETWORK)
        )

    def commit(self) -> None:
        """Commit whatever was written. When this returns, git has ended."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "Change")

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.path, env=_ENVIRONMENT, check=True, stdin=subprocess.DEVNULL)
