"""Refuses what an object reads or writes on its host (an image, firmware, a folder, a log, a socket) where a link leads
out of the allowed folder that it lies in.

The path as it is written was judged with the document, offline. What a link really leads to is only known on the host,
so this looks at the files, and can do so only where the host is this machine. A folder that others may write is
refused altogether: they could exchange the file after it was looked at.

It goes by the definition that libvirt is about to get: whatever in it is a path in an allowed folder counts, whoever
wrote it there and by which field, so that no field can be forgotten. Only what is text for people, or for the guest,
is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from reconciler.confined.trust import others_on_the_way
from reconciler.errors import Terminal
from specs.binding import Element
from specs.system_folders import is_in_a_tree, no_medium

# Texts that no file of the host is opened by: what people read, what the guest is told, and what libvirt itself chose.
_NO_PLACES: Final = frozenset(
    [
        *("metadata", "title", "description", "name", "cmdline", "init", "initarg", "initdir", "initenv", "emulator"),
        *("target", "alias", "product", "vendor"),
    ]
)
# The same of one attribute, or of what the element itself says.
_NO_FILE: Final = frozenset(
    [
        *(("entry", ""), ("entry", "name"), ("serial", ""), ("source", "name"), ("source", "query")),
        *(("option", "value"), ("txt", "value")),
    ]
)


def check_links(root: Element, allowed_folders: Iterable[str], is_known: Callable[[str], bool]) -> None:
    """Raises Terminal for a path that a link takes out of all allowed folders. `root` is an object, or one device.

    A path outside of them is no document's: somebody put it in by hand, and it stays. Of disks `is_known` tells those
    that are volumes, which is their pools' business, and those that the machine has already.
    """
    folders = [Path(folder) for folder in allowed_folders]
    for path, is_socket in dict.fromkeys(_places(root, "", is_known)):
        if any(path.is_relative_to(folder) for folder in folders):
            _check(path, folders, is_socket=is_socket)


def _check(path: Path, folders: list[Path], *, is_socket: bool) -> None:
    target = _resolved(path)
    if not is_socket:  # whoever serves one has to be able to make it
        _refuse_others(path)
    around = [folder for folder in folders if target.is_relative_to(_resolved(folder))]
    if not around:
        raise Terminal(
            f"the path {path} is a link to {target}, which isn't in an allowed folder; put the file itself there, or "
            "allow its folder by allowed-folder in onggi's settings."
        )
    if no_medium(str(target)) and not any(is_in_a_tree(str(folder)) or folder == target for folder in around):
        raise Terminal(
            f"the path {path} leads to {target}, which belongs to the system; put what is meant there itself."
        )


def _refuse_others(path: Path) -> None:
    """Raises Terminal where others could put another file in its place, after we have looked at it."""
    try:
        others = others_on_the_way(path, itself=False)
    except OSError:
        return  # what isn't there, or can't be looked at, libvirt can't open either
    if others is not None:
        raise Terminal(
            f"what is at {path} could be exchanged by {others.who}, who may write {others.where}, for any file of this "
            "host; make the folder root's alone (chown root, chmod go-w), or take a place in another one (for an "
            "image, a pool)."
        )


def _places(element: Element, above: str, is_known: Callable[[str], bool]) -> Iterator[tuple[Path, bool]]:
    """(path, whether it is a socket) of all that is one, below an element too; `above` is the type of what it is in."""
    if not isinstance(element.tag, str) or element.tag in _NO_PLACES:
        return
    kind = element.get("type") or ""
    is_disk = element.tag == "disk" and element.get("device") != "cdrom"
    texts = [("", element.text or ""), *((str(key), str(value)) for key, value in element.items())]
    for attribute, text in texts:
        if text.strip().startswith("/") and (element.tag, attribute) not in _NO_FILE:
            is_socket = attribute == "socket" or element.tag == "server" or bool({kind, above} & {"unix", "vhostuser"})
            yield Path(text.strip()), is_socket
    for child in element:
        for path, is_socket in _places(child, kind, is_known):
            if not (is_disk and child.tag == "source" and is_known(str(path))):
                yield path, is_socket


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        raise Terminal(f"the path {path} is a link to itself; put the file itself there.") from None
