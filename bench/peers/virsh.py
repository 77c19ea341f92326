"""One virsh, fed by stdin. To find nothing to do it can't compare: it defines everything over again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from bench import definitions, names
from bench.peers import Peer, UnavailableError
from bench.process import Command
from bench.world import URI, World


def peers(world: World, machines: int) -> Iterator[Peer]:
    """`vol-create-as` and `define`; `define` alone the second time."""
    program = shutil.which("virsh")
    if program is None:
        raise UnavailableError("virsh isn't installed (Debian: libvirt-clients)")
    folder = world.folder / "virsh"
    folder.mkdir()
    create: list[str] = []
    again: list[str] = []
    for number in range(machines):
        name = names.machine(number)
        image = f"{name}.qcow2"
        file = folder / f"{name}.xml"
        file.write_text(definitions.machine(name, str(world.images / image)))
        create.append(f"vol-create-as {names.POOL} {image} 1G --format qcow2")
        create.append(f"define {file}")
        again.append(f"define {file}")
    yield Peer(
        "virsh fed by stdin",
        machines,
        _fed(program, folder / "create", create),
        (("virsh fed by stdin (defines all again)", _fed(program, folder / "again", again)),),
    )


def _fed(program: str, file: Path, lines: list[str]) -> Command:
    file.write_text("\n".join([*lines, "quit", ""]))
    return Command((program, "--quiet", "--connect", URI), stdin=file)
