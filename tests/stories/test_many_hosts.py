"""One repository for several hosts: a folder and an agent for each."""

from __future__ import annotations

import shutil
from pathlib import Path

from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from tests.lab.repositories import Repository


def machine(name: str) -> str:
    return (
        f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {name}}}\n"
        "spec: {memory: 64, runStrategy: Halted}\n"
    )


# dmacvicar/terraform-provider-libvirt#829, #909, #1071: each further hypervisor meant another copy of everything
def test_each_host_gets_what_its_folder_says_and_nothing_of_its_neighbours(
    repository: Repository, private_test_uri: str, tmp_path: Path
) -> None:
    repository.commit({"hosts/kvm1/web.yaml": machine("web"), "hosts/kvm2/db.yaml": machine("db")})
    found = {}
    for host in ("kvm1", "kvm2"):
        uri = f"test://{shutil.copy(private_test_uri.removeprefix('test://'), tmp_path / f'{host}.xml')}"
        settings = Settings(
            repository=str(repository.path), path=f"hosts/{host}", connect=uri, state=tmp_path / f"state-{host}"
        )
        with Line.open(settings, exclusive=True) as line:
            assert line.converge().succeeded
            found[host] = {ref.name for ref in line.observe().objects if ref.kind == "VirtualMachine"} - {"test"}
    assert found == {"kvm1": {"web"}, "kvm2": {"db"}}
