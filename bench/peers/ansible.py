"""Ansible with community.libvirt, one playbook with two loops. It is linear and slow, so it gets ten machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bench import definitions, names
from bench.peers import Peer
from bench.peers.installed import environment
from bench.process import Command
from bench.world import URI, World

_MACHINES = 10


def peers(world: World, machines: int) -> Iterator[Peer]:
    """On localhost, without a connection plugin in between and without gathering facts."""
    count = min(machines, _MACHINES)
    packages = ("ansible", "libvirt-python", "lxml", "pycdlib")
    programs = environment("ansible", *packages, program="ansible-playbook")
    folder = world.folder / "ansible"
    folder.mkdir()
    file = folder / "playbook.json"
    file.write_text(json.dumps(_playbook(world, count, str(programs / "python"))))  # JSON is YAML
    play = Command(
        (str(programs / "ansible-playbook"), "--inventory", "localhost,", str(file)),
        environment={"HOME": str(folder), "LC_ALL": "C.UTF-8"},
    )
    yield Peer("Ansible community.libvirt", count, play, (("Ansible community.libvirt", play),), repeat=1)


def _playbook(world: World, machines: int, python: str) -> list[dict[str, Any]]:
    every = [names.machine(number) for number in range(machines)]
    volumes = [{"name": f"{name}.qcow2", "xml": definitions.volume(f"{name}.qcow2")} for name in every]
    domains = [{"name": name, "xml": definitions.machine(name, str(world.images / f"{name}.qcow2"))} for name in every]
    volume = {"uri": URI, "pool": names.POOL, "state": "present", "name": "{{ item.name }}", "xml": "{{ item.xml }}"}
    domain = {"uri": URI, "command": "define", "name": "{{ item.name }}", "xml": "{{ item.xml }}"}
    shown = {"label": "{{ item.name }}"}
    return [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": python},
            "tasks": [
                {"name": "Volumes", "community.libvirt.virt_volume": volume, "loop": volumes, "loop_control": shown},
                {"name": "Machines", "community.libvirt.virt": domain, "loop": domains, "loop_control": shown},
            ],
        }
    ]
