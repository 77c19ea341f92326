"""What of a machine's former definition doesn't fit any more when it is defined anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.desired.state import Resource
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.planning.context import Context
    from specs.binding import Element

_MASK = "*****"  # what a definition that was read has in the place of a console's password
_LOOPBACK = "127.0.0.1"


def leave_out_taken_drives(root: Element, resource: Resource, context: Context) -> None:
    """Two machines that write to one disk destroy it: what the document doesn't ask for yields to who has it now."""
    from specs.virtualmachine.storage.sources import read_source

    for drive in root.findall("devices/disk"):
        source = read_source(drive)
        if "volume" in source:
            volume: Ref | None = Ref.volume(source["pool"], source["volume"])
        else:
            volume = context.volume_at.get(source.get("file") or source.get("dev") or "")
        shared = drive.find("readonly") is not None or drive.find("shareable") is not None
        taken = volume is not None and volume not in resource.depends_on and context.users.get(volume)
        if taken and not shared and (holder := drive.getparent()) is not None:
            holder.remove(drive)


def close_console(root: Element) -> None:
    """Nobody keeps a console's password, and without it nobody but this host may reach the console."""
    for console in root.findall("devices/graphics"):
        if console.get("passwd") != _MASK:
            continue
        del console.attrib["passwd"]
        if console.get("listen") is not None:
            console.set("listen", _LOOPBACK)
        for listen in console.findall("listen"):
            if listen.get("type") == "address":
                listen.set("address", _LOOPBACK)
            elif listen.get("type") == "network":
                console.remove(listen)
