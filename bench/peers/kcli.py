"""kcli's plans. `create plan` only asks whether a machine of each name exists; `update plan` compares."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import yaml

from bench import names
from bench.peers import Peer
from bench.peers.installed import environment
from bench.process import Command
from bench.world import World

_PLAN = f"{names.PREFIX}plan"


def peers(world: World, machines: int) -> Iterator[Peer]:
    """With a home of its own: it keeps its configuration there."""
    program = str(environment("kcli", "kcli", "libvirt-python", program="kcli") / "kcli")
    home = world.folder / "kcli"
    home.mkdir()
    machine = {
        "memory": names.MEMORY_MIB,
        "numcpus": 1,
        "pool": names.POOL,
        "disks": [1],
        "nets": [names.NETWORK],
        "virttype": "qemu",
        "vnc": False,
        "cloudinit": False,
        "start": False,
    }
    file = home / "plan.yml"
    file.write_text(yaml.safe_dump({names.machine(number): machine for number in range(machines)}))
    environ = {"HOME": str(home)}

    def command(verb: str) -> Command:
        return Command((program, verb, "plan", "-f", str(file), _PLAN), environment=environ)

    create = command("create")
    yield Peer(
        "kcli create plan",
        machines,
        create,
        (("kcli create plan (asks for names only)", create), ("kcli update plan", command("update"))),
        reset=lambda: shutil.rmtree(home / ".kcli", ignore_errors=True),
    )
