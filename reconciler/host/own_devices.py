"""Which block devices this machine itself lives on: what it has mounted, what it swaps to, and the disks below that.

A pool or a virtual machine on one of them reads and writes the host's own files behind its back, whoever may commit.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MOUNTS = Path("/proc/self/mountinfo")
_SWAPS = Path("/proc/swaps")
_BLOCK = Path("/sys/dev/block")
_DEEPEST: Final = 16  # partitions, crypt, RAID, LVM: each is a step


def own_use(path: str | Path, *, but_for: str = "") -> str:
    """What the machine uses the device at `path` for, as half a sentence; empty when it uses it for nothing.

    `but_for` is a folder where it may be mounted. What can't be looked at isn't a device that is used.
    """
    number = _number(path)
    if number is None:
        return ""
    inside = set(_upwards(number))
    for device, folder in _mounted():
        if device in inside and folder != but_for:
            return f"it is mounted at {folder}" if device == number else f"what lies on it is mounted at {folder}"
    if any(device in inside for device in _swapping()):
        return "the host swaps to it"
    return ""


def _number(path: str | Path) -> str | None:
    """`major:minor` of a block device."""
    try:
        found = os.stat(path)  # noqa: PTH116  (also of a text)
    except (OSError, ValueError):
        return None
    if not stat.S_ISBLK(found.st_mode):
        return None
    return f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"


def _upwards(number: str, depth: int = 0) -> Iterator[str]:
    """A device, its partitions, and whatever is made of them."""
    yield number
    folder = _BLOCK / number
    if depth == _DEEPEST:
        return
    try:
        above = [*folder.glob("*/partition"), *(folder / "holders").glob("*/dev")]
    except OSError:
        return
    for each in above:
        file = each if each.name == "dev" else each.with_name("dev")
        try:
            yield from _upwards(file.read_text().strip(), depth + 1)
        except OSError:
            continue


def _mounted() -> Iterator[tuple[str, str]]:
    """Each mounted device with its folder. Of some file systems only the source's name tells which device it is."""
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        left, _, right = line.partition(" - ")
        words, source = left.split(), right.split()[1:2]
        if len(words) < 5:
            continue
        folder = words[4].encode().decode("unicode_escape")
        yield words[2], folder
        if source and source[0].startswith("/dev/") and (number := _number(source[0])) is not None:
            yield number, folder


def _swapping() -> Iterator[str]:
    try:
        lines = _SWAPS.read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        if (number := _number(line.split()[0])) is not None:
            yield number
