"""The pictures that stand for machines and templates, one for each operating system that is drawn here.

Drawn by the project; none is anybody's logo. Adding one is adding a file.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

DEFAULT: Final = "vm"
_BEFORE, _AFTER = "icon-", ".svg"


@cache
def drawn() -> dict[str, bytes]:
    """Every picture, an SVG, by the name of its system."""
    found = {}
    for file in files("api.images").iterdir():
        if file.name.startswith(_BEFORE) and file.name.endswith(_AFTER):
            found[file.name.removeprefix(_BEFORE).removesuffix(_AFTER)] = file.read_bytes()
    return found


def address_of(system: str) -> str:
    """Where the picture of a system is; that of any machine for a system that isn't drawn.

    Clients know these pictures by names that end in .png, and some show no others.
    """
    name = system.lower()
    return f"images/{_BEFORE}{name if name in drawn() else DEFAULT}.png"


def find(file: str) -> bytes | None:
    """The picture that a file's name stands for, as .png or .svg; None when there is none."""
    name, _, kind = file.rpartition(".")
    if kind not in ("png", "svg") or not name.startswith(_BEFORE):
        return None
    return drawn().get(name.removeprefix(_BEFORE))
