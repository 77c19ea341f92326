"""Looks at an image outside of pools before a machine gets it: QEMU opens whatever its header names, as QEMU may.

A guest that could write to it as a raw one may have given it a header, and a document then says that it is qcow2.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable

from reconciler.errors import Terminal
from reconciler.host.pool_files import open_file
from specs.binding import Element, text_at
from specs.reach import is_below
from specs.storagevolume.header import HEADER_BYTES, PLAIN, ImageHeader, image_header, mistaken, unsafe_header

_DEEPEST = 32


def check_outside_images(root: Element, allowed_folders: Iterable[str], is_known: Callable[[str], bool]) -> None:
    """Raises Terminal for an image of another format, or one that refers to files outside of all allowed folders.

    `is_known` tells of the volumes of pools, which their own rules are about, and of what the machine has already.
    """
    folders = list(allowed_folders)
    for disk in root.iter("disk"):
        path = text_at(disk, "source/@file") or ""
        if disk.get("device") != "cdrom" and path and not is_known(path):
            _check(path, text_at(disk, "driver/@type"), folders, is_known)


def _check(path: str, opened_as: str | None, folders: list[str], is_known: Callable[[str], bool]) -> None:
    first = path
    for _ in range(_DEEPEST):
        header = None if opened_as in PLAIN else _header(path)
        if header is None:
            return
        above = posixpath.dirname(path)

        def is_allowed(name: str, above: str = above) -> bool:
            named = posixpath.normpath(posixpath.join(above, name))
            return is_known(named) or any(is_below(named, folder) for folder in folders)

        reason = mistaken(header, opened_as) or unsafe_header(header, is_allowed)
        if reason is not None:
            raise Terminal(f"the image {path} isn't used: {reason}")
        if header.backing_file is None:
            return
        path, opened_as = posixpath.normpath(posixpath.join(above, header.backing_file)), header.backing_format
    raise Terminal(f"the image {first} refers to itself; replace it.")


def _header(path: str) -> ImageHeader | None:
    try:
        with os.fdopen(open_file(path), "rb") as file:
            return image_header(file.read(HEADER_BYTES))
    except (OSError, ValueError):
        return None  # whoever opens it will tell
