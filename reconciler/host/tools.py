"""Which of the host's programs are missing, and what each would be needed for. Nothing is run to find out, apart from
QEMU's own word on whether it can read an image from the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from reconciler.errors import OnggiError
from reconciler.host.commands import Finished, Program, run
from reconciler.host.partitions import LSBLK, PVS
from reconciler.host.power import SYSTEMCTL
from reconciler.host.reports import SOS
from reconciler.host.storage_servers import ISCSI_LS, ISCSIADM, SHOWMOUNT

QEMU_IMG: Final = Program("qemu-img", "qemu-utils", "see whether QEMU can read images from the network")
TIMEOUT_S: Final = 10.0

# Each line: any one of these is enough.
_WANTED: Final = ((LSBLK,), (PVS,), (SYSTEMCTL,), (SOS,), (SHOWMOUNT,), (ISCSIADM, ISCSI_LS), (QEMU_IMG,))
_STREAM: Final = (
    "http://127.0.0.1:1/image.iso"  # nobody listens there; whether QEMU knows the way there is the question
)

Run = Callable[..., Finished]


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that isn't on the host, and one sentence on what for and how to get it."""

    tool: str
    remedy: str


def missing_programs() -> tuple[Missing, ...]:
    """The programs that some part of onggi would use and can't find now."""
    return tuple(_missing(*each) for each in _WANTED if not any(program.present for program in each))


def qemu_streams(run: Run = run) -> bool:
    """Whether QEMU's tools here can read an image over HTTP; False where they can't be asked. Never raises."""
    try:
        said = run(QEMU_IMG, ["info", "--", _STREAM], timeout_s=TIMEOUT_S)
    except OnggiError:
        return False
    return "Unknown protocol" not in said.complaint


def is_network_manager_running() -> bool:
    """Whether NetworkManager looks after this host's interfaces."""
    try:
        return any(process.info["name"] == "NetworkManager" for process in psutil.process_iter(["name"]))
    except (psutil.Error, OSError):
        return False


def has_osinfo(folders: tuple[Path, ...]) -> bool:
    """Whether there is a database of operating systems in one of these folders."""
    return any((folder / "os").is_dir() for folder in folders)


def _missing(*programs: Program) -> Missing:
    names = " or ".join(program.name for program in programs)
    packages = " or ".join(dict.fromkeys(program.package for program in programs))
    return Missing(names, f"{names} is needed to {programs[0].purpose}; install it (Debian package {packages}).")
