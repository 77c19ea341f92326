"""Refuses what a machine reads (an image, a kernel, firmware) where a link leads out of the allowed folder it lies in.

The path as it is written was judged with the document, offline. What a link really leads to is only known on the host,
so this looks at the files, and can do so only where the host is this machine. A folder that others may write is
refused altogether: they could exchange the file after it was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from reconciler.confined.trust import others_on_the_way
from reconciler.errors import Terminal
from specs.binding import Element
from specs.system_folders import no_medium

# What a machine starts with beside its drives.
_STARTED_WITH: Final = (
    *("os/kernel", "os/initrd", "os/dtb", "os/loader", "os/nvram", "os/nvram@template", "os/acpi/table"),
    "sysinfo/entry@file",
)


def check_media(root: Element, allowed_folders: Iterable[str], is_known: Callable[[str], bool]) -> None:
    """Raises Terminal for a medium that a link takes out of all allowed folders. `root` is a machine or one drive.

    A path outside of them is no document's: somebody put that medium in by hand, and it stays. Of disks `is_known`
    tells those that are volumes, which is their pools' business, and those that the machine has already.
    """
    folders = [Path(folder) for folder in allowed_folders]
    for path in _media(root, is_known):
        if not any(path.is_relative_to(folder) for folder in folders):
            continue
        target = _resolved(path)
        _refuse_others(path)
        if no_medium(str(target)):
            raise Terminal(f"the medium {path} is a link to {target}, which belongs to the system; put an image there.")
        if not any(target.is_relative_to(_resolved(folder)) for folder in folders):
            raise Terminal(
                f"the medium {path} is a link to {target}, which isn't in an allowed folder; "
                "put the image itself there, or allow its folder by allowed-folder in onggi's settings."
            )


def _refuse_others(path: Path) -> None:
    """Raises Terminal where others could put another file in the medium's place, after we have looked at it."""
    try:
        others = others_on_the_way(path, itself=False)
    except OSError:
        return  # what isn't there, or can't be looked at, libvirt can't open either
    if others is not None:
        raise Terminal(
            f"the medium {path} could be exchanged by {others.who}, who may write {others.where}, for any file of this "
            "host; make the folder root's alone (chown root, chmod go-w), or put the image into a pool."
        )


def _media(root: Element, is_known: Callable[[str], bool]) -> Iterator[Path]:
    for drive in root.iter("disk"):
        source = drive.find("source")
        path = "" if source is None else source.get("file") or source.get("dev")
        if path and (drive.get("device") == "cdrom" or not is_known(path)):
            yield Path(path)
    for place in _STARTED_WITH:
        where, _, attribute = place.partition("@")
        for each in root.iterfind(where):
            if path := (each.get(attribute) if attribute else each.text):
                yield Path(path)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        raise Terminal(f"the medium {path} is a link to itself; put the image itself there.") from None
