"""LVM's volume groups on this machine: which devices one consists of, and adding further ones.

What is on a device is never overwritten: LVM asks before it does that, and here nobody says yes. Which devices a group
should have is decided elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from reconciler.errors import Refused, Terminal
from reconciler.host.commands import Finished, Program, printable_lines, run

VGS: Final = Program("vgs", "lvm2", "look for volume groups")
VGEXTEND: Final = Program("vgextend", "lvm2", "add devices to a volume group")

_LOOK_S: Final = 15.0
_EXTEND_S: Final = 120.0
_UNKNOWN: Final = re.compile(r'^\s*Volume group ".*" not found', re.MULTILINE)
_SIGNATURE: Final = re.compile(r"(?P<what>\S+) signature detected on (?P<device>/\S+)")
_NAME: Final = re.compile(r"[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}")  # LVM's own rule


class VolumeGroups:
    """For any thread. `environment` is added to what LVM's programs are given, such as another LVM_SYSTEM_DIR."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = {**(environment or {}), "LVM_SUPPRESS_FD_WARNINGS": "1"}

    def devices(self, group: str) -> tuple[str, ...] | None:
        """The paths of a group's devices, as LVM calls them; None when there is no such group.

        Raises Unsupported where LVM isn't installed, TooSlow, and Terminal when LVM fails.
        """
        if not _NAME.fullmatch(group):
            return None
        arguments = ["--noheadings", "--options", "pv_name", "--", group]
        done = run(VGS, arguments, timeout_s=_LOOK_S, environment=self._environment)
        if done.code != 0:
            if _UNKNOWN.search(done.complaint):
                return None
            raise Terminal(f"The volume group {group} can't be looked at: {_reason(done)}.")
        return tuple(line for line in printable_lines(done.output) if line)

    def lacking(self, group: str, devices: Iterable[str]) -> tuple[str, ...] | None:
        """Those of `devices` that a group lacks, under whatever name it has them; None when there is no such group.

        Raises as `devices` does.
        """
        present = self.devices(group)
        if present is None:
            return None
        real = {os.path.realpath(each) for each in present}
        return tuple(each for each in dict.fromkeys(devices) if os.path.realpath(each) not in real)

    def extend(self, group: str, devices: Sequence[str]) -> None:
        """Add all of `devices` to a group, or none of them.

        Raises Refused (`DeviceInUse`) for one that holds something, Unsupported where LVM isn't installed, TooSlow,
        and Terminal for whatever else LVM refuses.
        """
        if odd := next((each for each in devices if not each.startswith("/")), None):
            raise Terminal(f"{odd!r} isn't the path of a device; give one such as /dev/sdb.")
        done = run(VGEXTEND, arguments(group, devices), timeout_s=_EXTEND_S, environment=self._environment)
        if done.code == 0:
            return
        if found := _SIGNATURE.search(done.complaint):
            raise Refused(
                f"{found['device']} holds something already ({found['what']}), which isn't overwritten; when nothing "
                f"of it is needed, run: wipefs --all {found['device']}",
                reason="DeviceInUse",
            )
        raise Terminal(f"The volume group {group} can't be extended by {', '.join(devices)}: {_reason(done)}.")


def arguments(group: str, devices: Sequence[str]) -> list[str]:
    """What vgextend is given."""
    return ["--", group, *devices]


def _reason(done: Finished) -> str:
    """The first thing that LVM complains of; what follows only says that it gives up."""
    lines = [line for line in printable_lines(done.complaint) if line and not line.startswith("WARNING")]
    return lines[0].rstrip(".") if lines else done.reason
