"""The built files, in a folder that git doesn't have: `web/build.py` makes it, and a wheel contains it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import orjson

HOW_TO_BUILD: Final = (
    "This onggi was installed without what its pages are made of; `make web` in its work tree builds that, and so does "
    "installing it from there."
)
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_HASHED: Final = re.compile(r"[a-z_]+-[A-Z0-9]{8}\.(js|css)")  # as the bundler names all that it makes


@dataclass(frozen=True, slots=True)
class Entry:
    """What a page begins with: names of files."""

    script: str
    style: str


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """One of them. Its name changes whenever its content does."""

    content: bytes
    content_type: str


def entry(view: str) -> Entry | None:
    """Of a page; None: nothing is built."""
    try:
        manifest = orjson.loads(_folder().joinpath("manifest.json").read_bytes())
    except FileNotFoundError:
        return None
    return Entry(**manifest[view])


def built_file(name: str) -> BuiltFile | None:
    """None for what isn't one."""
    if not _HASHED.fullmatch(name):
        return None
    try:
        return _read(_folder() / name)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=32)
def _read(path: Path) -> BuiltFile:
    return BuiltFile(path.read_bytes(), _TYPES[path.suffix])


def _folder() -> Path:
    return Path(str(files("api.assets").joinpath("built")))
