"""A pull request is planned beside the agent's passes, and takes nothing away from them."""

from __future__ import annotations

from pathlib import Path

import libvirt

from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from specs.reference import Ref
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.waiting import until


def test_the_news_of_a_reboot_is_left_to_the_pass_that_acts_on_it(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    tmp_path: Path,
) -> None:
    name = host_objects.name("web")
    repository.commit(
        {
            "web.yaml": f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {name}}}\n"
            "spec: {memory: 64, domainType: emulated, paused: true}\n"
        }
    )
    settings = Settings(repository=str(repository.path), connect=qemu_system, state=tmp_path / "state")
    heard: set[Ref | None] = set()
    with Line.open(settings, exclusive=True) as line:
        line.hypervisor.subscribe(heard.add)
        assert line.converge().succeeded
        line.hypervisor.take_rebooted()
        heard.clear()
        qemu_connection.lookupByName(name).reset()
        until(lambda: Ref("VirtualMachine", name) in heard, 60, "the reboot is heard of")
        line.rehearse(line.source.read(), line.observe())
        assert line.hypervisor.take_rebooted() == {Ref("VirtualMachine", name)}
