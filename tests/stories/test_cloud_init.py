"""A changed seed is a new volume in the same drive; the old one goes when nobody uses it any more."""

from __future__ import annotations

from pathlib import Path

from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from tests.lab.repositories import Repository

POOL = "apiVersion: onggi/v1\nkind: StoragePool\nmetadata: {name: disks}\nspec: {type: dir, path: /disks}\n"


def vm(user_data: str) -> str:
    return (
        "apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {name: web}\nspec:\n  runStrategy: Halted\n"
        f"  cloudInit: {{pool: disks, userData: '#cloud-config {user_data}'}}\n"
    )


# dmacvicar/terraform-provider-libvirt#1150 ("storage volume exists already"), #931 and lxc/terraform-provider-incus#271
# (changed data never reached the guest), hashicorp/vagrant#11949 (another drive with each change)
def test_changed_user_data_swaps_the_medium_and_leaves_one_drive_and_one_seed(
    repository: Repository, private_test_uri: str, tmp_path: Path
) -> None:
    repository.commit({"pool.yaml": POOL, "web.yaml": vm("one")})
    settings = Settings(repository=str(repository.path), connect=private_test_uri, state=tmp_path / "state")

    def seeds(line: Line) -> set[str]:
        return {ref.short_name for ref in line.observe().objects if ref.pool == "disks"}

    with Line.open(settings, exclusive=True) as line:
        assert line.converge().succeeded
        (first,) = seeds(line)
        repository.commit({"web.yaml": vm("two")})
        assert line.converge().succeeded
        (second,) = seeds(line)
        assert second != first
        machine = next(seen for ref, seen in line.observe().objects.items() if ref.name == "web")
        assert [drive["source"] for drive in machine.config["cdroms"]] == [{"file": f"/disks/{second}"}]
        assert line.plan().empty
