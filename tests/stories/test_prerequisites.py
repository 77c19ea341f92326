"""What a pool or a network needs on the host before it can be defined is made with it, and goes with it."""

from __future__ import annotations

from pathlib import Path

import libvirt

from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from tests.lab.approving import converge_approved
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository


def settings(repository: Repository, uri: str, tmp_path: Path) -> Settings:
    return Settings(
        repository=str(repository.path), connect=uri, state=tmp_path / "state", allowed_secret_folders=(str(tmp_path),)
    )


def test_a_vlan_gets_a_bridge_of_the_host(repository: Repository, private_test_uri: str, tmp_path: Path) -> None:
    repository.commit(
        {
            "office.yaml": "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: office}\n"
            "spec: {mode: bridge, interface: eth1, vlan: 42}\n"
        }
    )
    with Line.open(settings(repository, private_test_uri, tmp_path), exclusive=True) as line:
        assert line.converge().succeeded
        xml = next(seen.xml for ref, seen in line.observe().objects.items() if ref.name == "office")
        assert "onggi-eth1-42" in xml
        assert line.plan().empty


def test_a_host_without_vlans_says_what_to_do_instead(
    qemu_system: str, host_objects: HostObjects, repository: Repository, tmp_path: Path
) -> None:
    name = host_objects.name("office")
    repository.commit(
        {
            "office.yaml": f"apiVersion: onggi/v1\nkind: Network\nmetadata: {{name: {name}}}\n"
            "spec: {mode: bridge, interface: eth1, vlan: 42}\n"
        }
    )
    with Line.open(settings(repository, qemu_system, tmp_path), exclusive=True) as line:
        (blocked,) = line.plan().blocked
        assert "bridge" in blocked.message


def test_the_password_of_an_iscsi_target_lives_in_libvirt_and_nowhere_else(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    tmp_path: Path,
) -> None:
    name = host_objects.name("san")
    (tmp_path / "chap").write_text("opensesame-12\n")
    (tmp_path / "chap").chmod(0o600)
    repository.commit(
        {
            "keep.yaml": f"apiVersion: onggi/v1\nkind: Network\nmetadata: {{name: {host_objects.name('keep')}}}\n"
            "spec: {mode: isolated, active: false}\n",
            "san.yaml": f"""\
apiVersion: onggi/v1
kind: StoragePool
metadata: {{name: {name}}}
spec:
  type: iscsi
  active: false
  source:
    host: 127.0.0.1
    target: iqn.2024-01.org.example:vms
    auth: {{username: onggi, passwordFrom: {{file: {tmp_path / "chap"}}}}}
""",
        }
    )

    def secrets() -> dict[str, libvirt.virSecret]:
        return {secret.usageID(): secret for secret in qemu_connection.listAllSecrets()}

    with Line.open(settings(repository, qemu_system, tmp_path), exclusive=True) as line:
        plan = line.plan()
        assert "opensesame" not in repr(plan)
        assert line.converge().succeeded
        # A private secret gives its value to nobody but libvirt itself.
        assert f"onggi-{name}" in secrets()
        assert "opensesame" not in qemu_connection.storagePoolLookupByName(name).XMLDesc()
        assert line.plan().empty
        repository.remove("san.yaml")
        assert converge_approved(line).succeeded
        assert f"onggi-{name}" not in secrets()
