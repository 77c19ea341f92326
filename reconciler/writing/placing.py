"""Where a new document's file goes: beside those of its kind, under a name that a person would give it.

A document's name is hostile until it is a file's name: whatever it is, the file is inside of the folder, isn't hidden,
and takes no other file's place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Final

from reconciler.errors import Conflict
from specs.name import name_problem
from specs.reference import Ref
from specs.registry import described

_LONGEST: Final = 240  # bytes of a file's name, of 255
_TRIES: Final = 1000
_ODD: Final = re.compile(r"[^\w.+@~ -]")


def path_for(ref: Ref, sub_path: str, neighbours: Iterable[str], taken: Callable[[str], bool]) -> str:
    """A path from the root, below `sub_path`. `neighbours` are the files of the other documents of this kind; `taken`
    says whether something is at a path, or in the way of it. Raises Conflict when no name is free."""
    folder = _folder(ref, sub_path, neighbours)
    stem = _file_name(ref.short_name)
    for count in range(1, _TRIES):
        path = f"{folder}{stem}{f'-{count}' if count > 1 else ''}.yaml"
        if path != "onggi.yaml" and not taken(path):
            return path
    raise Conflict(f"There is no free name for the file of {ref} in {folder or 'the repository'}; tidy up there.")


def _folder(ref: Ref, sub_path: str, neighbours: Iterable[str]) -> str:
    """With its `/` at the end; empty for the root."""
    root = f"{sub_path}/" if sub_path else ""
    pool = f"/{_file_name(ref.pool)}" if ref.pool else ""
    used = {str(PurePosixPath(path).parent) for path in neighbours}
    if len(used) == 1 and not pool:
        (only,) = used
        folder = "" if only == "." else f"{only}/"
        if folder.startswith(root):
            return folder
    return f"{root}{described(ref.kind).directory}{pool}/"


def _file_name(name: str) -> str:
    """A document's name as a file's. What can't be shown safely becomes a hyphen; it never begins with a dot."""
    safe = _ODD.sub("-", name) if not name_problem(name) else _ODD.sub("-", name).lstrip(".-") or "document"
    while len(safe.encode()) > _LONGEST:
        safe = safe[:-1]
    return safe
