"""Which LVM volume groups there are on this machine, with their devices and volumes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from reconciler.errors import Terminal, Transient
from reconciler.host.commands import run
from reconciler.host.volume_groups import VGS
from specs.plain import Json

_LOOK_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class VolumeGroup:
    """Sizes in bytes; devices by path, volumes by name."""

    name: str
    size: int
    free: int
    devices: tuple[str, ...]
    volumes: tuple[str, ...]


def volume_groups() -> tuple[VolumeGroup, ...]:
    """All of them by name. Raises Unsupported where LVM isn't installed, TooSlow, and Terminal when LVM fails."""
    devices, volumes = _report("vg_name,vg_size,vg_free,pv_name"), _report("vg_name,lv_name")
    found: dict[str, VolumeGroup] = {}
    for row in devices:
        name = str(row["vg_name"])
        if name not in found:
            found[name] = VolumeGroup(
                name,
                _bytes(row["vg_size"]),
                _bytes(row["vg_free"]),
                _members(devices, name, "pv_name"),
                _members(volumes, name, "lv_name"),
            )
    return tuple(found[name] for name in sorted(found))


def _report(columns: str) -> list[Json]:
    arguments = ["--reportformat", "json", "--units", "b", "--nosuffix", "--options", columns]
    done = run(VGS, arguments, timeout_s=_LOOK_S, environment={"LVM_SUPPRESS_FD_WARNINGS": "1"})
    if done.code != 0:
        raise Terminal(f"The volume groups can't be listed: {done.reason}.")
    try:
        return [row for part in json.loads(done.output)["report"] for row in part["vg"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Transient("LVM's list of volume groups can't be understood; ask again in a moment.") from None


def _members(rows: list[Json], group: str, column: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_texts(rows, group, column)))


def _texts(rows: list[Json], group: str, column: str) -> Iterator[str]:
    for row in rows:
        if row["vg_name"] == group and row[column]:
            yield str(row[column])


def _bytes(figure: Any) -> int:
    return int(figure) if str(figure).isdecimal() else 0
