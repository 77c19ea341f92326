"""Block devices of the tests' own, and LVM's volume groups on them. No other device of the machine is written to."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

SYSTEM = "/usr/sbin:/sbin:/usr/bin:/bin"
SIZE = 64 << 20


def tool(*command: str | Path) -> str:
    """What a program of the system prints."""
    program = shutil.which(str(command[0]), path=SYSTEM)
    assert program is not None, command[0]
    environment = {"PATH": SYSTEM, "LC_ALL": "C"}
    done = subprocess.run(
        [program, *map(str, command[1:])], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


class Disks:
    """Loop devices, and volume groups whose names nobody else has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._devices: list[str] = []
        self._groups: list[str] = []

    def device(self) -> str:
        """The path of an empty block device."""
        image = self._folder / f"{len(self._devices)}.img"
        with image.open("wb") as file:
            file.truncate(SIZE)
        self._devices.append(tool("losetup", "--find", "--show", image).strip())
        return self._devices[-1]

    def name(self) -> str:
        """A name for a group, which is removed afterwards should it be there."""
        self._groups.append(f"onggi-test-{secrets.token_hex(4)}")
        return self._groups[-1]

    def group(self, *devices: str) -> str:
        """A new volume group."""
        name = self.name()
        tool("vgcreate", name, *devices)
        return name

    @staticmethod
    def of(group: str) -> set[str]:
        """The devices of a group."""
        return set(tool("vgs", "--noheadings", "--options", "pv_name", group).split())

    def remove(self) -> None:
        for group in self._groups:
            with suppress(AssertionError):  # it was never made
                tool("vgremove", "--force", "--yes", group)
            for kept in Path("/etc/lvm/archive").glob(f"{group}_*.vg"):
                kept.unlink()
        for device in self._devices:
            tool("losetup", "--detach", device)


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Disks]:
    folder = tmp_path / "disks"
    folder.mkdir()
    made = Disks(folder)
    try:
        yield made
    finally:
        made.remove()
